/** A store of metrics on a database of its own, for tests. */
import { Counter, Registry } from 'prom-client'
import { testDatabase } from '../../../../test/kernel.ts'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import { createLog } from '../../../kernel/log.ts'
import { createDrops, type Drops } from '../drops.ts'
import { createIngest, ingestDefaults, type Incoming, type Ingest, type IngestSettings } from './ingest.ts'
import { labelsOf } from './names.ts'
import { SeriesRegistry, type RegistrySettings } from './registry.ts'
import { createSeriesSource } from './select.ts'
import type { Matcher, Series, SeriesSource } from './series.ts'

export const day = 24 * 3600_000
export const shop = { team: 'blue', app: 'shop' }

export interface TestMetrics {
  database: PgDatabase
  registry: SeriesRegistry
  drops: Drops
  ingest: Ingest
  source: SeriesSource
  nowMs: number
  /** Series of a metric in the last `minutes`, in the order of their labels. */
  read(name: string, more?: { minutes?: number; matchers?: Matcher[]; teams?: string[] | 'every' }): Promise<Series[]>
  /** Another server on the same database. */
  another(over?: Partial<IngestSettings & RegistrySettings>): Omit<TestMetrics, 'another'>
}

export async function testMetrics(over: Partial<IngestSettings & RegistrySettings> = {}): Promise<TestMetrics> {
  const database = await testDatabase()
  const another = (more: Partial<IngestSettings & RegistrySettings> = {}): Omit<TestMetrics, 'another'> => serverOn(database, { ...over, ...more })
  return { ...another(), another }
}

/** One server's metrics on this database. */
export function serverOn(database: PgDatabase, over: Partial<IngestSettings & RegistrySettings>): Omit<TestMetrics, 'another'> {
  const nowMs = Date.now()
  const clock = { now: () => new Date(nowMs) }
  const counter = new Counter({ name: 'dropped', help: 'dropped', labelNames: ['reason'] as const, registers: [new Registry()] })
  const drops = createDrops({ database, resources: { get: async () => undefined }, events: { record: async () => {} }, counter, clock, log: createLog('silent', 'test') })
  const registry = new SeriesRegistry(database, clock, { appSeries: 1000, rememberedSeries: 10_000, activeMs: 3600_000, ...over })
  const retention = { rawMs: 2 * day, minutesMs: 14 * day, hoursMs: 400 * day }
  const ingest = createIngest({ database, registry, drops, clock, settings: { ...ingestDefaults, gatherMs: 1, retention, appPointsPerSecond: 100_000, ...over }, stored: () => {} })
  const source = createSeriesSource(database)
  return {
    database, registry, drops, ingest, source, nowMs,
    read: async (name, { minutes = 60, matchers = [], teams = ['blue'] } = {}) => {
      const found = await source.select({ teams: teams === 'every' ? undefined : teams, matchers: [{ name: '__name__', op: '=', value: name }, ...matchers], fromMs: nowMs - minutes * 60_000, untilMs: nowMs + 600_000 }, new AbortController().signal)
      return found.toSorted((one, other) => (JSON.stringify(one.labels) < JSON.stringify(other.labels) ? -1 : 1))
    },
  }
}

/** A series of team blue's shop with these points. */
export function seriesOf(name: string, points: [timeMs: number, value: number][], labels: Record<string, string> = {}): Incoming {
  return { labels: labelsOf(name, Object.entries(labels), { ...shop, environment: 'production' }), times: points.map(([time]) => time), values: points.map(([, value]) => value) }
}

/** Times relative to `nowMs` with their values. */
export function pointsIn({ times, values }: Series, nowMs: number): [number, number][] {
  return [...times].map((time, index) => [time - nowMs, values[index]!])
}
