/** How an objective stands: figures, state, alerts with hysteresis, forecast. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { burnWindows, objectiveText, type BurnWindow, type SloAlertState, type SloSpec, type SloStatus } from '@pavior/contract'
import { budgetShare, burnShare, ruleOf, windowNames, type Share, type Sums } from './plan.ts'
import { defaultWindow, windowEnd, windowMinutes } from './window.ts'

export interface Figures {
  unit: NonNullable<SloStatus['budget']>['unit']
  window: Share
  burn: Record<BurnWindow, Share>
  gapMinutes: number
  /** Milliseconds since the epoch. */
  from: number
}

type Alerting = NonNullable<SloSpec['alerting']>
type PageRule = NonNullable<Alerting['page']>[number]

const minuteMs = 60_000
export const defaultPages: PageRule[] = [{ burn: 3, over: '15m' }, { burn: 1.5, over: '6h' }]
export const defaultTicketAt = 0.5
const fewEvents = 5
/** An alert ends when the burn is well below what began it, so that it does not come and go. */
const pageEndsBelow = 0.8
const ticketEndsBelow = 0.9
/** A budget that was used up is there again from this share on. */
const restoredAt = 0.02
/** The status is written at least this often, so that a reader knows that somebody counts. */
const heartbeatMs = 60 * minuteMs
/** Every write is audited for months, so figures that move are written this often; another state, or an alert, at once. */
const figuresMs = 5 * minuteMs
/** While somebody looks at trouble. A little less than a minute, so that every minute comes. */
const troubledFiguresMs = 50_000

export function figuresOf(spec: SloSpec, sums: Sums, head: number): Figures {
  const rule = ruleOf(spec)
  const burn = Object.fromEntries(windowNames.map((name) => [name, burnShare(rule, sums, head, name)])) as Record<BurnWindow, Share>
  return { unit: rule.method === 'Occurrences' ? 'events' : 'slices', window: budgetShare(rule, sums, head), burn, gapMinutes: sums.budget.gap, from: Math.max(sums.begin, sums.start) * minuteMs }
}

/** Of others: the weighted mean of their shares of bad. Members without data say nothing. */
export function compositeFigures(members: readonly { weight: number; figures: Figures }[], from: number): Figures {
  const mean = (share: (figures: Figures) => Share): Share => {
    const known = members.filter(({ figures }) => share(figures).total > 0)
    const weight = known.reduce((sum, one) => sum + one.weight, 0)
    return weight === 0 ? { bad: 0, total: 0 } : { bad: known.reduce((sum, one) => sum + (one.weight * share(one.figures).bad) / share(one.figures).total, 0) / weight, total: 1 }
  }
  const burn = Object.fromEntries(windowNames.map((name) => [name, mean((figures) => figures.burn[name])])) as Record<BurnWindow, Share>
  return { unit: 'share', window: mean(({ window }) => window), burn, gapMinutes: members.reduce((sum, { figures }) => sum + figures.gapMinutes, 0), from: Math.min(from, ...members.map(({ figures }) => figures.from)) }
}

/** Share of bad that is allowed; 1 - 0.99 is a little more than a hundredth in binary. */
export function allowance(objective: number): number {
  return Math.round((1 - objective) * 1e12) / 1e12
}

/** How many times faster than allowed; undefined where nothing was counted. */
export function burnRate({ bad, total }: Share, objective: number): number | undefined {
  return total > 0 ? bad / total / allowance(objective) : undefined
}

/** Share of the budget that is left; undefined where nothing was counted. */
export function remainingOf(figures: Figures, objective: number): number | undefined {
  const rate = burnRate(figures.window, objective)
  return rate === undefined ? undefined : 1 - rate
}

export interface Standing {
  spec: SloSpec
  generation: number
  previous: SloStatus | undefined
  figures: Figures | undefined
  /** Why nothing is known, where that is so. */
  problem: string | undefined
  /** Milliseconds since the epoch, as all is counted until then. */
  observedThrough: number
  now: Date
}

