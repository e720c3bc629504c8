import type { CatalogOrigin } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appsAmong, edgeOf, ratesOf } from './traffic.ts'

const shop = { team: 'blue', app: 'shop' }
const stock = { team: 'green', app: 'stock' }
const lastSeenAt = new Date('2026-01-01T00:00:00Z')
const rates = ratesOf([{ from: shop, to: stock, requests: 120, errors: 3, lastSeenAt, unknown: 4 }, { from: stock, to: shop, requests: 0, errors: 0, lastSeenAt, unknown: 0 }], 60)
const apps = new Set(['component:blue/shop', 'component:green/stock'])
const edge = (type: string, origins: CatalogOrigin[], target = 'component:green/stock') => edgeOf({ source: 'component:blue/shop', type, target, origins }, rates, apps)

test('a dependency that was seen says how often and how well', () => {
  expect(edge('dependsOn', ['traffic', 'repository'])).toMatchObject({ traffic: { requestsPerMinute: 2, errorShare: 0.025, lastSeenAt: lastSeenAt.toISOString(), atLeast: true } })
  expect(edge('dependencyOf', ['traffic'])).toMatchObject({ traffic: { requestsPerMinute: 0, errorShare: null } })
  expect(edge('dependencyOf', ['traffic']).traffic).not.toHaveProperty('atLeast')
  expect(edge('ownedBy', ['traffic'])).not.toHaveProperty('traffic')
})

test('only what is declared between two apps of this platform can be missed', () => {
  expect(edge('dependsOn', ['repository'])).toMatchObject({ unseen: true })
  expect(edge('dependsOn', ['import'], 'resource:green/db')).not.toHaveProperty('unseen')
  expect(edge('dependsOn', [])).not.toHaveProperty('unseen')
  const origins = fc.uniqueArray(fc.constantFrom<CatalogOrigin>('derived', 'traffic', 'repository', 'import'))
  fc.assert(fc.property(origins, (given) => {
    expect(edge('dependsOn', given).unseen === true).toBe(given.length > 0 && !given.includes('derived') && !given.includes('traffic'))
  }))
})

test('apps are what runs here', () => {
  const row = { namespace: 'blue', name: 'shop' }
  expect(appsAmong([{ ...row, kind: 'component', origins: ['derived', 'traffic'] }, { ...row, kind: 'component', origins: ['import'] }, { ...row, kind: 'group', origins: ['derived'] }])).toEqual([shop])
})
