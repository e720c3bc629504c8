/** `incidents`: while an incident is open, looks again and again at what happened, and writes what is new into its timeline and status. */
import { isDeepStrictEqual } from 'node:util'
import type { IncidentState, IncidentStatus } from '@pavior/contract'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, type Outcome, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Logger } from '../../../kernel/log.ts'
import { gather, type Facts, type GatherDeps } from './gather.ts'
import { impactOf, moved, repeatOf, secondsOf } from './plan.ts'
import type { Evidence, Excerpts } from './ports.ts'
import { proposedRunbooks } from './proposals.ts'
import { addEntries, forgetIncident, knownKeys, moveAlone } from './store.ts'
import { suspectsOf } from './suspects.ts'
import { happenings, mostEntries } from './timeline.ts'
import { actor, isOver, type Incident, type NewEntry } from './types.ts'

/** While somebody may be looking at it. */
const lookMs = 5000
/** An alert that fires again soon after the end opens it again. */
const lookAfterEndMs = 60_000
const lookAfterEndForMs = 2 * 3600_000
/** Requests and budgets are counted a little later than they come. */
const lateCountsMs = 120_000
/** What is copied is from this long before it was detected on. */
const evidenceBeforeMs = 10 * 60_000
/** Copied this long after it was detected, when the trouble has left traces. */
const evidenceAfterMs = 60_000
const shownAlerts = 20
const system = 'system:incidents'

export interface LookDeps extends GatherDeps {
  excerpts: Excerpts | undefined
  events: EventRecorder
  log: Logger
}

/** The uid is part of the key, so that what is kept of an incident that is gone can be forgotten. */
export function createLook(deps: LookDeps): Reconciler {
  return {
    name: 'incidents',
    concurrency: 2,
    interests: [{ kind: 'Incident', keys: ({ metadata }) => [`${metadata.namespace}/${metadata.name}/${metadata.uid}`] }],
    reconcile: async (text) => {
      const [namespace = '', name = '', uid = ''] = text.split('/')
      const incident = await deps.resources.get<Incident>(actor, { kind: 'Incident', namespace, name })
      if (incident?.metadata.uid !== uid) {
        await forgetIncident(deps.database, uid)
        return done
      }
      await look(deps, incident)
      return nextLook(incident, deps.clock.now())
    },
  }
}

function nextLook({ status }: Incident, now: Date): Outcome {
  if (status?.state === 'Closed') return now.getTime() - Date.parse(status.closedAt ?? '') < lateCountsMs ? after(lookAfterEndMs) : done
  if (status?.state !== 'Resolved') return after(lookMs)
  return now.getTime() - Date.parse(status.resolvedAt ?? '') < lookAfterEndForMs ? after(lookAfterEndMs) : done
}

async function look(deps: LookDeps, incident: Incident): Promise<void> {
  const { database, resources, clock } = deps
  const { metadata } = incident
  const team = metadata.namespace!
  const facts = await gather(deps, incident)
  const known = await knownKeys(database, metadata.uid)
  const others = (await resources.listAll<Incident>(actor, 'Incident', team, { fields: [{ path: 'spec.app', operator: '=', value: incident.spec.app ?? '' }] }))
  const evidence = await evidenceOf(deps, incident, facts, known)
  const fresh = [...firstLine(incident), ...happenings({ ...facts, team, apps: appsOf(incident, facts), environment: incident.spec.environment, ...spanOf(facts, clock.now()) }), ...evidence].filter(({ dedupe }) => !known.has(dedupe))
  const room = Math.max(0, mostEntries - known.size)
  const at = clock.now().toISOString()
  const next = (current: Incident): { status: IncidentStatus; move: IncidentState | undefined } => standing(current, facts, others, fresh.length - Math.min(room, fresh.length), at)
  if (fresh.length === 0 && isDeepStrictEqual(next(incident).status, incident.status)) return
  await database.transaction(async (tx) => {
    await moveAlone(tx, metadata.uid)
    let move: IncidentState | undefined
    const written = await resources.mutate<Incident>(actor, { kind: 'Incident', namespace: team, name: metadata.name }, (current) => {
      const stood = next(current as Incident)
      move = stood.move
      return { ...current!, status: stood.status }
    }, { tx, subresource: 'status' })
    const line = move && movedLine(move, written, at)
    await addEntries(tx, metadata.uid, [...fresh.slice(0, room), ...(line ? [line] : [])])
    if (line) await deps.events.record(written, move === 'Mitigated' ? 'Normal' : 'Warning', move === 'Mitigated' ? 'IncidentMitigated' : 'IncidentReopened', line.text, 'reliability', tx)
  }).catch(ignore('NOT_FOUND'))
}

