/** What people do when something is wrong: incidents, what is learned from them, and what the public is told. */
import type { PgDatabase } from '../../kernel/db/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/log.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createIncidents, excerptsOf, type IncidentsDeps, type TelemetryExcerpts } from './incidents/index.ts'
import { incident } from './incidents/kinds.ts'
import { createPostmortems } from './postmortems/index.ts'
import { postmortem } from './postmortems/kinds.ts'
import { createStatusPages, type StatusPageDeps } from './status-page/index.ts'
import { statusPage } from './status-page/kinds.ts'

export const responseKinds = [incident, postmortem, statusPage]

/** What it needs from others. Without `chat` no chat hears of it. */
export type ResponseTools = Pick<IncidentsDeps, 'calls' | 'changes' | 'elsewhere' | 'defaultEnvironment'> & { excerpts: TelemetryExcerpts } & Partial<Pick<IncidentsDeps, 'chat'>> & Pick<StatusPageDeps, 'authenticate' | 'platformParts' | 'publicUrl' | 'messengers'>

export interface ResponseDeps extends Pick<IncidentsDeps, 'slos' | 'signals'> {
  database: PgDatabase
  resources: Resources
  tools: ResponseTools
  events: EventRecorder
  clock: Clock
  log: Logger
  /** For subscriptions to status pages. */
  subscriptions: Pick<StatusPageDeps, 'openSecret' | 'key' | 'audit'>
}

export function createResponse({ tools, subscriptions, ...deps }: ResponseDeps): Pick<Room, 'reconcilers' | 'routes' | 'parts'> {
  const incidents = createIncidents({ ...deps, ...tools, excerpts: excerptsOf(tools.excerpts), chat: tools.chat })
  const postmortems = createPostmortems(deps)
  const pages = createStatusPages({ ...deps, ...tools, ...subscriptions })
  return { reconcilers: [...incidents.reconcilers, ...postmortems.reconcilers], routes: [...incidents.routes, ...postmortems.routes, ...pages.routes], parts: [...incidents.parts, ...pages.parts] }
}
