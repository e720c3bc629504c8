/** Door of room catalog: apps, what is known of the company's software, and how ready it is. */
import type { Resource, RouteSpec } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import { listenTo, type PgDatabase } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Room } from '../../kernel/room.ts'
import { appsController, createEntityReconcilers } from './entities/reconcile.ts'
import { entityRoutes } from './entities/routes.ts'
import { docsRoutes } from './docs/routes.ts'
import { app } from './kinds.ts'
import type { AppProbe, DefinitionReader, ObservedCalls } from './ports.ts'
import { scorecard, scorecardExemption } from './scorecards/kinds.ts'
import { controllerName, createScorecardReconcilers, ensureBuiltin, type ScorecardDeps } from './scorecards/reconcile.ts'
import { scorecardsChannel } from './scorecards/store.ts'
import { scorecardRoutes } from './scorecards/routes.ts'
import { servingOf } from './serving.ts'
import { createTemplates, type TemplateDeps } from './templates/index.ts'
import { template, templateRun } from './templates/kinds.ts'

export { app } from './kinds.ts'
export { appsController }
export const kinds = [app, scorecard, scorecardExemption, template, templateRun]

export interface CatalogDeps extends Omit<TemplateDeps, 'database'> {
  database: PgDatabase
  definitions: DefinitionReader
  /** Asks a reconciler for a run. */
  request: ScorecardDeps['request']
  calls: ObservedCalls
  probe: AppProbe
  /** How long a dependency that was seen in traffic is remembered. */
  dependencyMs: number
}

const actor = systemActor('catalog')

export function createCatalog(deps: CatalogDeps): Room<undefined> {
  const { database, resources, sources, definitions, events, request, calls, dependencyMs, repositories, probe, clock, log } = deps
  const routes = new Mirror<Resource<RouteSpec>>(resources, 'Route', log)
  const scorecards: ScorecardDeps = { database, resources, serving: (of) => servingOf(resources, actor, of), request, clock }
  const seed: Part = { name: 'scorecards', start: () => ensureBuiltin(database, resources), stop: async () => {} }
  const results = listenTo(database, scorecardsChannel, 'scorecard news')
  const templates = createTemplates(deps)
  return {
    reconcilers: [
      ...createEntityReconcilers({
        database,
        resources,
        routes,
        sources,
        definitions,
        repositories,
        calls,
        dependencyMs,
        clock,
        warn: (about, reason, message) => events.record(about, 'Warning', reason, message, 'catalog'),
        taken: (key) => request([{ controller: controllerName, key }]),
      }),
      ...createScorecardReconcilers(scorecards),
      ...templates.reconcilers,
    ],
    routes: [
      entityRoutes({ database, calls, clock }),
      docsRoutes({ database, resources, definitions, repositories, serving: scorecards.serving }),
      scorecardRoutes(scorecards, { database, resources, repositories, upgrade: templates.upgrade, probe, clock }, results.onMore),
      ...templates.routes,
    ],
    parts: [routes, seed, results.part, ...templates.parts],
    reads: undefined,
  }
}