/** Who made it by a plain write of the resource gets the line that an act would have written. */
function firstLine({ metadata, spec }: Incident): NewEntry[] {
  return [{ at: new Date(metadata.creationTimestamp).toISOString(), kind: 'opened', actor: system, text: `Opened: ${spec.title}`, data: { severity: spec.severity }, dedupe: 'opened' }]
}

function appsOf({ spec }: Incident, { calls, alerts }: Facts): Set<string> {
  return new Set([...(spec.app === undefined ? [] : [spec.app]), ...calls, ...alerts.flatMap((alert) => alert.spec.app ?? [])])
}

function spanOf({ startedMs, endedMs }: Facts, now: Date): { fromMs: number; untilMs: number } {
  return { fromMs: startedMs - 3600_000, untilMs: endedMs ?? now.getTime() }
}

/** The status as it should be, and the move that the alerts ask for. What people set stays. */
function standing(incident: Incident, facts: Facts, others: readonly Incident[], leftOut: number, at: string): { status: IncidentStatus; move: IncidentState | undefined } {
  const { metadata, spec, status: given = {} } = incident
  const before: IncidentStatus = { ...given, state: given.state ?? 'Investigating', detectedAt: given.detectedAt ?? new Date(metadata.creationTimestamp).toISOString() }
  const move = moveBy(before, facts)
  const status = move === undefined ? before : moved(before, move, move === 'Mitigated' ? lastEnd(facts, at) : at)
  const firing = facts.alerts.filter((alert) => alert.status?.state !== 'Resolved')
  const suspects = suspectsOf({ team: metadata.namespace!, app: spec.app ?? '', environment: spec.environment ?? '', ...facts, onsetMs: facts.startedMs, detectedMs: Date.parse(before.detectedAt!) })
  const proposed = proposedRunbooks(facts.books, incident, facts.alerts)
  const repeat = repeatOf({ ...incident, status }, others)
  const next: IncidentStatus = {
    ...status,
    startedAt: new Date(facts.startedMs).toISOString(),
    ...(facts.firings > 0 ? { alerts: { total: facts.firings, firing: firing.length, names: facts.alerts.map((alert) => alert.metadata.name).slice(0, shownAlerts) } } : {}),
    ...(spec.app === undefined ? {} : { affected: affectedOf(incident, facts), suspects, ...(proposed.length > 0 ? { runbooks: proposed } : {}), impact: { ...impactOf(facts.minutes), budgets: facts.budgets } }),
    ...(repeat ? { repeatOf: repeat } : {}),
    ...(leftOut > 0 ? { leftOut } : {}),
    observedGeneration: metadata.generation ?? 1,
  }
  return { status: { ...next, seconds: secondsOf(next) }, move }
}

/** When every alert has ended users are well again; when one fires later they are not. What is resolved stays so unless an alert fires anew. */
function moveBy(status: IncidentStatus, { alerts, firings }: Facts): IncidentState | undefined {
  if (firings === 0 || status.state === 'Closed') return undefined
  const firing = alerts.filter((alert) => alert.status?.state !== 'Resolved')
  if (firing.length === 0) return status.state === 'Investigating' || status.state === 'Identified' ? 'Mitigated' : undefined
  const well = status.resolvedAt ?? status.mitigatedAt
  return well !== undefined && firing.some((alert) => Date.parse(alert.status!.since!) > Date.parse(well)) ? 'Investigating' : undefined
}

