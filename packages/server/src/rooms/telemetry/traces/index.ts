/** Puts the parts of traces together. */
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Drops } from '../drops.ts'
import type { Signal } from '../otlp/intake.ts'
import type { RequestLogs, SpanSource } from '../ports.ts'
import { createSpanCollector, type SendOn } from './collect.ts'
import { spanSignal } from './intake.ts'
import { traceRoutes } from './routes.ts'
import { createSampling } from './sample.ts'
import type { WhyDeps } from './why.ts'

/** From settings. */
export interface TraceSettings {
  /** Of traces without an error that were not slow, the share that is kept: 0 … 1. */
  share: number
  slowMs: number
  keepMs: number
  appSpansPerSecond: number
}

export interface TracesDeps {
  database: Database
  resources: Resources
  source: SpanSource
  drops: Drops
  logs: RequestLogs
  usual: WhyDeps['usual']
  settings: TraceSettings
  clock: Clock
  log: Logger
  /** Hears of what is stored, in its transaction. */
  sendOn: SendOn
}

export function createTraces({ database, resources, source, drops, logs, usual, settings, clock, log, sendOn }: TracesDeps): { routes: Routes; signal: Signal; parts: Part[] } {
  return {
    routes: traceRoutes({ database, resources, logs, usual, clock }),
    signal: spanSignal({ database, drops, appSpansPerSecond: settings.appSpansPerSecond, clock, sendOn }),
    // Partitions first: the collector needs one.
    parts: [createSampling({ database, settings, log }), createSpanCollector({ database, source, log, sendOn })],
  }
}
