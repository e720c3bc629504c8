/** Door of room catalog: apps, and what is known of the company's software. */
import type { Resource, RouteSpec } from '@pavior/contract'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Room } from '../../kernel/room.ts'
import { createEntityReconcilers } from './entities/reconcile.ts'
import { entityRoutes } from './entities/routes.ts'
import { app } from './kinds.ts'
import { createTemplates, type TemplateDeps } from './templates/index.ts'
import { template, templateRun } from './templates/kinds.ts'

export { app } from './kinds.ts'
export const kinds = [app, template, templateRun]

export type CatalogDeps = TemplateDeps

export function createCatalog(deps: CatalogDeps): Room<undefined> {
  const { database, resources, sources, events, log } = deps
  const routes = new Mirror<Resource<RouteSpec>>(resources, 'Route', log)
  const templates = createTemplates(deps)
  return {
    reconcilers: [...createEntityReconcilers({ database, resources, routes, sources, warn: (about, reason, message) => events.record(about, 'Warning', reason, message, 'catalog') }), ...templates.reconcilers],
    routes: [entityRoutes({ database }), ...templates.routes],
    parts: [routes, ...templates.parts],
    reads: undefined,
  }
}
