/** Puts the parts of logs together: ways in, the store, reading. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { listenTo, type PgDatabase } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Drops } from '../drops.ts'
import type { InstanceLogs, LogSource, RequestLogs } from '../ports.ts'
import type { Signal } from '../otlp/intake.ts'
import { createLogCollector } from './collect.ts'
import { createLogIngest, type LogIngest } from './ingest.ts'
import { LogLimits, type LogRates } from './limits.ts'
import { createRequestLogs } from './of-request.ts'
import { createLogReads, type LogReads } from './reads.ts'
import { logRoutes } from './routes.ts'
import { createLogUpkeep } from './upkeep.ts'

const sentChannel = 'pavior_logs'
const lagBucketsSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300]

/** From settings. */
export interface LogSettings extends LogRates {
  keepMs: number
  /** On disk. */
  bytes: number
}

export interface LogsDeps {
  database: PgDatabase
  /** Where instances run. */
  source: LogSource
  instanceLogs: InstanceLogs
  resources: Pick<Resources, 'mustGet'>
  drops: Drops
  settings: LogSettings
  /** What this server counts about itself. */
  registry: Registry
  clock: Clock
  log: Logger
}

export interface Logs {
  signal: Signal
  routes: Routes
  parts: Part[]
  reads: LogReads
  ofRequests: RequestLogs
  ingest: LogIngest
}

export function createLogs({ database, source, instanceLogs, resources, drops, settings, registry, clock, log }: LogsDeps): Logs {
  const counters = countersOf(registry, clock)
  const news = listenTo(database, sentChannel, 'news of logs')
  const ingest = createLogIngest({
    database,
    drops,
    limits: new LogLimits(settings),
    keepMs: settings.keepMs,
    clock,
    onStored: (lines, lagSeconds) => {
      counters.stored.inc(lines)
      counters.lag.observe(lagSeconds)
    },
    announce: async (tx, apps) => {
      for (const app of apps) await tx.query('select pg_notify($1, $2)', [sentChannel, app], 'log-notify')
    },
  })
  const reads = createLogReads(database, clock)
  return {
    signal: ingest.signal,
    routes: logRoutes({ database, reads, resources, instanceLogs, agent: source.name, onSent: news.onMore, clock }),
    parts: [news.part, createLogUpkeep({ database, retention: settings, clock, log }), createLogCollector({ database, source, ingest, drops, waiting: counters.waiting, clock, log })],
    reads,
    ofRequests: createRequestLogs(reads),
    ingest,
  }
}

function countersOf(registry: Registry, clock: Clock): { stored: Counter; lag: Histogram; waiting: (sinceMs: number | undefined) => void } {
  let since: number | undefined
  const behind: Gauge = new Gauge({
    name: 'pavior_telemetry_log_waiting_seconds',
    help: 'How long ago the oldest line was written that was taken from the agent and is not stored yet.',
    registers: [registry],
    collect: () => behind.set(since === undefined ? 0 : Math.max(0, clock.now().getTime() - since) / 1000),
  })
  return {
    waiting: (sinceMs) => {
      since = sinceMs
    },
    stored: new Counter({ name: 'pavior_telemetry_log_lines_total', help: 'Lines of logs that were stored.', registers: [registry] }),
    lag: new Histogram({ name: 'pavior_telemetry_log_lag_seconds', help: 'From when a line was written until it could be asked for, of the oldest of each batch.', buckets: lagBucketsSeconds, registers: [registry] }),
  }
}
