/** Door of room catalog: apps, and what is known of the company's software. */
import type { Resource, RouteSpec } from '@pavior/contract'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createEntityReconcilers } from './entities/reconcile.ts'
import { entityRoutes } from './entities/routes.ts'
import { app } from './kinds.ts'
import type { SourceFiles } from './ports.ts'

export { app } from './kinds.ts'
export const kinds = [app]

export interface CatalogDeps {
  database: Database
  resources: Resources
  sources: SourceFiles
  events: EventRecorder
  log: Logger
}

export function createCatalog({ database, resources, sources, events, log }: CatalogDeps): Room<undefined> {
  const routes = new Mirror<Resource<RouteSpec>>(resources, 'Route', log)
  return {
    reconcilers: createEntityReconcilers({ database, resources, routes, sources, warn: (about, reason, message) => events.record(about, 'Warning', reason, message, 'catalog') }),
    routes: [entityRoutes({ database })],
    parts: [routes],
    reads: undefined,
  }
}
