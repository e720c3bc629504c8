/** Incidents: opened by alerts or hand, a timeline that fills itself, suspects, and what people do about it. */
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import { listenTo } from '../../../kernel/db/index.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Reconciler } from '../../../kernel/reconcile/index.ts'
import { createOpener, type OpenerDeps } from './opening.ts'
import type { Chat } from '../notify/chat.ts'
import { createLook, type LookDeps } from './reconcile.ts'
import { incidentRoutes } from './routes.ts'
import { entriesChannel } from './store.ts'

export { excerptsOf, type TelemetryExcerpts } from './excerpts.ts'

export interface IncidentsDeps extends Omit<LookDeps, 'database'>, Omit<OpenerDeps, 'database'> {
  database: PgDatabase
  defaultEnvironment: (team: string) => string
  chat: Chat | undefined
  publicUrl: () => string
}

export function createIncidents(deps: IncidentsDeps): { reconcilers: Reconciler[]; routes: Routes[]; parts: Part[] } {
  const news = listenTo(deps.database, entriesChannel, 'incident news')
  return { reconcilers: [createOpener(deps), createLook(deps)], routes: [incidentRoutes({ ...deps, onMore: news.onMore })], parts: [news.part] }
}