/** Everything but the reasons, which take a look at the minutes. */
export function statusOf({ spec, generation, previous, figures, problem, observedThrough, now }: Standing): SloStatus {
  const at = now.toISOString()
  const remaining = figures && remainingOf(figures, spec.objective)
  const observed = { observedThrough: new Date(observedThrough).toISOString(), observedGeneration: generation }
  const transition = (state: NonNullable<SloStatus['state']>, message: string): Pick<SloStatus, 'state' | 'since' | 'message'> => ({ state, since: previous?.state === state ? previous.since! : at, message })
  if (!figures || remaining === undefined) return { ...transition('NoData', problem ?? 'Nothing was counted in the window.'), ...observed }
  const alerts = alertsOf(spec, previous?.alerts ?? [], figures, remaining, at)
  const exhausted = isExhausted(spec, figures, remaining, previous?.state === 'Exhausted')
  const state = exhausted ? 'Exhausted' : alerts.some(({ alert }) => alert === 'page') ? 'Burning' : 'Healthy'
  const { bad, total } = figures.window
  const burn = Object.fromEntries(windowNames.flatMap((name) => { const rate = burnRate(figures.burn[name], spec.objective); return rate === undefined ? [] : [[name, significant(rate)]] }))
  const forecast = forecastOf(spec, figures, remaining, now)
  return {
    ...transition(state, problem ?? messageOf(spec, figures, remaining)),
    sli: digits(1 - bad / total, 6),
    budget: { unit: figures.unit, total: digits(total * allowance(spec.objective), 4), used: digits(bad, 4), remaining: digits(remaining, 4) },
    burn,
    ...(forecast.length > 0 ? { forecast } : {}),
    ...(alerts.length > 0 ? { alerts } : {}),
    ...(figures.gapMinutes > 0 ? { gapMinutes: figures.gapMinutes } : {}),
    from: new Date(figures.from).toISOString(),
    ...observed,
  }
}

function isExhausted(spec: SloSpec, figures: Figures, remaining: number, was: boolean): boolean {
  return remaining <= (was ? restoredAt : 0) && enough(spec, figures, figures.window)
}

/** A few events in a quiet night are no trouble. */
function enough({ alerting }: SloSpec, { unit }: Figures, { bad }: Share): boolean {
  if (unit === 'share') return bad > 0
  return bad >= (alerting?.minimumBad ?? (unit === 'events' ? fewEvents : 1))
}

function alertsOf(spec: SloSpec, before: readonly SloAlertState[], figures: Figures, remaining: number, at: string): SloAlertState[] {
  // What nobody confirmed tells nobody.
  if (spec.draft) return []
  const { page = defaultPages, ticketAt = defaultTicketAt } = spec.alerting ?? {}
  const open = (alert: SloAlertState['alert']): SloAlertState | undefined => before.find((one) => one.alert === alert)
  const paged = open('page')
  const firing = page.find((rule) => burns(spec, figures, rule, paged ? pageEndsBelow : 1))
  const ticket = open('ticket')
  const used = 1 - remaining
  const due = used >= ticketAt * (ticket ? ticketEndsBelow : 1) && enough(spec, figures, figures.window)
  return [
    ...(firing ? [paged ?? { alert: 'page' as const, since: at, text: pageText(spec, figures, firing) }] : []),
    ...(due ? [ticket ?? { alert: 'ticket' as const, since: at, text: `${percent(used)} of the budget is used.` }] : []),
  ]
}

/** Over the long time, and over the short one still: what is over already pages nobody. */
function burns(spec: SloSpec, figures: Figures, { burn, over, short }: PageRule, factor: number): boolean {
  const limit = burn * factor
  const brief = short ?? (burnWindows[over] <= 60 ? '5m' : '1h')
  const exceeds = (name: BurnWindow): boolean => (burnRate(figures.burn[name], spec.objective) ?? 0) > limit
  return exceeds(over) && exceeds(brief) && enough(spec, figures, figures.burn[over])
}

function pageText({ objective }: SloSpec, figures: Figures, { over, burn }: PageRule): string {
  return `The budget goes ${significant(burnRate(figures.burn[over], objective)!)} times faster than allowed over ${over}; ${burn} times is the limit.`
}

