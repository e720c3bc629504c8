import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const script = '<img src=x onerror="document.title=`broken into`"><script>document.title="broken into"</script>'
const openapi = (field: string): string => `openapi: 3.1.0\ninfo: { title: Orders }\npaths: { /orders: { get: { responses: { 200: { content: { application/json: { schema: { type: object, properties: { ${field}: { type: string } } } } } } } } } }\n`
const files = (field: string): Record<string, string> => ({
  ...webApp('orders'),
  'README.md': `# Orders ${script}\n\n${script}\n\n[a link](javascript:document.title='broken into')\n`,
  'docs/runbook.md': '# When orders are late\n\nLook at the mailroom.\n',
  'openapi.yaml': openapi(field),
  'catalog-info.yaml': JSON.stringify({ apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'orders', title: `Orders ${script}`, description: `Keeps ${script} orders.`, tags: ['money'] }, spec: { type: 'service', lifecycle: 'production', owner: 'payments' } }),
})

describe.skipIf(noBrowser)('the catalogue', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await newPlatform()
    const parent = await mkdtemp(join(tmpdir(), 'pavior-app-'))
    for (const field of ['state', 'total']) {
      await writeFiles(join(parent, 'orders'), files(field))
      await platform.json(['deploy'], { directory: join(parent, 'orders') })
    }
    await until('the second definition is kept', async () => (await platform.api('GET', '/v1/teams/default/apps/orders/apis')).body.items.length === 2)
    await rm(parent, { recursive: true })
  })

  test('is searched by typing, shows an entity with its graph, and what is in its texts stays text', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/catalog`)
    await page.getByLabel('Search the catalogue').fill('orde')
    await page.getByRole('link', { name: /^Orders/ }).click()
    await page.getByRole('heading', { level: 1, name: /^Orders/ }).waitFor()
    await page.getByRole('table', { name: 'Differences' }).getByText('spec.owner').waitFor()
    await page.getByText('unknown group').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.title()).not.toContain('broken into')
    await page.getByRole('link', { name: 'Go to the app' }).click()
    await page.waitForURL((url) => url.pathname === '/apps/default/orders')
    expect(complaints).toEqual([])
  })

  test('shows documentation without running it, and what breaks the callers of an API', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/apps/default/orders/docs`)
    await page.getByText('a link').waitFor()
    expect(await page.evaluate(`document.querySelectorAll('article script, article [onerror], article a[href^=javascript]').length`)).toBe(0)
    await page.getByRole('link', { name: 'When orders are late' }).click()
    await page.getByText('Look at the mailroom.').waitFor()
    expect(new URL(page.url()).searchParams.get('page')).toBe('docs/runbook.md')
    await page.goto(`${platform.url}/apps/default/orders/apis`)
    await page.getByText('the answer 200.state is gone').waitFor()
    await page.getByText('breaks callers').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.title()).not.toContain('broken into')
    expect(complaints).toEqual([])
  })

  test('is found from anywhere, by what stands in its documentation', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.keyboard.press('Control+k')
    await page.getByRole('textbox', { name: 'Go to, find or do' }).fill('mailroom')
    await page.getByText('When orders are late').waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('Look at the mailroom.').waitFor()
    expect(complaints).toEqual([])
  })

  test.each([
    ['an app', 'orders', 'App in default', '/apps/default/orders'],
    ['a person', 'hopper', 'User · Grace Hopper', '/kinds/users/-/grace'],
  ])('%s is found from anywhere', async (_, typed, note, path) => {
    await platform.api('POST', '/apis/pavior.dev/v1/users', { metadata: { name: 'grace' }, spec: { displayName: 'Grace Hopper' } })
    const { page, complaints } = await signedIn(platform)
    await page.keyboard.press('/')
    await page.getByRole('textbox', { name: 'Go to, find or do' }).fill(typed)
    await page.getByRole('dialog').getByText(note, { exact: true }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === path)
    expect(complaints).toEqual([])
  })

  test('tells how ready an app is, and what to do next', async () => {
    const { page, complaints } = await signedIn(platform)
    await page.goto(`${platform.url}/scorecards`)
    await page.getByRole('link', { name: 'Production readiness' }).click()
    await page.getByRole('link', { name: 'orders' }).click()
    await page.waitForURL((url) => url.pathname === '/apps/default/orders/scorecard')
    await page.getByText('pavior scale web=2').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })
})
