/** Door of room catalog: apps, what is known of the company's software, and how ready it is. */
import type { Resource, RouteSpec } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createEntityReconcilers } from './entities/reconcile.ts'
import { entityRoutes } from './entities/routes.ts'
import { docsRoutes } from './docs/routes.ts'
import { app } from './kinds.ts'
import { scorecard, scorecardExemption } from './scorecards/kinds.ts'
import { controllerName, createScorecardReconcilers, ensureBuiltin, type ScorecardDeps } from './scorecards/reconcile.ts'
import { scorecardRoutes } from './scorecards/routes.ts'
import { servingOf } from './serving.ts'
import type { SourceFiles } from './ports.ts'

export { app } from './kinds.ts'
export const kinds = [app, scorecard, scorecardExemption]

export interface CatalogDeps {
  database: Database
  resources: Resources
  sources: SourceFiles
  events: EventRecorder
  /** Asks a reconciler for a run. */
  request: ScorecardDeps['request']
  clock: Clock
  log: Logger
}

const actor = systemActor('catalog')

export function createCatalog({ database, resources, sources, events, request, clock, log }: CatalogDeps): Room<undefined> {
  const routes = new Mirror<Resource<RouteSpec>>(resources, 'Route', log)
  const scorecards: ScorecardDeps = { database, resources, serving: (of) => servingOf(resources, actor, of), request, clock }
  const seed: Part = { name: 'scorecards', start: () => ensureBuiltin(database, resources), stop: async () => {} }
  return {
    reconcilers: [
      ...createEntityReconcilers({
        database,
        resources,
        routes,
        sources,
        warn: (about, reason, message) => events.record(about, 'Warning', reason, message, 'catalog'),
        taken: (key) => request([{ controller: controllerName, key }]),
      }),
      ...createScorecardReconcilers(scorecards),
    ],
    routes: [entityRoutes({ database }), docsRoutes({ database, resources }), scorecardRoutes(scorecards)],
    parts: [routes, seed],
    reads: undefined,
  }
}
