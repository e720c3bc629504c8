/** What a look at alerts works with. */
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Query } from '../slo/ports.ts'
import type { Measured } from './conditions.ts'
import type { Calls } from './ports.ts'
import type { Silence } from './silences.ts'
import type { AlertRule, Slo, Source } from './sources.ts'

export const actor = systemActor('alerts')

export interface LookDeps {
  database: Database
  resources: Resources
  rules: Mirror<AlertRule>
  silences: Mirror<Silence>
  slos: Mirror<Slo>
  query: Query | undefined
  measure: (source: Source, ask: Query, now: Date, signal: AbortSignal) => Promise<Measured>
  calls: Calls
  events: EventRecorder
  clock: Clock
  log: Logger
}
