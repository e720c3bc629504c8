/** Puts the parts of metrics together: ways in, the store, what the platform measures itself. */
import type { RequestRecord } from '@pavior/contract'
import { Counter, Histogram, type Registry } from 'prom-client'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { PgDatabase, Tx } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { LogRates } from '../logs/limits.ts'
import type { Signal, WayIn } from '../otlp/intake.ts'
import type { Instances } from '../ports.ts'
import { compactionDefaults, createCompaction, dropDays } from './compact.ts'
import { createDrops, type Drops } from '../drops.ts'
import { createIngest, ingestDefaults, type Ingest } from './ingest.ts'
import { countTraffic, createOwnMetrics } from './own.ts'
import type { Retention } from './plan.ts'
import { SeriesRegistry } from './registry.ts'
import { metricRoutes, metricSignal, remoteWrite } from './routes.ts'
import { createScraper } from './scrape.ts'
import { createSeriesSource } from './select.ts'
import type { SeriesSource } from './series.ts'

const activeMs = 3600_000
const rememberedSeries = 200_000
const lagBucketsSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300]

/** From settings. */
export interface MetricSettings {
  retention: Retention
  /** Series that an app may write at once. */
  appSeries: number
  appPointsPerSecond: number
}

export interface MetricsDeps {
  database: PgDatabase
  resources: Resources
  events: Pick<EventRecorder, 'record'>
  instances: Instances
  settings: MetricSettings
  /** Shown beside what an app uses of its metrics. */
  logRates: LogRates
  /** What this server counts about itself. */
  registry: Registry
  serverName: () => string
  clock: Clock
  log: Logger
}

export interface Metrics {
  routes: Routes
  signal: Signal
  /** Counts what is dropped of any telemetry. */
  drops: Drops
  remoteWrite: WayIn
  parts: Part[]
  series: SeriesSource
  ingest: Ingest
  /** Takes part in the transaction that takes the router's records. */
  countTraffic: (tx: Tx, records: readonly RequestRecord[]) => Promise<void>
}

export function createMetrics({ database, resources, events, instances, settings, logRates, registry: counters, serverName, clock, log }: MetricsDeps): Metrics {
  const { retention, appSeries, appPointsPerSecond } = settings
  const own = countersOf(counters)
  const drops = createDrops({ database, resources, events, counter: own.dropped, clock, log })
  const registry = new SeriesRegistry(database, clock, { appSeries, rememberedSeries, activeMs })
  const stored = (points: number, lagSeconds: number): void => {
    own.stored.inc(points)
    own.lag.observe(lagSeconds)
  }
  const ingest = createIngest({ database, registry, drops, clock, settings: { ...ingestDefaults, retention, appPointsPerSecond }, stored })
  return {
    routes: metricRoutes({ database, resources, registry, drops, limits: { appSeries, appPointsPerSecond, dropDays, logs: logRates } }),
    drops,
    signal: metricSignal({ ingest, drops }),
    remoteWrite: remoteWrite({ ingest }),
    parts: [
      drops,
      ingest,
      createCompaction({ database, settings: { ...compactionDefaults, retention }, clock, log }),
      createOwnMetrics({ database, ingest, registry, instances, metrics: counters, serverName, clock, log }),
      createScraper({ database, ingest, instances, clock, log }),
    ],
    series: createSeriesSource(database),
    ingest,
    countTraffic: (tx, records) => countTraffic(tx, registry, records),
  }
}

function countersOf(registry: Registry): { dropped: Counter<'reason'>; stored: Counter; lag: Histogram } {
  return {
    dropped: new Counter({ name: 'pavior_telemetry_dropped_total', help: 'Points of metrics that were not taken, by reason.', labelNames: ['reason'] as const, registers: [registry] }),
    stored: new Counter({ name: 'pavior_telemetry_points_total', help: 'Points of metrics that were stored.', registers: [registry] }),
    lag: new Histogram({ name: 'pavior_telemetry_lag_seconds', help: 'From the time of a point until it could be asked for, of the newest of each request.', buckets: lagBucketsSeconds, registers: [registry] }),
  }
}
