import { expect, test } from 'vitest'
import { testDatabase } from '../../../../test/kernel.ts'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import { labelsOf } from './names.ts'
import { SeriesRegistry, type RegistrySettings } from './registry.ts'
import type { Labels } from './store.ts'

const shop = { team: 'blue', app: 'shop' }
const series = (count: number, from = 0): Labels[] => Array.from({ length: count }, (_, index) => labelsOf('jobs', [['id', String(from + index)]], shop))
const known = (ids: (number | undefined)[]): number => ids.filter((id) => id !== undefined).length

function counted(database: PgDatabase): { database: PgDatabase; questions: () => number } {
  let questions = 0
  const query: PgDatabase['query'] = (...given) => {
    questions++
    return database.query(...given)
  }
  const write: PgDatabase['write'] = (...given) => {
    questions++
    return database.write(...given)
  }
  return { database: { ...database, query, write }, questions: () => questions }
}

async function registryWith(over: Partial<RegistrySettings> = {}) {
  const { database, questions } = counted(await testDatabase())
  let nowMs = Date.now()
  const clock = { now: () => new Date(nowMs) }
  const make = (): SeriesRegistry => new SeriesRegistry(database, clock, { appSeries: 10, rememberedSeries: 100, activeMs: 3600_000, ...over })
  return { make, registry: make(), database, questions, pass: (ms: number) => void (nowMs += ms) }
}

test('a known series costs no question, and one beyond the limit none either', async () => {
  const { registry, questions } = await registryWith()
  const first = await registry.idsOf(shop, series(8), false)
  expect(known(first)).toBe(8)
  const asked = questions()
  expect(await registry.idsOf(shop, series(8), false)).toEqual(first)
  expect(questions()).toBe(asked)
  expect(known(await registry.idsOf(shop, series(5, 6), false))).toBe(4)
  const full = questions()
  for (let round = 0; round < 100; round++) expect(known(await registry.idsOf(shop, series(1000, 1000 + round * 1000), false))).toBe(0)
  expect(questions()).toBe(full)
  // Neither another app nor the platform's own measurements suffer.
  expect(known(await registry.idsOf({ team: 'blue', app: 'stock' }, series(5), false))).toBe(5)
  expect(known(await registry.idsOf(shop, [labelsOf('pavior_x', [], shop)], true))).toBe(1)
  expect(await registry.used(shop)).toBe(10)
})

test('series that nobody writes any more make room, also on a server that has just started', async () => {
  const { registry, make, pass, database } = await registryWith()
  await registry.idsOf(shop, series(10), false)
  expect(known(await make().idsOf(shop, series(1, 50), false))).toBe(0)
  pass(2 * 3600_000)
  expect(known(await registry.idsOf(shop, series(3, 20), false))).toBe(3)
  await database.query("update metric_series set last_seen_at = now() - interval '2 hours'")
  expect(known(await make().idsOf(shop, series(10, 100), false))).toBe(10)
})

test('many at once, on several servers, make each series once', async () => {
  const { registry, make, database } = await registryWith({ appSeries: 50 })
  const other = make()
  const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? registry : other).idsOf(shop, series(20, index), false)))
  expect(ids.every((own) => known(own) === 20)).toBe(true)
  expect((await database.query('select count(*)::int as count from metric_series')).rows).toEqual([{ count: 39 }])
  expect(await other.idsOf(shop, series(20), false)).toEqual(await registry.idsOf(shop, series(20), false))
})

test('what is remembered of all apps is bounded', async () => {
  const { registry, questions } = await registryWith({ rememberedSeries: 30 })
  const app = (index: number) => ({ team: 'blue', app: `app-${index}` })
  for (let index = 0; index < 8; index++) await registry.idsOf(app(index), series(10), false)
  const before = questions()
  await registry.idsOf(app(7), series(10), false)
  expect(questions()).toBe(before)
  // Forgotten, and known again by asking.
  await registry.idsOf(app(0), series(10), false)
  expect(questions()).toBeGreaterThan(before)
})
