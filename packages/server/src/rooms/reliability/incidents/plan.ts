/** Which incident an alert leads to, how bad it is, when it began, how long things took. Pure. */
import { incidentSeverities, type AlertSpec, type IncidentSeverity, type IncidentState, type IncidentStatus } from '@pavior/contract'
import type { Alert, Incident } from './types.ts'

const minuteMs = 60_000
/** Trouble that comes back this soon after it was resolved is the same trouble. */
const reopenMs = 3600_000
/** The same cause within this time is a repeat. */
export const repeatMs = 30 * 24 * 3600_000
const pageKinds = new Set(['Firing', 'Acknowledged'])

/** Somebody is woken by it now. */
export function isPaging({ metadata, spec, status }: Alert): boolean {
  return !metadata.deletionTimestamp && spec.severity === 'page' && status?.since !== undefined && pageKinds.has(status.state ?? '') && status.quiet === undefined
}

/** What an app calls and is called by, as names of the same team. */
export type Neighbours = (app: string) => ReadonlySet<string>

/** The incident that an alert belongs to; undefined: none of these. */
export function incidentFor({ spec }: Alert, incidents: readonly Incident[], neighbours: Neighbours, now: Date): Incident | undefined {
  const fitting = incidents.filter((one) => isOpenFor(one, now) && belongs(spec, one, neighbours))
  // The same app first, then what was there first.
  return fitting.toSorted((one, other) => Number(other.spec.app === spec.app) - Number(one.spec.app === spec.app) || since(one) - since(other))[0]
}

function since({ status, metadata }: Incident): number {
  return Date.parse(status?.detectedAt ?? metadata.creationTimestamp)
}

function isOpenFor({ metadata, status }: Incident, now: Date): boolean {
  if (metadata.deletionTimestamp || status?.state === 'Closed') return false
  return status?.state !== 'Resolved' || now.getTime() - Date.parse(status.resolvedAt ?? '') < reopenMs
}

function belongs({ app, environment, source }: AlertSpec, { spec, status }: Incident, neighbours: Neighbours): boolean {
  if (spec.environment !== environment) return false
  if (status?.cause?.kind === source.kind && status.cause.name === source.name) return true
  if (app === undefined || spec.app === undefined) return false
  return app === spec.app || neighbours(app).has(spec.app)
}

/** What a severity goes by. */
export interface Gravity {
  /** From the label pavior.dev/tier of the app. */
  tier: string | undefined
  production: boolean
  /** Apps that have alerts or call the one in trouble. */
  affected: number
  /** Of the last minutes, where there was traffic. */
  failedShare: number | undefined
}

const manyApps = 3
const mostRequests = 0.5

/** The matrix: tier and environment give the row, how far it reaches lifts it by one. */
export function severityOf({ tier, production, affected, failedShare }: Gravity): { severity: IncidentSeverity; reason: string } {
  const base = !production ? 4 : tier === '1' ? 2 : tier === '3' ? 4 : 3
  const wide = affected >= manyApps ? `${affected} apps are affected` : failedShare !== undefined && failedShare >= mostRequests ? `${Math.round(failedShare * 100)} % of the requests fail` : undefined
  const place = production ? `${tier === undefined ? 'an app that names no tier' : `an app of tier ${tier}`}, in production` : 'an environment that is not production'
  return { severity: incidentSeverities[Math.max(1, base - (wide === undefined ? 0 : 1)) - 1]!, reason: `It pages for ${place}${wide === undefined ? '' : `, and ${wide}`}.` }
}

/** Requests of one minute. */
export interface Minute {
  /** Minutes since the epoch. */
  minute: number
  requests: number
  failed: number
}

/** A minute with less than this share of failures is a good one. */
const badShare = 0.01
/** Good minutes that may lie between bad ones of the same trouble. */
const pauseMinutes = 5
const startLookBackMinutes = 60

/** The first bad minute of the run that was under way when it was detected; otherwise when it was detected. Milliseconds since the epoch. */
export function onsetOf(minutes: readonly Minute[], detectedMs: number): number {
  const detected = Math.floor(detectedMs / minuteMs)
  let first: number | undefined
  for (const { minute, requests, failed } of minutes.toSorted((one, other) => other.minute - one.minute)) {
    if (minute > detected || minute < detected - startLookBackMinutes || failed === 0 || failed < requests * badShare) continue
    if ((first ?? detected) - minute > pauseMinutes + 1) break
    first = minute
  }
  return first === undefined ? detectedMs : Math.min(detectedMs, first * minuteMs)
}

export function impactOf(minutes: readonly Minute[]): { requests: number; failed: number; minutes: number } {
  const sum = (of: (one: Minute) => number): number => minutes.reduce((total, one) => total + of(one), 0)
  return { requests: sum(({ requests }) => requests), failed: sum(({ failed }) => failed), minutes: new Set(minutes.filter(({ failed }) => failed > 0).map(({ minute }) => minute)).size }
}

/** Whole seconds; a clock that was set back gives none below 0. */
export function secondsOf({ startedAt, detectedAt, acknowledged, mitigatedAt, resolvedAt }: IncidentStatus): NonNullable<IncidentStatus['seconds']> {
  const between = (from: string | undefined, until: string | undefined): number | undefined =>
    from === undefined || until === undefined ? undefined : Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / 1000))
  const all = { detect: between(startedAt, detectedAt), acknowledge: between(detectedAt, acknowledged?.at), restore: between(detectedAt, mitigatedAt ?? resolvedAt) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Times that go with a state: set when it is reached, taken back when it is left again. */
export function moved(status: IncidentStatus, state: IncidentState, at: string): IncidentStatus {
  const { mitigatedAt, resolvedAt, closedAt: _, ...rest } = status
  const next: IncidentStatus = { ...rest, state }
  if (state === 'Mitigated' || state === 'Resolved' || state === 'Closed') next.mitigatedAt = mitigatedAt ?? resolvedAt ?? at
  if (state === 'Resolved' || state === 'Closed') next.resolvedAt = resolvedAt ?? at
  if (state === 'Closed') next.closedAt = at
  return { ...next, seconds: secondsOf(next) }
}

/** Earlier incidents of the same app and source, newest first, within 30 days before this one. */
export function repeatOf(incident: Incident, others: readonly Incident[]): IncidentStatus['repeatOf'] {
  const { cause, detectedAt } = incident.status ?? {}
  if (!cause || detectedAt === undefined) return undefined
  const at = Date.parse(detectedAt)
  const before = others
    .filter(({ metadata, spec, status }) => metadata.uid !== incident.metadata.uid && spec.app === incident.spec.app && spec.environment === incident.spec.environment && status?.cause?.kind === cause.kind && status.cause.name === cause.name)
    .filter((one) => since(one) < at && at - since(one) <= repeatMs)
    .toSorted((one, other) => since(other) - since(one))
  const [newest] = before
  return newest && { name: newest.metadata.name, at: new Date(since(newest)).toISOString(), times: before.length }
}
