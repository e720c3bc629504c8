import type { AppSpec, AppStatus, CatalogEntity as Entity, Resource } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callerOf, componentOf, entityRef, groupOf, inverse, mergeLayers, refOf, relationsOf, usesOf } from './plan.ts'
import type { Layer } from './types.ts'

const metadata = (name: string, namespace?: string) => ({ name, ...(namespace ? { namespace } : {}), uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' })

function app(spec: AppSpec, environments: AppStatus['environments'] = {}): Resource<AppSpec, AppStatus> {
  return { apiVersion: 'pavior.dev/v1', kind: 'App', metadata: metadata('shop', 'blue'), spec, status: { environments } }
}

function component(spec: Record<string, unknown>, more: Partial<Entity['metadata']> = {}): Entity {
  return { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'shop', namespace: 'blue', ...more }, spec }
}

describe('what is derived', () => {
  test.each<[string, AppSpec, string]>([
    ['a web process', { processes: { web: { command: 'node .' }, mailer: { command: 'node mail.js' } } }, 'service'],
    ['workers only', { processes: { mailer: { command: 'node mail.js' } } }, 'worker'],
    ['files', { build: { builder: 'static' } }, 'website'],
    ['nothing declared', {}, 'service'],
  ])('an app with %s', (_, spec, type) => {
    expect(componentOf({ app: app(spec), tiers: {}, uses: [] }).spec!.type).toBe(type)
  })

  test('an app in production is in production, with a link for each environment', () => {
    const facts = { app: app({ description: 'Sells.' }, { live: { url: 'http://shop.localhost', release: 3 }, try: { url: 'http://try.localhost' } }), tiers: { live: 'production' }, uses: [] }
    expect(componentOf(facts)).toMatchObject({
      metadata: { name: 'shop', namespace: 'blue', description: 'Sells.', annotations: { 'pavior.dev/app': 'blue/shop', 'pavior.dev/release-live': 'v3' }, links: [{ url: 'http://shop.localhost', title: 'live' }, { url: 'http://try.localhost', title: 'try' }] },
      spec: { lifecycle: 'production', owner: 'group:default/blue' },
    })
  })

  test('configuration that names the host of another app is a dependency; its value is told nowhere', () => {
    const hosts = new Map([['stock.green.localhost', { team: 'green', app: 'stock' }], ['shop.blue.localhost', { team: 'blue', app: 'shop' }]])
    const env = { STOCK_URL: 'http://user:secret@stock.green.localhost:8080/v1', OWN_URL: 'http://shop.blue.localhost', OTHER: 'x-stock.green.localhost stock.green.localhost.evil stock' }
    const uses = usesOf(env, hosts, { team: 'blue', app: 'shop' })
    expect(uses).toEqual([{ team: 'green', app: 'stock', variable: 'STOCK_URL' }])
    const entity = componentOf({ app: app({}), tiers: {}, uses })
    expect(entity.spec!.dependsOn).toEqual(['component:green/stock'])
    expect(JSON.stringify(entity)).not.toContain('secret')
  })
})

describe('layers', () => {
  const derived: Layer = { origin: 'derived', location: 'app:blue/shop', entity: component({ type: 'service', lifecycle: 'production', owner: 'group:default/blue', dependsOn: ['component:green/stock'] }, { annotations: { 'pavior.dev/app': 'blue/shop' }, links: [{ url: 'http://a' }] }) }

  test('what is declared wins, what is observed stays, and the difference is drift', () => {
    const declared: Layer = { origin: 'repository', location: 'app:blue/shop', entity: component({ type: 'service', lifecycle: 'production', owner: 'payments' }, { description: 'Takes money.', annotations: { 'pavior.dev/app': 'green/else', team: 'x' }, links: [{ url: 'http://b' }] }) }
    const { entity, drift, origins, relations } = mergeLayers('component:blue/shop', [declared, derived])
    expect(origins).toEqual(['derived', 'repository'])
    expect(entity.metadata).toMatchObject({ description: 'Takes money.', annotations: { 'pavior.dev/app': 'blue/shop', team: 'x' }, links: [{ url: 'http://a' }, { url: 'http://b' }] })
    expect(entity.spec).toMatchObject({ owner: 'payments', dependsOn: ['component:green/stock'] })
    expect(drift).toEqual([
      { field: 'spec.owner', declared: 'payments', observed: 'group:default/blue' },
      { field: 'spec.dependsOn', declared: [], observed: ['component:green/stock'] },
    ])
    expect(relations).toEqual([{ type: 'ownedBy', target: 'group:default/payments', origins: ['repository'] }, { type: 'dependsOn', target: 'component:green/stock', origins: ['derived'] }])
  })

  test('what requests show is a dependency of its own origin; undeclared it is drift, and it makes no app', () => {
    const traffic: Layer = { origin: 'traffic', location: 'app:blue/shop', entity: callerOf({ name: 'shop', namespace: 'blue' }, [{ team: 'green', app: 'stock' }, { team: 'blue', app: 'mail' }])[0]! }
    const declared: Layer = { origin: 'repository', location: 'app:blue/shop', entity: component({ owner: 'blue', dependsOn: ['component:green/stock', 'component:wiki'] }) }
    const { drift, relations, origins, entity } = mergeLayers('component:blue/shop', [traffic, declared, derived])
    expect(origins).toEqual(['derived', 'traffic', 'repository'])
    expect(entity.metadata.links).toEqual([{ url: 'http://a' }])
    expect(drift).toEqual([{ field: 'spec.dependsOn', declared: ['component:green/stock', 'component:wiki'], observed: ['component:blue/mail'] }])
    expect(relations.filter(({ type }) => type === 'dependsOn')).toEqual([
      { type: 'dependsOn', target: 'component:green/stock', origins: ['derived', 'traffic', 'repository'] },
      { type: 'dependsOn', target: 'component:blue/mail', origins: ['traffic'] },
      { type: 'dependsOn', target: 'component:blue/wiki', origins: ['repository'] },
    ])
    expect(mergeLayers('component:blue/shop', [traffic, declared]).drift).toEqual([])
    expect(callerOf({ name: 'shop' }, [])).toEqual([])
  })

  test('without a declaration there is no drift, and the same owner in other words is none', () => {
    expect(mergeLayers('component:blue/shop', [derived]).drift).toEqual([])
    const same: Layer = { origin: 'import', location: 'file', entity: component({ owner: 'blue', dependsOn: ['Component:green/stock'] }) }
    expect(mergeLayers('component:blue/shop', [derived, same]).drift).toEqual([])
  })

  test('no file makes somebody a member of a team', () => {
    const team = groupOf({ apiVersion: 'pavior.dev/v1', kind: 'Team', metadata: metadata('blue'), spec: { members: [{ user: 'ada', role: 'admin' }] } })
    const claim: Entity = { apiVersion: 'backstage.io/v1alpha1', kind: 'Group', metadata: { name: 'blue', namespace: 'default', description: 'Ours.' }, spec: { type: 'team', children: [], members: ['eve'] } }
    const { entity } = mergeLayers('group:default/blue', [{ origin: 'derived', location: 'team:blue', entity: team }, { origin: 'repository', location: 'app:green/x', entity: claim }])
    expect(entity.spec!.members).toEqual(['ada'])
    expect(entity.metadata.description).toBe('Ours.')
  })

  test('the order in which they came does not matter', () => {
    const origin = fc.constantFrom<Layer['origin']>('derived', 'traffic', 'repository', 'import')
    const layer = fc.record({ origin, location: fc.constantFrom('a', 'b', 'c'), entity: fc.record({ owner: fc.constantFrom('x', 'y'), tags: fc.uniqueArray(fc.constantFrom('p', 'q', 'r')), title: fc.option(fc.string(), { nil: undefined }) }).map(({ owner, tags, title }) => component({ owner }, { tags, ...(title === undefined ? {} : { title }) })) })
    fc.assert(
      fc.property(fc.uniqueArray(layer, { minLength: 1, maxLength: 5, selector: (one) => `${one.origin}/${one.location}` }), fc.nat(), (layers, seed) => {
        const shuffled = layers.toSorted((one, other) => ((seed * JSON.stringify(one).length) % 7) - ((seed * JSON.stringify(other).length) % 7))
        expect(mergeLayers('component:blue/shop', shuffled)).toEqual(mergeLayers('component:blue/shop', layers))
      }),
    )
  })
})

describe('references', () => {
  test.each([
    ['shop', 'component:blue/shop'],
    ['green/shop', 'component:green/shop'],
    ['API:Shop', 'api:blue/shop'],
    ['resource:green/DB', 'resource:green/db'],
    ['', undefined],
    ['a:b:c', undefined],
    [7, undefined],
    ['a b', undefined],
  ])('%s', (text, wanted) => {
    expect(refOf(text, { kind: 'component', namespace: 'blue' })).toBe(wanted)
  })

  test('of teams and people stand in the default namespace; every relation has another side', () => {
    const team = groupOf({ apiVersion: 'pavior.dev/v1', kind: 'Team', metadata: metadata('blue'), spec: { members: [{ user: 'ada', role: 'admin' }] } })
    expect(entityRef(team)).toBe('group:default/blue')
    expect(relationsOf(team)).toEqual([{ type: 'hasMember', target: 'user:default/ada' }])
    for (const [type, other] of Object.entries(inverse)) expect(inverse[other]).toBe(type)
  })

  test('survive anything that a file may hold', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything()), (spec) => void relationsOf(component(spec))))
  })
})
