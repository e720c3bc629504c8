/** Door of room reliability: objectives, what is left of the errors that they allow, and who is on call. */
import type { Resource, SloSpec, SloStatus } from '@pavior/contract'
import type { Authenticate } from '../../kernel/api/types.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { PgDatabase } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { alert } from './alerts/kinds.ts'
import { createIncidents, type ChangesByPeople, type Chat, type Excerpts, type ObservedCalls } from './incidents/index.ts'
import { incident } from './incidents/kinds.ts'
import { onCallSchedule } from './on-call/kinds.ts'
import { createOnCall } from './on-call/reconcile.ts'
import { onCallRoutes } from './on-call/routes.ts'
import { createPostmortems } from './postmortems/index.ts'
import { postmortem } from './postmortems/kinds.ts'
import { createStatusPages } from './status-page/index.ts'
import { statusPage } from './status-page/kinds.ts'
import { createDrafts } from './slo/drafts.ts'
import { defaultEnvironment } from './slo/evaluate.ts'
import { createEvaluator } from './slo/evaluator.ts'
import { slo } from './slo/kinds.ts'
import type { GoldenSignals, Query } from './slo/ports.ts'
import { sloRoutes } from './slo/routes.ts'

export type { Query, QueryResult } from './slo/ports.ts'
export type { ChangesByPeople, Chat, Evidence, Excerpts } from './incidents/index.ts'
export const kinds = [slo, onCallSchedule, alert, incident, postmortem, statusPage]

export interface ReliabilityDeps {
  database: PgDatabase
  resources: Resources
  signals: GoldenSignals
  /** Answers PromQL; without it objectives that need it have no data, and say so. */
  query?: Query
  /** Who calls whom: affected and suspected apps. */
  calls: ObservedCalls
  changes: ChangesByPeople
  /** Copies of logs and traces for incidents; without it they have those of traffic. */
  excerpts?: Excerpts
  /** Hears of what people say in incidents. */
  chat?: Chat
  defaultEnvironment: (team: string) => string
  /** Who reads a status page that is not public. */
  authenticate: Authenticate
  /** What the platform itself does for its users, and whether it works now. */
  platformParts: () => Promise<{ name: string; works: boolean }[]>
  publicUrl: () => string
  events: EventRecorder
  clock: Clock
  log: Logger
}

/** An objective as rules speak of it. */
export interface BudgetFact {
  name: string
  /** Share that is left; undefined while nothing is known. */
  remaining: number | undefined
}

export interface ReliabilityReads {
  /** Declared objectives of an app in an environment; not those that the platform proposed. */
  budgets: (team: string, app: string, environment: string) => BudgetFact[]
}

export function createReliability(deps: ReliabilityDeps): Room<ReliabilityReads> {
  const { database, resources, signals, query, events, clock, log } = deps
  const slos = new Mirror<Resource<SloSpec, SloStatus>>(resources, 'Slo', log)
  const draft = createDrafts({ database, resources, slos, signals, clock })
  const incidents = createIncidents({ ...deps, slos, excerpts: deps.excerpts, chat: deps.chat })
  const postmortems = createPostmortems(deps)
  const pages = createStatusPages({ ...deps, slos })
  return {
    reconcilers: [createOnCall({ resources, events, clock }), ...incidents.reconcilers, ...postmortems.reconcilers],
    routes: [sloRoutes({ database, resources, clock }), onCallRoutes({ resources, clock }), ...incidents.routes, ...postmortems.routes, ...pages.routes],
    parts: [slos, ...incidents.parts, ...pages.parts, createEvaluator({ database, resources, slos, signals, query, events, clock, log }, draft)],
    reads: {
      budgets: (team, app, environment) =>
        [...slos.values()]
          .filter(({ metadata, spec }) => metadata.namespace === team && spec.app === app && (spec.environment ?? defaultEnvironment) === environment && !spec.draft)
          .map(({ metadata, status }) => ({ name: metadata.name, remaining: status?.budget?.remaining })),
    },
  }
}
