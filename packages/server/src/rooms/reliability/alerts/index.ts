/** Alerts and telling people, put together for the door of the room. */
import { randomBytes } from 'node:crypto'
import type { AlertRuleSpec, AppStatus, Resource } from '@pavior/contract'
import type { AdmissionRequest } from '../../../kernel/resources/resources.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { WriteNote } from '../../../kernel/audit/notes.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { listenTo, type PgDatabase } from '../../../kernel/db/index.ts'
import { keptFile } from '../../../kernel/kept-file.ts'
import type { Logger } from '../../../kernel/log.ts'
import { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Room } from '../../../kernel/room.ts'
import { createDelivery, type DeliverDeps } from '../notify/deliver.ts'
import { escalationPolicy, notificationChannel } from '../notify/kinds.ts'
import type { Notifiers } from '../notify/ports.ts'
import { channelRoutes } from '../notify/routes.ts'
import { notificationsNews } from '../notify/store.ts'
import type { Query } from '../slo/ports.ts'
import { createMeasure, filledQuery } from './conditions.ts'
import { actor } from './deps.ts'
import { createAlertEvaluator } from './evaluator.ts'
import { alert, alertRule, silence } from './kinds.ts'
import { createLinks } from './links.ts'
import type { AppName, Calls, LogCounts, Probe } from './ports.ts'
import { alertRoutes } from './routes.ts'
import type { Silence } from './silences.ts'
import { ofRule, type AlertRule, type Slo } from './sources.ts'

export const alertKinds = [alert, alertRule, silence, escalationPolicy, notificationChannel]

export interface AlertingDeps {
  database: PgDatabase
  resources: Resources
  query?: Query
  logs?: LogCounts
  probe?: Probe
  /** Apps that an app has called since then. */
  calledBy: (app: AppName, since: Date) => Promise<AppName[]>
  notifiers: Notifiers
  openSecret: DeliverDeps['openSecret']
  audit: WriteNote
  publicUrl: () => string
  /** Of the key that links are signed with; the same for every replica. */
  linkKeyFile: string
  events: EventRecorder
  clock: Clock
  log: Logger
}

/** Calls of the last day are dependencies as far as alerts go. */
const callsMs = 24 * 3600_000
const callsKeptMs = 60_000
const linkKeyBytes = 32

export function createAlerting(deps: AlertingDeps, slos: Mirror<Slo>): Pick<Room, 'parts' | 'routes'> & { linkKey: () => Promise<Buffer> } {
  const { database, resources, clock, log } = deps
  const rules = new Mirror<AlertRule>(resources, 'AlertRule', log)
  const silences = new Mirror<Silence>(resources, 'Silence', log)
  const measure = createMeasure({
    query: deps.query,
    logs: deps.logs,
    probe: deps.probe,
    urlOf: async (team, app, environment) => (await resources.get<Resource<unknown, AppStatus>>(actor, { kind: 'App', namespace: team, name: app }))?.status?.environments?.[environment]?.url,
    slo: (team, name) => slos.get(team, name),
    rules: () => rules.values(),
  })
  let key: Promise<Buffer> | undefined
  const linkKey = (): Promise<Buffer> => (key ??= keptFile(deps.linkKeyFile, () => randomBytes(linkKeyBytes)))
  const news = listenTo(database, notificationsNews, 'news of notifications')
  const delivery: DeliverDeps = { database, resources, notifiers: deps.notifiers, openSecret: deps.openSecret, links: (of, now) => links(of, now), events: deps.events, clock, lot: Math.random, log }
  let links = createLinks(deps.publicUrl, Buffer.alloc(0))
  const keyPart = { name: 'key of links', start: async () => void (links = createLinks(deps.publicUrl, await linkKey())), stop: async () => undefined }
  const look = { database, resources, rules, silences, slos, query: deps.query, measure, calls: remembered(deps.calledBy, clock), events: deps.events, clock, log }
  return {
    linkKey,
    parts: [rules, silences, keyPart, news.part, createAlertEvaluator(look), createDelivery(delivery, (listener) => news.onMore(listener))],
    routes: [alertRoutes({ database, resources, events: deps.events, audit: deps.audit, clock, linkKey }), channelRoutes({ ...delivery, audit: deps.audit })],
  }
}

/** Who calls whom changes slowly. */
function remembered(calledBy: AlertingDeps['calledBy'], clock: Clock): Calls {
  const known = new Map<string, { at: number; apps: AppName[] }>()
  return async (app) => {
    const now = clock.now().getTime()
    const key = `${app.team}/${app.app}`
    const kept = known.get(key)
    if (kept && Math.abs(now - kept.at) < callsKeptMs) return kept.apps
    for (const [other, { at }] of known) if (Math.abs(now - at) >= callsKeptMs) known.delete(other)
    const apps = await calledBy(app, new Date(now - callsMs))
    known.set(key, { at: now, apps })
    return apps
  }
}

/** A query that cannot be read is refused where it is written, and not found out at night. */
export function createAlertRules(check: (query: string) => Promise<void>): (request: AdmissionRequest) => Promise<void> {
  return async ({ verb, kind, object, actor: { kind: by } }) => {
    if (verb === 'delete' || by === 'system') return
    if (kind.kind !== 'AlertRule') return
    const { metric, absence } = (object.spec as AlertRuleSpec).condition
    const { query, source } = metric ?? absence ?? {}
    // Another Prometheus may know functions that we do not.
    if (query !== undefined && source === undefined) await check(filledQuery(query, ofRule(object as AlertRule)))
  }
}
