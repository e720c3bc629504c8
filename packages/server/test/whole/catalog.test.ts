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
`

describe('the catalogue', () => {
  test('knows what runs, without anybody telling it', async () => {
    const directory = await appDirectory('stock', webApp('stock'))
    await platform.json(['deploy'], { directory })
    await until('the app is in the catalogue', async () => (await entity('component/default/stock')).entity?.spec.lifecycle === 'production')
    const { entity: found, relations } = await entity('component/default/stock')
    expect(found.metadata.links[0].url).toContain('stock.')
    expect(relations).toContainEqual({ type: 'ownedBy', target: 'group:default/default', declaredHere: true })
    expect((await entity('group/default/default')).relations).toEqual(expect.arrayContaining([{ type: 'ownerOf', target: 'component:default/stock', declaredHere: false }, { type: 'hasMember', target: 'user:default/admin', declaredHere: true }]))
  })

  test('takes what the repository declares, shows where that differs, and says what it refused', async () => {
    const directory = await appDirectory('shop', { ...webApp('shop'), 'catalog-info.yaml': catalogInfo })
    await platform.json(['deploy'], { directory })
    await until('the file is taken', async () => (await entity('component/default/shop')).origins?.includes('repository'))
    const shop = await entity('component/default/shop')
    expect(shop.entity).toMatchObject({ metadata: { description: 'Sells things.', annotations: { 'pavior.dev/app': 'default/shop' } }, spec: { owner: 'payments' } })
    expect(shop.drift).toEqual([{ field: 'spec.owner', declared: 'payments', observed: 'group:default/default' }])
    expect((await entity('api/default/shop-api')).relations).toContainEqual({ type: 'apiProvidedBy', target: 'component:default/shop', declaredHere: false })
    await until('the refusal is told', async () => (await platform.cli(['describe', 'app', 'shop'])).stdout.includes('not a name'))
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
    expect(imported.body).toMatchObject({ accepted: 2, changed: 2 })
    expect(imported.body.refused.map(({ document }: any) => document)).toEqual([3, 4])
    expect((await get('/v1/catalog/entities?q=wiki')).items.map(({ ref }: any) => ref)).toEqual(['component:default/wiki', 'api:default/wiki-api'])
    const { stdout: exported } = await platform.cli(['catalog', 'export'])
    const again = await platform.api('POST', '/v1/catalog/import?location=again&dryRun=All', { yaml: exported })
    expect(again.body).toMatchObject({ refused: [], changed: 0 })
    expect(again.body.accepted).toBeGreaterThanOrEqual(4)
    expect((await platform.api('DELETE', '/v1/catalog/import?location=backstage')).body.changed).toBe(2)
    expect((await get('/v1/catalog/entities?q=wiki')).items).toEqual([])
  })
})
