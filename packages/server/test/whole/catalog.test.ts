import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { appDirectory, newPlatform, until, webApp, type Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await newPlatform()
})

const get = async (path: string) => (await platform.api('GET', path)).body
const entity = (ref: string) => get(`/v1/catalog/entities/${ref}`)

const catalogInfo = `
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: shop
  description: Sells things.
  tags: [money]
spec:
  type: service
  lifecycle: production
  owner: payments
  providesApis: [shop-api]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: shop-api
spec:
  type: openapi
  lifecycle: production
  owner: payments
  definition: "openapi: 3.1.0"
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: not a name
spec:
  type: service
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: stock
  namespace: green
spec: { type: service, lifecycle: production, owner: thieves }
`

describe('the catalogue', () => {
  test('knows what runs, without anybody telling it', async () => {
    const directory = await appDirectory('stock', webApp('stock'))
    await platform.json(['deploy'], { directory })
    await until('the app is in the catalogue', async () => (await entity('component/default/stock')).entity?.spec.lifecycle === 'production')
    const { entity: found, relations } = await entity('component/default/stock')
    expect(found.metadata.links[0].url).toContain('stock.')
    expect(relations).toContainEqual({ type: 'ownedBy', target: 'group:default/default', declaredHere: true, origins: ['derived'] })
    expect((await entity('group/default/default')).relations).toEqual(expect.arrayContaining([{ type: 'ownerOf', target: 'component:default/stock', declaredHere: false, origins: ['derived'] }, { type: 'hasMember', target: 'user:default/admin', declaredHere: true, origins: ['derived'] }]))
  })

  test('takes what the repository declares, shows where that differs, and says what it refused', async () => {
    const directory = await appDirectory('shop', { ...webApp('shop'), 'catalog-info.yaml': catalogInfo })
    await platform.json(['deploy'], { directory })
    await until('the file is taken', async () => (await entity('component/default/shop')).origins?.includes('repository'))
    const shop = await entity('component/default/shop')
    expect(shop.entity).toMatchObject({ metadata: { description: 'Sells things.', annotations: { 'pavior.dev/app': 'default/shop' } }, spec: { owner: 'payments' } })
    expect(shop.drift).toEqual([{ field: 'spec.owner', declared: 'payments', observed: 'group:default/default' }])
    expect((await entity('api/default/shop-api')).relations).toContainEqual({ type: 'apiProvidedBy', target: 'component:default/shop', declaredHere: false, origins: ['repository'] })
    await until('the refusals are told', async () => /not a name.*component:green\/stock belongs to another team/.test((await platform.cli(['describe', 'app', 'shop'])).stdout))
    expect((await platform.api('GET', '/v1/catalog/entities/component/green/stock')).status).toBe(404)
  })

  test('sees which app names which other in its configuration, and forgets what is destroyed', async () => {
    const { url } = await platform.json<{ url: string }>(['get', 'app', 'stock']).then((app: any) => app.status.environments.production)
    await platform.json(['config', 'set', `STOCK_URL=${url}/v1?key=s3cr3t`, '--app', 'shop'])
    await until('the dependency is seen', async () => ((await entity('component/default/shop')).relations ?? []).some((one: any) => one.type === 'dependsOn' && one.target === 'component:default/stock'))
    expect(JSON.stringify(await entity('component/default/shop'))).not.toContain('s3cr3t')
    const graph = await get('/v1/catalog/entities/component/default/stock/graph?depth=2')
    expect(graph.nodes.map((node: any) => node.ref)).toEqual(expect.arrayContaining(['component:default/stock', 'component:default/shop', 'api:default/shop-api', 'group:default/default']))
    expect(graph.missing).toEqual(['group:default/payments'])

    await platform.json(['destroy', 'shop', '--confirm', 'shop'])
    await until('the app is gone', async () => (await platform.api('GET', '/v1/catalog/entities/component/default/shop')).status === 404)
    expect((await platform.api('GET', '/v1/catalog/entities/api/default/shop-api')).status).toBe(404)
  })

  test('takes in another catalogue and gives it out again', async () => {
    const yaml = `${catalogInfo.replaceAll('shop', 'wiki')}\n---\nkind: [`
    expect((await platform.cli(['catalog', 'list', 'sto'])).stdout).toMatch(/component:default\/stock +service +group:default\/default/)
    expect((await platform.cli(['catalog', 'show', 'stock'])).stdout).toMatch(/ownedBy +group:default\/default/)
    const imported = await platform.api('POST', '/v1/catalog/import?location=backstage', { yaml })
    expect(imported.body).toMatchObject({ accepted: 3, changed: 3 })
    expect(imported.body.refused.map(({ document }: any) => document)).toEqual([3, 5])
    expect((await get('/v1/catalog/entities?q=wiki')).items.map(({ ref }: any) => ref)).toEqual(['component:default/wiki', 'api:default/wiki-api'])
    const { stdout: exported } = await platform.cli(['catalog', 'export'])
    const again = await platform.api('POST', '/v1/catalog/import?location=again&dryRun=All', { yaml: exported })
    expect(again.body).toMatchObject({ refused: [], changed: 0 })
    expect(again.body.accepted).toBeGreaterThanOrEqual(4)
    expect((await platform.api('DELETE', '/v1/catalog/import?location=backstage')).body.changed).toBe(3)
    expect((await get('/v1/catalog/entities?q=wiki')).items).toEqual([])
  })
})

