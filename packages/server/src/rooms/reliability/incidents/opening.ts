/** `incident-opener`: leads every alert that wakes somebody to one incident: an open one of the same cause, or a new one. */
import type { EnvironmentSpec, Resource } from '@pavior/contract'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { done, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { GoldenSignals } from '../slo/ports.ts'
import { tierLabel } from '../slo/drafts.ts'
import { openIncident } from './commands.ts'
import { incidentFor, isPaging, severityOf, type Neighbours } from './plan.ts'
import type { ObservedCalls } from './ports.ts'
import { addAlerts, decideAlone, firingKey, incidentsOf, type Firing } from './store.ts'
import { actor, type Alert, type App, type Incident } from './types.ts'

/** Calls as old as this still make a dependency. */
export const callsLookBackMs = 24 * 3600_000
/** Requests of the last minutes say how bad it is. */
const gravityMinutes = 10
const minuteMs = 60_000

export interface OpenerDeps {
  database: Database
  resources: Resources
  signals: Pick<GoldenSignals, 'minutes'>
  calls: ObservedCalls
  events: EventRecorder
  clock: Clock
}

/** One key for a team: a storm of alerts is looked at as one. */
export function createOpener(deps: OpenerDeps): Reconciler {
  return {
    name: 'incident-opener',
    concurrency: 2,
    interests: [{ kind: 'Alert', keys: (object) => (isPaging(object as Alert) ? [object.metadata.namespace!] : []) }],
    reconcile: async (team) => {
      const alerts = (await deps.resources.listAll<Alert>(actor, 'Alert', team)).filter(isPaging).toSorted((one, other) => sinceMs(one) - sinceMs(other))
      if (alerts.length === 0) return done
      const neighbours = await neighboursOf(deps, team, alerts)
      const gravity = await Promise.all(alerts.map((alert) => failedShare(deps, team, alert)))
      await deps.database.transaction((tx) => lead(deps, team, alerts.map((alert, index) => ({ alert, failedShare: gravity[index] })), neighbours, tx))
      return done
    },
  }
}

function sinceMs({ status }: Alert): number {
  return Date.parse(status!.since!)
}

function firingOf({ metadata, status }: Alert): Firing {
  return { alert: metadata.uid, since: status!.since!, name: metadata.name }
}

/** Decided alone and committed whole: whatever dies in between, every alert has led to one incident. */
async function lead(deps: OpenerDeps, team: string, found: { alert: Alert; failedShare: number | undefined }[], neighbours: Neighbours, tx: Tx): Promise<void> {
  await decideAlone(tx, team)
  const known = await incidentsOf(tx, found.map(({ alert }) => firingOf(alert)))
  const fresh = found.filter(({ alert }) => !known.has(firingKey(firingOf(alert))))
  if (fresh.length === 0) return
  const incidents = await openIncidents(deps.resources, team, tx)
  const joined = new Map<string, Firing[]>()
  for (const { alert, failedShare: share } of fresh) {
    let incident = incidentFor(alert, incidents, neighbours, deps.clock.now())
    if (!incident) incidents.push((incident = await openFor(deps, team, alert, share, fresh.map((one) => one.alert), neighbours, tx)))
    joined.set(incident.metadata.uid, [...(joined.get(incident.metadata.uid) ?? []), firingOf(alert)])
  }
  for (const [uid, firings] of joined) {
    await addAlerts(tx, uid, team, firings)
    const { metadata } = incidents.find((one) => one.metadata.uid === uid)!
    await noteAlerts(deps.resources, team, metadata.name, firings.length, tx)
  }
}

/** The write wakes whoever looks at the incident. */
async function noteAlerts(resources: Resources, team: string, name: string, more: number, tx: Tx): Promise<void> {
  await resources.mutate<Incident>(actor, { kind: 'Incident', namespace: team, name }, (current) => {
    const { total = 0, firing = 0, names = [] } = current!.status?.alerts ?? {}
    return { ...current!, status: { ...current!.status, alerts: { total: total + more, firing: firing + more, names } } }
  }, { tx, subresource: 'status' })
}

async function openIncidents(resources: Resources, team: string, tx: Tx): Promise<Incident[]> {
  const { items } = await resources.list<Incident>(actor, 'Incident', team, { fields: [{ path: 'status.state', operator: '!=', value: 'Closed' }], limit: 0 }, tx)
  return items
}

async function openFor({ resources, events }: OpenerDeps, team: string, { metadata, spec, status }: Alert, share: number | undefined, all: readonly Alert[], neighbours: Neighbours, tx: Tx): Promise<Incident> {
  const app = spec.app === undefined ? undefined : await resources.get<App>(actor, { kind: 'App', namespace: team, name: spec.app }, tx)
  const environment = spec.environment === undefined ? undefined : await resources.get<Resource<EnvironmentSpec>>(actor, { kind: 'Environment', namespace: team, name: spec.environment }, tx)
  const together = all.filter((other) => other.spec.app !== undefined && other.spec.app !== spec.app && neighbours(other.spec.app).has(spec.app ?? ''))
  const affected = new Set([...(spec.app === undefined ? [] : [spec.app]), ...(status?.affects ?? []), ...together.map((other) => other.spec.app!)]).size
  const { severity, reason } = severityOf({ tier: app?.metadata.labels?.[tierLabel], production: (environment?.spec.tier ?? 'production') === 'production', affected, failedShare: share })
  return openIncident({ resources, events }, {
    team,
    by: actor,
    spec: { title: spec.summary, severity, ...(spec.app === undefined ? {} : { app: spec.app }), ...(spec.environment === undefined ? {} : { environment: spec.environment }), ...(spec.runbook === undefined ? {} : { runbook: spec.runbook }) },
    detectedAt: status!.since!,
    severityReason: reason,
    cause: spec.source,
    text: `Opened for the alert ${metadata.name}.`,
  }, tx)
}

/** Both directions: what calls the one in trouble suffers with it, and what it calls may be the cause. */
async function neighboursOf({ calls, clock }: OpenerDeps, team: string, alerts: readonly Alert[]): Promise<Neighbours> {
  const apps = [...new Set(alerts.flatMap(({ spec }) => spec.app ?? []))]
  const pairs = apps.length === 0 ? [] : await calls.callsOf(apps.map((app) => ({ team, app })), new Date(clock.now().getTime() - callsLookBackMs))
  const found = new Map<string, Set<string>>()
  const note = (app: string, other: string): void => void found.set(app, (found.get(app) ?? new Set()).add(other))
  for (const { from, to } of pairs) {
    if (from.team !== team || to.team !== team) continue
    note(from.app, to.app)
    note(to.app, from.app)
  }
  return (app) => found.get(app) ?? new Set()
}

async function failedShare({ database, signals, clock }: OpenerDeps, team: string, { spec }: Alert): Promise<number | undefined> {
  if (spec.app === undefined || spec.environment === undefined) return undefined
  const until = clock.now()
  const counts = await signals.minutes.ofApp(database, { team, app: spec.app, environment: spec.environment, from: new Date(until.getTime() - gravityMinutes * minuteMs), until })
  const all = counts.reduce((sum, { statuses }) => sum + statuses.reduce((one, other) => one + other, 0), 0)
  return all === 0 ? undefined : counts.reduce((sum, { statuses }) => sum + (statuses[4] ?? 0), 0) / all
}