function lastEnd({ alerts }: Facts, at: string): string {
  return alerts.map((alert) => alert.status?.resolvedAt ?? at).toSorted().at(-1) ?? at
}

function movedLine(state: IncidentState, { metadata, status }: Incident, at: string): NewEntry {
  const text = state === 'Mitigated' ? 'Every alert has ended, so users seem to be well again. Resolve it when the cause is dealt with.' : 'An alert fires again, so it is not over.'
  return { at: state === 'Mitigated' ? (status?.mitigatedAt ?? at) : at, kind: 'state', actor: system, text, data: { to: state }, dedupe: `state/${metadata.resourceVersion}` }
}

function affectedOf({ metadata, spec }: Incident, { alerts, pairs }: Facts): NonNullable<IncidentStatus['affected']> {
  const team = metadata.namespace!
  const apps = new Map<string, string>([[spec.app!, 'It has the trouble.']])
  for (const alert of alerts) if (alert.spec.app !== undefined && !apps.has(alert.spec.app)) apps.set(alert.spec.app, `It has the alert ${alert.metadata.name}.`)
  for (const { from, to, requests, errors } of pairs.filter((pair) => pair.to.team === team && pair.to.app === spec.app && pair.from.team === team)) {
    if (!apps.has(from.app)) apps.set(from.app, `It calls ${to.app}${requests > 0 ? `: ${Math.round(requests)} requests in a day, ${Math.round(errors)} failed` : ''}.`)
  }
  const strangers = new Set(pairs.filter(({ from, to }) => to.team === team && to.app === spec.app && from.team !== team).map(({ from }) => `${from.team}/${from.app}`))
  return { apps: [...apps].map(([app, why]) => ({ app, why })), otherTeams: strangers.size }
}

/** Copied twice: a while after it began and when it is over, because logs and metrics are forgotten. */
async function evidenceOf({ excerpts, clock, log }: LookDeps, incident: Incident, { minutes, startedMs }: Facts, known: ReadonlySet<string>): Promise<NewEntry[]> {
  const { metadata, spec, status = {} } = incident
  if (spec.app === undefined || spec.environment === undefined) return []
  const now = clock.now()
  const detectedMs = Date.parse(status.detectedAt ?? metadata.creationTimestamp)
  const stage = isOver(incident) ? 'end' : now.getTime() - detectedMs >= evidenceAfterMs ? 'open' : undefined
  if (stage === undefined || [...known].some((key) => key.startsWith(`evidence/${stage}/`))) return []
  const place = { team: metadata.namespace!, app: spec.app, environment: spec.environment }
  const copied = await excerpts?.(place, new Date(startedMs - evidenceBeforeMs), now).catch((error: Error) => {
    log.warn({ incident: metadata.name, err: error.message }, 'what logs and traces tell could not be copied into an incident')
    return []
  })
  const found: Evidence[] = [...trafficEvidence(minutes), ...(copied ?? [])]
  return found.map(({ source, text, data }, index) => ({ at: now.toISOString(), kind: 'evidence', actor: system, text, data: { source, ...data }, dedupe: `evidence/${stage}/${index}` }))
}

const shownMinutes = 180

function trafficEvidence(minutes: Facts['minutes']): Evidence[] {
  const shown = minutes.toSorted((one, other) => one.minute - other.minute).slice(-shownMinutes)
  if (shown.length === 0) return []
  const { requests, failed } = impactOf(shown)
  return [{ source: 'metrics', text: `${failed} of ${requests} requests failed in ${shown.length} ${shown.length === 1 ? 'minute' : 'minutes'} of traffic.`, data: { minutes: shown.map(({ minute, ...counts }) => ({ at: new Date(minute * 60_000).toISOString(), ...counts })) } }]
}
