/** How far a game day is from what ends it. Pure. */
import type { Alert, Incident } from '../incidents/types.ts'
import type { GameDayAbort, GameDayFigures, GameDaySpec, GameDayStatus } from '@pavior/contract'

/** With fewer requests a share says nothing. */
const leastRequests = 10

export interface Readings {
  /** Of the last seconds. */
  figures: GameDayFigures
  /** What each condition gave, for those that are asked for: in their order. */
  values: readonly { value?: number | undefined; problem?: string | undefined }[]
}

type Limit = NonNullable<GameDayStatus['limits']>[number]

export interface Judgement {
  limits: Limit[]
  /** Why it ends now. */
  reason: string | undefined
}

export function judge(conditions: readonly GameDayAbort[], readings: Readings): Judgement {
  const judged = conditions.map((condition, index) => judgeOne(condition, readings.figures, readings.values[index] ?? {}))
  return { limits: judged.map(({ limit }) => limit), reason: judged.find(({ reason }) => reason !== undefined)?.reason }
}

function judgeOne(condition: GameDayAbort, figures: GameDayFigures, { value, problem }: Readings['values'][number]): { limit: Limit; reason: string | undefined } {
  const { slo, burnRate, errorPercent, p95Ms, query, above } = condition
  const told = figures.requests >= leastRequests
  const of = (text: string, unit: string, limit: number, now: number | undefined): { limit: Limit; reason: string | undefined } => ({
    limit: { text, limit, unit, ...(now === undefined ? {} : { value: rounded(now) }) },
    reason: now !== undefined && now > limit ? `${text}: ${withUnit(now, unit)}, and more than ${withUnit(limit, unit)} ends it.` : problem === undefined ? undefined : `${text} could not be asked for, so nobody would see when to stop: ${problem}`,
  })
  if (errorPercent !== undefined) return of('Requests that fail', '%', errorPercent, told ? figures.errorPercent : undefined)
  if (p95Ms !== undefined) return of('95th percentile', 'ms', p95Ms, told ? (figures.p95Ms ?? undefined) : undefined)
  if (slo !== undefined) return of(`Burn of ${slo}`, 'x', burnRate!, value)
  return of(query!.length > 80 ? `${query!.slice(0, 79)}…` : query!, '', above!, value)
}

function withUnit(value: number, unit: string): string {
  return `${rounded(value)}${unit === '' ? '' : ` ${unit}`}`
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** Alerts that wake somebody and incidents, both about the app, that are open. */
export function troubleOf({ app, environment }: GameDaySpec, alerts: readonly Alert[], incidents: readonly Incident[]): string | undefined {
  const here = (spec: { app?: string; environment?: string }): boolean => spec.app === app && (spec.environment === undefined || spec.environment === environment)
  const alert = alerts.find(({ spec, status }) => here(spec) && spec.severity === 'page' && status?.state !== 'Resolved')
  if (alert) return `The alert ${alert.metadata.name} is open: ${alert.spec.summary}`
  const incident = incidents.find(({ spec, status }) => here(spec) && status?.state !== 'Resolved' && status?.state !== 'Closed')
  return incident && `The incident ${incident.metadata.name} is open: ${incident.spec.title}`
}