function forecastOf(spec: SloSpec, figures: Figures, remaining: number, now: Date): NonNullable<SloStatus['forecast']> {
  if (remaining <= 0) return []
  const window = spec.window ?? defaultWindow
  const lengthMs = windowMinutes(window) * minuteMs
  const end = window.calendar ? windowEnd(window, now.getTime()) : now.getTime() + lengthMs
  return (['6h', '3d'] as const).flatMap((by) => {
    const rate = burnRate(figures.burn[by], spec.objective)
    // What burns no faster than allowed leaves a rolling window as fast as it comes.
    if (rate === undefined || rate <= 1) return []
    const exhaustedAt = now.getTime() + (remaining * lengthMs) / rate
    return exhaustedAt < end ? [{ by, exhaustedAt: new Date(Math.round(exhaustedAt / minuteMs) * minuteMs).toISOString() }] : []
  })
}

function messageOf({ objective }: SloSpec, { window }: Figures, remaining: number): string {
  const sli = `${shareText(1 - window.bad / window.total)} were good, ${objectiveText(objective)} are promised`
  if (remaining > 0) return `${sli}; ${percent(remaining)} of the budget is left.`
  return remaining === 0 ? `${sli}; nothing of the budget is left.` : `${sli}; ${percent(1 - remaining)} of the budget is used.`
}

export function percent(share: number): string {
  const value = share * 100
  return `${Math.abs(value) >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(1))} %`
}

/** Rounded down, so that it never says more than was so. */
export function shareText(share: number): string {
  return `${Math.floor(share * 1e5) / 1e3} %`
}

function digits(value: number, count: number): number {
  return Number(value.toFixed(count))
}

function significant(value: number): number {
  return Number(value.toPrecision(3))
}

/** Whether a reader would see another picture, or could doubt that somebody still counts. */
export function isNews(previous: SloStatus | undefined, next: SloStatus): boolean {
  if (!previous?.observedThrough) return true
  if (!isDeepStrictEqual(standing(previous), standing(next))) return true
  const passedMs = Date.parse(next.observedThrough!) - Date.parse(previous.observedThrough)
  const everyMs = next.state === 'Burning' || next.state === 'Exhausted' ? troubledFiguresMs : figuresMs
  return passedMs >= heartbeatMs || (passedMs >= everyMs && !isDeepStrictEqual(figuresShown(previous), figuresShown(next)))
}

function standing({ state, since, message, alerts, observedGeneration }: SloStatus): unknown[] {
  return [state, since, state === 'NoData' ? message : undefined, alerts?.map(({ alert, since: begun }) => [alert, begun]), observedGeneration]
}

/** To a hundredth of the budget; of burn that is well within what is allowed nobody needs to know more. */
function figuresShown({ budget, burn }: SloStatus): unknown[] {
  return [budget && digits(budget.remaining, 2), ...windowNames.map((name) => burn?.[name] && Math.round(burn[name]))]
}

/** What somebody is told once: alerts that began and ended, and a budget that is used up or there again. */
export function newsOf({ draft }: SloSpec, previous: SloStatus | undefined, next: SloStatus): { type: 'Normal' | 'Warning'; reason: string; message: string }[] {
  if (draft) return []
  const had = previous?.alerts ?? []
  const has = next.alerts ?? []
  const missing = (alerts: SloAlertState[], one: SloAlertState): boolean => !alerts.some(({ alert, since }) => alert === one.alert && since === one.since)
  const names = { page: 'BudgetBurns', ticket: 'BudgetRunsLow' } as const
  return [
    ...has.filter((one) => missing(had, one)).map(({ alert, since, text }) => ({ type: 'Warning' as const, reason: names[alert], message: `${text} Since ${clock(since)}.` })),
    ...had.filter((one) => missing(has, one)).map(({ alert, since }) => ({ type: 'Normal' as const, reason: `${names[alert]}Ended`, message: `It began at ${clock(since)} and is over.` })),
    ...(next.state === 'Exhausted' && previous?.state !== 'Exhausted' ? [{ type: 'Warning' as const, reason: 'BudgetExhausted', message: `Nothing of the budget is left since ${clock(next.since!)}.` }] : []),
    ...(previous?.state === 'Exhausted' && next.state !== 'Exhausted' && next.state !== 'NoData' ? [{ type: 'Normal' as const, reason: 'BudgetRestored', message: `Since ${clock(next.since!)} there is a budget again.` }] : []),
  ]
}

/** To the second: the message is what tells one time from another. */
function clock(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`
}
