/** Door of room reliability: objectives, what is left of the errors that they allow, who is on call, and what is done when something is wrong. */
import type { Resource, SloSpec, SloStatus } from '@pavior/contract'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { alertKinds, createAlerting, type AlertingDeps } from './alerts/index.ts'
import { onCallSchedule } from './on-call/kinds.ts'
import { createChat } from './notify/chat.ts'
import { createOnCall } from './on-call/reconcile.ts'
import { onCallRoutes } from './on-call/routes.ts'
import { withOwnCalls } from './platform/calls.ts'
import { createPlatformSeed } from './platform/seed.ts'
import { createDrafts } from './slo/drafts.ts'
import { defaultEnvironment } from './slo/evaluate.ts'
import { createEvaluator } from './slo/evaluator.ts'
import { slo } from './slo/kinds.ts'
import type { GoldenSignals, Query } from './slo/ports.ts'
import { sloRoutes } from './slo/routes.ts'
import { createResponse, responseKinds, type ResponseTools } from './response.ts'
import { createGameDayRoom, gameDay, type GameDayOptions } from './game-days/index.ts'
import { createRunbooks, runbook, runbookRun, type RunbookTools } from './runbooks/index.ts'

export type { Query, QueryResult } from './slo/ports.ts'
export { createAlertRules } from './alerts/index.ts'
export { probesOf, serverStarted } from './platform/capabilities.ts'
export { createRunbookRules } from './runbooks/index.ts'
export type { RunbookTools } from './runbooks/index.ts'
export type { GameDayTools } from './game-days/index.ts'
export type { ResponseTools } from './response.ts'
export const kinds = [slo, onCallSchedule, ...alertKinds, runbook, runbookRun, ...responseKinds, gameDay]

export interface ReliabilityDeps extends Pick<AlertingDeps, 'database' | 'logs' | 'probe' | 'notifiers' | 'openSecret' | 'audit' | 'publicUrl' | 'linkKeyFile'> {
  resources: Resources
  signals: GoldenSignals
  /** Answers PromQL; without it objectives that need it have no data, and say so. */
  query?: Query
  runbooks: { tools: RunbookTools; library: string }
  response: ResponseTools
  gameDays: GameDayOptions
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
  const { database, resources, signals, query, runbooks, response: tools, gameDays, events, clock, log } = deps
  const slos = new Mirror<Resource<SloSpec, SloStatus>>(resources, 'Slo', log)
  const calls = withOwnCalls(tools.calls)
  const alerting = createAlerting({ ...deps, calledBy: calls.calledBy }, slos)
  const books = createRunbooks({ resources, clock, ...runbooks })
  const response = createResponse({ database, resources, slos, signals, tools: { ...tools, calls, chat: createChat({ database, resources, clock }) }, subscriptions: { openSecret: deps.openSecret, audit: deps.audit, key: alerting.linkKey }, events, clock, log })
  const games = createGameDayRoom({ database, resources, slos, events, clock, log, ...gameDays })
  const drafts = [createPlatformSeed({ database, resources, library: runbooks.library }), createDrafts({ database, resources, slos, signals, clock })]
  return {
    reconcilers: [createOnCall({ resources, events, clock }), ...books.reconcilers, ...response.reconcilers, ...games.reconcilers],
    routes: [sloRoutes({ database, resources, clock }), onCallRoutes({ resources, clock }), ...alerting.routes, ...response.routes, ...books.routes, ...games.routes],
    parts: [slos, createEvaluator({ database, resources, slos, signals, query, events, clock, log }, drafts), ...alerting.parts, ...response.parts],
    reads: {
      budgets: (team, app, environment) =>
        [...slos.values()]
          .filter(({ metadata, spec }) => metadata.namespace === team && spec.app === app && (spec.environment ?? defaultEnvironment) === environment && !spec.draft)
          .map(({ metadata, status }) => ({ name: metadata.name, remaining: status?.budget?.remaining })),
    },
  }
}
