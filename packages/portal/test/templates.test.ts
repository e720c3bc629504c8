import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, type Platform } from '../../server/test/whole/platform.ts'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const files = {
  'template.yaml': `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: { name: small, title: Small service, description: The smallest that answers., tags: [tiny] }
spec:
  type: service
  parameters:
    - title: What is it?
      required: [name]
      properties:
        name: { title: Name, type: string, pattern: '^[a-z][-a-z0-9]*$' }
    - title: How does it greet?
      properties:
        greeting: { title: Greeting, type: string, default: Hello }
  steps:
    - { id: fetch, name: Write the code, action: 'fetch:template', input: { url: ./skeleton, values: { greeting: '\${{ parameters.greeting }}' } } }
    - { id: publish, name: Make the repository, action: 'publish:pavior', input: { name: '\${{ parameters.name }}' } }
    - { id: deploy, name: Deploy it, action: 'pavior:deploy', input: { app: '\${{ steps.publish.output.app }}', commit: '\${{ steps.publish.output.commit }}' } }
`,
  'skeleton/package.json': '{ "private": true, "scripts": { "start": "node server.js" } }',
  'skeleton/server.js': `require('http').createServer((request, response) => response.end('\${{ values.greeting }}')).listen(process.env.PORT)\n`,
}

describe.skipIf(noBrowser)('create', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
  })

  test('from a template to an app that answers, with questions, files to look at and steps as they happen', async () => {
    const directory = await appDirectory('small', files)
    expect((await platform.cli(['template', 'publish', directory])).code).toBe(0)
    const { page, complaints } = await signedIn(platform)
    await page.goto(new URL('/create', platform.url).href)
    await page.getByRole('textbox', { name: 'Search templates' }).fill('tiny')
    await page.getByRole('link', { name: /Small service/ }).click()

    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('is needed').waitFor()
    await page.getByLabel(/^Name/).fill('tea')
    await page.keyboard.press('Enter')
    await page.getByLabel('Greeting').fill('Good morning')
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'server.js' }).click()
    await page.getByText('Good morning').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    await page.getByRole('button', { name: 'Create tea' }).click()
    await page.waitForURL(/\/runs\/default\/tea-/)
    await page.getByRole('link', { name: 'Open tea' }).waitFor({ timeout: 60_000 })
    expect(await page.getByRole('list', { name: 'Steps' }).getByText('Done').count()).toBe(3)
    // Without what the frame announces meanwhile.
    await page.reload()
    await page.getByRole('link', { name: 'Open tea' }).waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect((await platform.get('tea.localhost')).body).toBe('Good morning')

    // The name is taken now: said where it was written, and nothing else happens.
    await page.goto(new URL('/create/default/small', platform.url).href)
    await page.getByLabel(/^Name/).fill('tea')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('NAME_TAKEN').first().waitFor()

    await page.goto(new URL('/templates/default/small', platform.url).href)
    await page.getByText('Up to date').waitFor()
    expect(await seriousViolations(page)).toEqual([])

    // A new version is proposed as a branch.
    const next = await appDirectory('next', { ...files, 'template.yaml': files['template.yaml'].replace('tags: [tiny]', "tags: [tiny], annotations: { pavior.dev/version: 2.0.0 }"), 'skeleton/LICENSE': 'MIT\n' })
    expect((await platform.cli(['template', 'publish', next])).code).toBe(0)
    await page.reload()
    await page.getByRole('button', { name: 'Propose 2.0.0 to tea' }).click()
    await page.getByText('template-upgrade-2.0.0', { exact: true }).waitFor()
    await page.getByText('LICENSE').waitFor()
    expect(complaints).toEqual([])
  })
})