const openapi = (order: string): string => `openapi: 3.1.0
info: { title: Orders }
paths:
  /orders:
    get:
      responses:
        200:
          content:
            application/json:
              schema: { type: object, properties: { ${order} } }
`

describe('documentation, APIs and scorecards', () => {
  const files = {
    ...webApp('orders'),
    'README.md': '# Orders\n\nKeeps orders.',
    'docs/runbook.md': '# When orders are late\n\nLook at the mailroom.',
    'openapi.yaml': openapi('id: { type: string }, state: { type: string }'),
    'pavior.yaml': 'description: Keeps orders of customers.\nprocesses:\n  web:\n    health:\n      path: /healthz\n',
  }
  const results = async () => (await get('/v1/teams/default/apps/orders/scorecards')).items[0]

  test('come with the source of what serves', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('orders', files) })
    await until('the pages are taken', async () => (await get('/v1/teams/default/apps/orders/docs')).items?.length === 2)
    expect((await get('/v1/teams/default/apps/orders/docs')).items.map(({ path, title }: any) => [path, title])).toEqual([['README.md', 'Orders'], ['docs/runbook.md', 'When orders are late']])
    expect((await get('/v1/teams/default/apps/orders/docs/docs/runbook.md')).markdown).toContain('mailroom')
    expect((await platform.api('GET', '/v1/teams/default/apps/orders/docs/..%2f..%2fetc%2fpasswd')).status).toBe(404)
    const found = await get('/v1/search?q=mailr')
    expect(found.docs).toMatchObject([{ app: 'orders', path: 'docs/runbook.md' }])
    expect((await get('/v1/search?q=order')).entities.map(({ ref }: any) => ref)).toContain('component:default/orders')
  })

  test('an API that breaks its callers is told from one that only grows', async () => {
    await platform.json(['deploy'], { directory: await appDirectory('orders', { ...files, 'openapi.yaml': openapi('id: { type: string }, total: { type: number }') }) })
    await until('the new definition is kept', async () => (await get('/v1/teams/default/apps/orders/apis')).items.length === 2)
    expect(await get('/v1/teams/default/apps/orders/apis/diff?path=openapi.yaml')).toEqual({
      from: 1,
      to: 2,
      breaking: true,
      changes: [
        { breaking: true, where: 'GET /orders', what: 'the answer 200.state is gone' },
        { breaking: false, where: 'GET /orders', what: 'the answer 200.total is new' },
      ],
    })
  })

  test('a scorecard says what is missing, and follows what is done about it', async () => {
    await until('it is judged', async () => (await results())?.level === 'bronze')
    const outcome = async (rule: string) => (await results()).rules.find((one: any) => one.rule === rule)
    expect(await outcome('two-instances')).toMatchObject({ outcome: 'broken', fix: 'pavior scale web=2' })
    await platform.json(['scale', 'web=2', '--app', 'orders'])
    await until('it sees the second instance', async () => (await outcome('two-instances')).outcome === 'kept')
    const shown = await platform.cli(['scorecard', 'orders'])
    expect(shown.stdout).toMatch(/production-readiness +bronze/)
    expect(shown.stdout).toContain('Is deployed from git')

    const exemption = { metadata: { name: 'orders-uploads' }, spec: { scorecard: 'production-readiness', rule: 'from-git', app: 'orders', owner: 'admin', reason: 'It is made by a generator.', expiresAt: new Date(Date.now() + 86_400_000).toISOString() } }
    expect((await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/scorecardexemptions', exemption)).status).toBe(201)
    await until('it is exempt', async () => (await outcome('from-git')).outcome === 'exempt')
    const late = { ...exemption, metadata: { name: 'late' }, spec: { ...exemption.spec, expiresAt: '2099-01-01T00:00:00Z' } }
    expect((await platform.api('POST', '/apis/pavior.dev/v1/namespaces/default/scorecardexemptions', late)).status).toBe(422)
    const card = { metadata: { name: 'wrong' }, spec: { title: 'Wrong', rules: [{ name: 'a', title: 'A', expression: 'app.name ==' }] } }
    expect((await platform.api('POST', '/apis/pavior.dev/v1/scorecards', card)).body.details.causes[0].field).toBe('spec.rules[0].expression')
    const mine = { metadata: { name: 'mine' }, spec: { title: 'Mine', rules: [{ name: 'named', title: 'Has a name', expression: 'size(app.name) > 3' }] } }
    expect((await platform.api('POST', '/apis/pavior.dev/v1/scorecards', mine)).status).toBe(201)
    await until('every app is judged by it', async () => (await get('/v1/scorecards/mine/results')).items.some(({ app, level }: any) => app === 'orders' && level === 'ready'))
    expect((await get('/v1/scorecards/mine/trend')).items).toHaveLength(1)
  })

  test('pages know the commit that touched them last, and where they are edited', async () => {
    const directory = await appDirectory('ledger', { ...webApp('ledger'), 'README.md': '# Ledger', 'docs/old.md': '# Old words' })
    const git = (...args: string[]) => promisify(execFile)('git', ['-c', 'user.email=ada@example.com', '-c', 'user.name=Ada', ...args], { cwd: directory, env: { ...platform.environment, GIT_CONFIG_NOSYSTEM: '1' } })
    await git('init', '-q', '-b', 'main')
    await git('add', '-A')
    await git('commit', '-qm', 'first', '--date=2020-02-03T04:05:06Z')
    await writeFile(join(directory, 'README.md'), '# Ledger\n\nKeeps accounts.')
    await git('commit', '-qam', 'second', '--author=Grace <grace@example.com>', '--date=2024-05-06T07:08:09Z')
    expect((await platform.cli(['init'], { directory })).code).toBe(0)
    await git('push', '-q', 'pavior', 'main')
    const pages = async (): Promise<any[]> => (await get('/v1/teams/default/apps/ledger/docs')).items
    await until('the history is read', async () => {
      const known = await pages()
      return known.length === 2 && known.every(({ commit }: any) => commit !== null)
    })
    expect((await pages()).map(({ path, author, changedAt }: any) => [path, author, changedAt])).toEqual([['README.md', 'Grace', '2024-05-06T07:08:09.000Z'], ['docs/old.md', 'Ada', '2020-02-03T04:05:06.000Z']])
    const { edit } = await get('/v1/teams/default/apps/ledger/docs/docs/old.md')
    expect(edit.commands).toEqual([expect.stringMatching(/^git clone http.*\/git\/default\/ledger\.git && cd ledger$/), '$EDITOR docs/old.md', 'git commit --all && git push'])
    await until('the scorecard goes by it', async () => Number(JSON.parse((await platform.cli(['scorecard', 'ledger', '--facts', '--json'])).stdout).docs?.daysOld) > 365)

    // Its source lies elsewhere, says the catalogue file.
    const elsewhere = { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'ledger', annotations: { 'backstage.io/source-location': 'url:https://github.com/blue/ledger/tree/main/' } }, spec: { type: 'service', lifecycle: 'production', owner: 'default' } }
    await writeFile(join(directory, 'catalog-info.yaml'), JSON.stringify(elsewhere))
    await git('add', '-A')
    await git('commit', '-qm', 'third')
    await git('push', '-q', 'pavior', 'main')
    await until('the address is known', async () => (await get('/v1/teams/default/apps/ledger/docs/docs/old.md')).edit?.url !== undefined)
    expect((await get('/v1/teams/default/apps/ledger/docs/docs/old.md')).edit).toEqual({ url: 'https://github.com/blue/ledger/edit/main/docs/old.md' })
    // An upload has no history: the release stands for it.
    expect((await get('/v1/teams/default/apps/orders/docs/README.md'))).toMatchObject({ commit: null, author: null })
  })
})
