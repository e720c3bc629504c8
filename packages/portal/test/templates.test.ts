import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, type Platform } from '../../server/test/whole/platform.ts'
import { join } from 'node:path'
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

const asking = {
  'template.yaml': `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: { name: asking, title: Many questions }
spec:
  type: service
  parameters:
    - title: About it
      required: [name, owner]
      properties:
        name: { title: Name, type: string, pattern: '^[a-z][-a-z0-9]*$', 'ui:autofocus': true, 'ui:help': Part of the address. }
        owner: { title: Owner, type: string, 'ui:field': OwnerPicker }
        uses: { title: Uses, type: string, 'ui:field': EntityPicker, 'ui:options': { catalogFilter: { kind: Component }, allowArbitraryValues: false } }
        group: { title: My group, type: string, 'ui:field': MyGroupsPicker }
        tags: { title: Tags, type: array, items: { type: string }, 'ui:field': EntityTagsPicker }
        odd: { title: Odd, type: string, 'ui:field': StarChart }
        mode: { title: Mode, type: string, enum: [a, b], 'ui:enumNames': [Alpha, Beta], 'ui:widget': radio, default: a }
        fixed: { title: Fixed, type: string, default: always, 'ui:readonly': true }
        notes: { title: Notes, type: string, 'ui:widget': textarea, 'ui:options': { rows: 5 }, 'ui:placeholder': Anything }
    - title: Where
      properties:
        database: { title: Database, type: boolean, default: false }
        repoUrl: { title: Repository, type: string, 'ui:field': RepoUrlPicker, 'ui:options': { allowedHosts: [github.com, dev.azure.com] } }
        token: { title: Token, type: string, 'ui:field': Secret }
      dependencies:
        database:
          oneOf:
            - properties: { database: { const: false } }
            - properties: { database: { const: true }, size: { title: Disk, type: integer, default: 5 }, engine: { title: Engine, type: string } }
              required: [engine]
      if: { properties: { mode: { const: b } }, required: [mode] }
      then: { properties: { reason: { title: Reason for beta, type: string, default: curious } } }
  steps:
    - { id: fetch, name: Write the code, action: 'fetch:template', input: { url: ./skeleton, values: { all: '\${{ parameters | dump }}' } } }
`,
  'skeleton/answers.json': '${{ values.all }}\n',
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

  test('questions come up with the answers that they depend on, and take out of the catalogue', async () => {
    const directory = await appDirectory('asking', { ...asking, 'catalog.yaml': JSON.stringify({ apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'kettle' }, spec: { type: 'service', lifecycle: 'production', owner: 'default' } }) })
    expect(await platform.cli(['catalog', 'import', '-f', join(directory, 'catalog.yaml')])).toMatchObject({ code: 0 })
    expect(await platform.cli(['template', 'publish', directory])).toMatchObject({ code: 0 })
    const { page, complaints } = await signedIn(platform)
    await page.goto(new URL('/create/default/asking', platform.url).href)
    await page.getByLabel(/^Name/).fill('many')
    // Found while typing.
    await page.getByRole('combobox', { name: /^Owner/ }).fill('defau')
    await page.getByRole('option', { name: 'default · group' }).click()
    await expect.poll(() => page.getByRole('combobox', { name: /^Owner/ }).inputValue()).toBe('group:default/default')
    await page.getByRole('combobox', { name: 'Uses' }).or(page.getByRole('textbox', { name: 'Uses' })).first().click()
    await page.getByRole('option', { name: /kettle · component/ }).click()
    await page.getByText('A field "StarChart" is not known here').waitFor()
    await page.getByRole('combobox', { name: 'Tags' }).fill('Money')
    await page.keyboard.press('Enter')
    expect(await page.getByLabel('Fixed').getAttribute('readonly')).not.toBeNull()
    expect(await page.getByRole('textbox', { name: 'Notes' }).getAttribute('placeholder')).toBe('Anything')
    await page.getByRole('radio', { name: 'Beta' }).check()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Next' }).click()

    // The other page's answer brings this one up.
    expect(await page.getByLabel('Reason for beta').inputValue()).toBe('curious')
    await page.getByLabel('Disk').waitFor({ state: 'detached' })
    await page.getByLabel('Database').check()
    expect(await page.getByLabel('Disk').inputValue()).toBe('5')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('is needed').waitFor()
    await page.getByLabel(/^Engine/).fill('fast')
    await page.getByLabel('Database').uncheck()
    await page.getByLabel(/^Engine/).waitFor({ state: 'detached' })
    await page.getByLabel('Host').selectOption('dev.azure.com')
    for (const [label, text] of [['Organization', 'o'], ['Project', 'p']] as const) await page.getByLabel(label).fill(text)
    await page.getByText('Still missing: repo.').waitFor()
    await page.getByRole('textbox', { name: 'Repository' }).fill('r')
    await page.getByLabel('Token').first().fill('very hidden')
    expect(await seriousViolations(page)).toEqual([])

    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByRole('button', { name: 'answers.json' }).click()
    const shown = page.getByText('"repoUrl"')
    await shown.waitFor()
    const text = (await page.locator('body').textContent())!
    for (const part of ['dev.azure.com?organization=o', 'project=p', 'group:default/default', 'component:default/kettle', 'money', 'curious']) expect(text).toContain(part)
    for (const part of ['very hidden', '"engine"', '"size"']) expect(text).not.toContain(part)

    // The run keeps the answers, and no secret.
    await page.getByRole('button', { name: /^Create/ }).click()
    await page.waitForURL(/\/runs\/default\//)
    const { body } = await platform.api('GET', '/apis/pavior.dev/v1/namespaces/default/templateruns')
    const run = body.items.find((one: { spec: { template: string } }) => one.spec.template === 'asking')
    expect(run.spec.answers).toMatchObject({ mode: 'b', reason: 'curious', owner: 'group:default/default' })
    expect(JSON.stringify(run)).not.toContain('very hidden')
    expect(run.spec.answers).not.toHaveProperty('token')
    expect(complaints).toEqual([])
  })
})
