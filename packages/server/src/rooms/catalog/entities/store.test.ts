import type { CatalogEntity as Entity } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testDatabase } from '../../../../test/kernel.ts'
import { entityRef } from './plan.ts'
import { listEntities, pageEntities, readEntity, readRelations, replaceLocation } from './store.ts'
import { readEntities } from './validate.ts'

function component(name: string, spec: Record<string, unknown> = {}, metadata: Partial<Entity['metadata']> = {}): Entity {
  return { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name, namespace: 'blue', ...metadata }, spec: { type: 'service', lifecycle: 'production', owner: 'group:default/blue', ...spec } }
}

const names = (rows: { name: string }[]): string[] => rows.map(({ name }) => name)

describe('the catalogue', () => {
  test('is what all origins come to, and loses what nobody says any more', async () => {
    const database = await testDatabase()
    await replaceLocation(database, 'derived', 'app:blue/shop', [component('shop')])
    await replaceLocation(database, 'repository', 'app:blue/shop', [component('shop', { owner: 'payments' }), component('shop-api', { dependsOn: ['component:shop'] })])
    expect((await readEntity(database, 'component:blue/shop'))!).toMatchObject({ origins: ['derived', 'repository'], entity: { spec: { owner: 'payments' } }, drift: [{ field: 'spec.owner' }] })
    expect(await readRelations(database, ['component:blue/shop'], 10)).toContainEqual({ source: 'component:blue/shop-api', type: 'dependsOn', target: 'component:blue/shop', origins: ['repository'] })

    expect(await replaceLocation(database, 'repository', 'app:blue/shop', [component('shop', { owner: 'payments' })])).toBe(1)
    expect(await readEntity(database, 'component:blue/shop-api')).toBeUndefined()
    expect(await replaceLocation(database, 'repository', 'app:blue/shop', [])).toBe(1)
    expect((await readEntity(database, 'component:blue/shop'))!).toMatchObject({ origins: ['derived'], entity: { spec: { owner: 'group:default/blue' } }, drift: [] })
    expect(await replaceLocation(database, 'derived', 'app:blue/shop', [component('shop')])).toBe(0)
    expect(await replaceLocation(database, 'derived', 'app:blue/shop', [])).toBe(1)
    expect((await database.query('select (select count(*)::int from catalog_entities) + (select count(*)::int from catalog_relations) + (select count(*)::int from catalog_layers) as left')).rows[0]).toEqual({ left: 0 })
  })

  test('two who speak of the same thing at once are both heard', async () => {
    const database = await testDatabase()
    await Promise.all(Array.from({ length: 8 }, (_, index) => replaceLocation(database, 'import', `file-${index}`, [component('shop', {}, { tags: [`t${index}`] })])))
    expect((await readEntity(database, 'component:blue/shop'))!.entity.metadata.tags!.toSorted()).toEqual(Array.from({ length: 8 }, (_, index) => `t${index}`))
  })

  test('is searched by the beginnings of words, the best first, and listed in pages', async () => {
    const database = await testDatabase()
    await replaceLocation(database, 'import', 'file', [
      component('checkout', {}, { description: 'Takes the money.' }),
      component('checkout-worker', { type: 'worker' }, { tags: ['money'] }),
      component('stock', {}, { description: 'Knows what checkout may sell.', title: 'Stock keeping' }),
    ])
    const ask = async (query: object): Promise<string[]> => names(await listEntities(database, { limit: 10, ...query }))
    expect(await ask({ q: 'check' })).toEqual(['checkout', 'checkout-worker', 'stock'])
    expect(await ask({ q: 'Checkout WORK' })).toEqual(['checkout-worker'])
    expect(await ask({ q: 'keeping' })).toEqual(['stock'])
    expect(await ask({ q: `check') & !'x` })).toEqual([])
    expect(await ask({ q: '!!! :* &' })).toEqual(['checkout', 'checkout-worker', 'stock'])
    expect(await ask({ type: 'worker' })).toEqual(['checkout-worker'])
    expect(await ask({ tag: 'money', owner: 'group:default/blue' })).toEqual(['checkout-worker'])
    const [first] = await listEntities(database, { limit: 1 })
    expect(await ask({ after: { name: first!.name, ref: first!.ref } })).toEqual(['checkout-worker', 'stock'])
  })

  test('what goes out comes in again as it was', async () => {
    const [one, other] = [await testDatabase(), await testDatabase()]
    await replaceLocation(one, 'import', 'file', [component('a', { dependsOn: ['component:b'] }, { tags: ['x'], links: [{ url: 'https://example.com', title: 'T' }], annotations: { 'example.com/a': '1' } }), component('b')])
    const exported = await pageEntities(one, '', 100)
    const { accepted, refused } = await readEntities(exported.map(({ entity }) => JSON.stringify(entity)).join('\n---\n'))
    expect(refused).toEqual([])
    await replaceLocation(other, 'import', 'file', accepted)
    expect(await pageEntities(other, '', 100)).toEqual(exported)
  })
})

describe('a catalogue file', () => {
  const good = JSON.stringify(component('good'))

  test.each([
    ['no YAML', 'a: [', /Flow sequence/],
    ['a key twice', 'kind: Component\nkind: API', /unique/],
    ['another kind', JSON.stringify({ ...component('x'), kind: 'Secret' }), /not one of/],
    ['an unknown field beside metadata', JSON.stringify({ ...component('x'), owner: 'me' }), /owner/],
    ['a name that is none', JSON.stringify(component('../../etc')), /metadata\.name/],
    ['a missing owner', JSON.stringify(component('x', { owner: undefined })), /owner/],
    ['a list', '[1, 2]', /object/],
    ['metadata that is a text', JSON.stringify({ ...component('x'), metadata: 'x' }), /metadata/],
    ['an entity that grows by its aliases', `kind: Component\nmetadata: &a [${'x,'.repeat(100)}]\nb: &b [${'*a,'.repeat(60)}]\nc: &c [${'*b,'.repeat(60)}]`, /alias/i],
    ['a definition without end', JSON.stringify(component('x', {}, { description: 'x'.repeat(1024 * 1024) })), /larger/],
  ])('with %s is refused by document, and the others are taken', async (_, bad, reason) => {
    const { accepted, refused } = await readEntities(`${good}\n---\n${bad}\n---\n${good.replace('good', 'other')}`)
    expect(refused).toHaveLength(1)
    expect(refused[0]!.document).toBe(2)
    expect(refused[0]!.reason).toMatch(reason)
    expect(accepted.map(entityRef)).toEqual(['component:blue/good', 'component:blue/other'])
  })

  test('does no harm, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.object().map((value) => JSON.stringify({ kind: 'Component', metadata: value, spec: value }))), async (text) => {
        const { accepted, refused } = await readEntities(text)
        expect(accepted.length + refused.length).toBeLessThan(1000)
        expect(({} as Record<string, unknown>).polluted).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })
})
