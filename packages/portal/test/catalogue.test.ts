import { beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from '../../server/test/whole/platform.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seriousViolations } from './axe.ts'
import { noBrowser, signedIn } from './browser.ts'

const script = '<img src=x onerror="document.title=`broken into`"><script>document.title="broken into"</script>'
const openapi = (field: string): string => `openapi: 3.1.0\ninfo: { title: Orders }\nservers: [{ url: 'https://orders.example.com' }]\npaths: { /orders: { get: { summary: All of them, parameters: [{ name: since, in: query, schema: { type: string, format: date } }], responses: { 200: { content: { application/json: { schema: { type: object, properties: { ${field}: { type: string } } } } } } } } } }\n`
const pictures = `# Pictures

\`\`\`mermaid
flowchart LR
  accTitle: How an order goes
  A[Shop & cart] -->|asks| B(Orders) --> C{Paid?}
\`\`\`

\`\`\`mermaid
sequenceDiagram
  Shop->>Orders: place
  Orders-->>Shop: number
\`\`\`

\`\`\`mermaid
flowchart LR
  A --> --> B
\`\`\`

\`\`\`mermaid
%%{init: {"securityLevel": "loose", "htmlLabels": true, "flowchart": {"htmlLabels": true}, "themeCSS": "} body { display: none !important } .x {"}}%%
flowchart LR
  A["${script.replaceAll('"', "'")}"] --> B[hostile]
  click A href "javascript:document.title='broken into'"
  click B call alert()
\`\`\`

\`\`\`mermaid
flowchart LR
  A["<style>body{display:none!important}</style><svg onload='document.title=1'>"] --> B
\`\`\`
`
const asyncapi = (field: string): string =>
  `asyncapi: 3.0.0\ninfo: { title: Mail, description: "${script.replaceAll('"', "'")}" }\nchannels: { placed: { address: orders.placed, messages: { Placed: { payload: { type: object, properties: { ${field}: { type: string } } } } } } }\noperations: { tell: { action: send, channel: { $ref: '#/channels/placed' } } }\n`
const files = (field: string): Record<string, string> => ({
  ...webApp('orders'),
  'README.md': `# Orders ${script}\n\n${script}\n\n[a link](javascript:document.title='broken into')\n`,
  'docs/runbook.md': '# When orders are late\n\nLook at the mailroom.\n',
  'docs/pictures.md': pictures,
  'openapi.yaml': openapi(field),
  'asyncapi.yaml': asyncapi(field),
  'schema.graphql': `type Query { """Who ordered ${script}""" order(id: ID!): Order } type Order { id: ID! ${field}: String next: Order }`,
  'old/swagger.json': '{ "swagger": "2.0", "info": ',
  'catalog-info.yaml': JSON.stringify({ apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'orders', title: `Orders ${script}`, description: `Keeps ${script} orders.`, tags: ['money'], annotations: { 'backstage.io/source-location': 'url:https://github.com/blue/orders/tree/main/' } }, spec: { type: 'service', lifecycle: 'production', owner: 'payments' } }),
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
    await until('the second definition is kept', async () => (await platform.api('GET', '/v1/teams/default/apps/orders/apis')).body.items.length === 7)
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
    await page.getByText('which brought it').waitFor()
    expect(await page.getByRole('link', { name: 'Edit this page' }).getAttribute('href')).toBe('https://github.com/blue/orders/edit/main/README.md')
    expect(await page.evaluate(`document.querySelectorAll('article script, article [onerror], article a[href^=javascript]').length`)).toBe(0)
    await page.getByRole('link', { name: 'When orders are late' }).click()
    await page.getByText('Look at the mailroom.').waitFor()
    expect(new URL(page.url()).searchParams.get('page')).toBe('docs/runbook.md')
    await page.goto(`${platform.url}/apps/default/orders/apis?api=openapi.yaml`)
    await page.getByText('the answer 200.state is gone').waitFor()
    await page.getByText('breaks callers').first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.title()).not.toContain('broken into')
    expect(complaints).toEqual([])
  })

  test.each(['light', 'dark'] as const)('draws diagrams as images that can do nothing, %s', async (scheme) => {
    const { page, complaints } = await signedIn(platform, 'admin', { scheme })
    await page.goto(`${platform.url}/apps/default/orders/docs?page=docs/pictures.md`)
    const drawn = page.getByRole('img', { name: 'How an order goes' })
    await drawn.waitFor()
    await page.getByRole('img', { name: /sequenceDiagram/ }).waitFor()
    await page.getByText(/This diagram cannot be drawn: .*line 2/).first().waitFor()
    await page.getByText('A --> --> B').last().waitFor()
    // Drawn at its size, with its texts in it.
    const src = decodeURIComponent((await drawn.getAttribute('src'))!)
    const [width, height] = (await page.evaluate(`(() => { const image = document.querySelector('img[alt="How an order goes"]'); return [image.naturalWidth, image.naturalHeight] })()`)) as [number, number]
    expect(width).toBeGreaterThan(200)
    expect(height).toBeGreaterThan(40)
    for (const text of ['Shop', 'Orders', 'Paid?']) expect(src).toContain(text)
    expect(src).not.toContain('foreignObject')
    // What is hostile is drawn too, or told; it does nothing either way.
    await expect.poll(async () => (await page.locator('article figure').count()) + (await page.getByText('This diagram cannot be drawn').count())).toBe(5)
    expect(await page.evaluate("document.querySelectorAll('article svg:not(.tabler-icon), article script, article [onerror], article [onload], article a[href^=javascript], body > [id^=ddiagram]').length")).toBe(0)
    expect(await page.title()).not.toContain('broken into')
    expect(await page.getByRole('heading', { name: 'Pictures' }).isVisible()).toBe(true)
    expect(await seriousViolations(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  test('draws each format of API, with an address for every operation', async () => {
    const { page, complaints } = await signedIn(platform)
    const apis = `${platform.url}/apps/default/orders/apis`
    await page.goto(`${apis}?api=openapi.yaml`)
    await page.getByText('https://orders.example.com').waitFor()
    await page.getByRole('button', { name: /GET \/orders All of them/ }).click()
    await page.getByText('string (date)').waitFor()
    await page.getByText('application/json').waitFor()
    expect(new URL(page.url()).searchParams.get('operation')).toBe('get-orders')
    await page.reload()
    await page.getByText('string (date)').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Show the text' }).click()
    await page.getByRole('region', { name: 'Definition' }).getByText('openapi: 3.1.0').waitFor()

    await page.goto(`${apis}?api=asyncapi.yaml&operation=sends-orders-placed`)
    await page.getByRole('heading', { name: 'Message Placed' }).waitFor()
    await page.getByText('the message Placed.state is gone').waitFor()
    await page.goto(`${apis}?api=schema.graphql&operation=query-order&schema=Order`)
    await page.getByText('Order.state was removed', { exact: false }).waitFor()
    await page.getByRole('button', { name: 'Open Order' }).first().click()
    expect(await seriousViolations(page)).toEqual([])
    expect(await page.title()).not.toContain('broken into')

    await page.goto(`${apis}?api=old/swagger.json`)
    await page.getByText('API_DEFINITION_INVALID', { exact: true }).waitFor()
    await page.getByRole('region', { name: 'Definition' }).getByText('"swagger": "2.0"').waitFor()
    expect(await seriousViolations(page)).toEqual([])
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
