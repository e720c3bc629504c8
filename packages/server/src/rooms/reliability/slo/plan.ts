/** From what was counted in minutes to what is left of a budget, a minute at a time. Pure. */
import { burnWindows, durationBucketsMs, type BurnWindow, type SloSpec } from '@pavior/contract'
import { hourMinutes } from './window.ts'

/** What one release burned in a minute. */
export interface BurnedBy {
  release: number
  total: number
  bad: number
  /** Of the bad ones answered with 5xx by the app, and by the router in its stead; absent for what is slow. */
  app?: number
  router?: number
}

/** Events of one minute as they came. `gap`: nobody knows. */
export interface Counted {
  good: number
  total: number
  gap: 0 | 1
  detail?: BurnedBy[]
}

/** What is kept of a minute: what came, and what of the budget it used. */
export interface MinuteRow extends Counted {
  bad: number
  units: number
}

/** What is added up over a window. */
export interface Units {
  bad: number
  units: number
  /** Minutes. */
  gap: number
}

/** Running sums of one Slo. All minutes are since the epoch. */
export interface Sums {
  /** From when on it was watched: slices before it do not count. */
  begin: number
  /** First minute of the window of the budget, at a whole hour. */
  start: number
  budget: Units
  burn: Record<BurnWindow, Units>
}

export interface Rule {
  method: NonNullable<SloSpec['budgeting']>
  sliceMinutes: number
  /** Share of good events that makes a slice good. */
  sliceTarget: number
}

export const windowNames = Object.keys(burnWindows) as BurnWindow[]

export function ruleOf({ budgeting = 'Occurrences', timeSlice, objective }: SloSpec): Rule {
  return { method: budgeting, sliceMinutes: budgeting === 'Occurrences' ? 1 : (timeSlice?.minutes ?? 1), sliceTarget: timeSlice?.target ?? objective }
}

/** Sums of multiples of this are exact in binary: what was added and leaves again leaves nothing behind. */
const quantum = 2 ** -20

export function exact(value: number): number {
  return Math.round(value / quantum) * quantum
}

export const nothing: Units = { bad: 0, units: 0, gap: 0 }

export function emptySums(begin: number, start: number): Sums {
  return { begin, start, budget: nothing, burn: { '5m': nothing, '15m': nothing, '1h': nothing, '6h': nothing, '3d': nothing } }
}

export function plus(one: Units, other: Units, sign: 1 | -1 = 1): Units {
  return { bad: one.bad + sign * other.bad, units: one.units + sign * other.units, gap: one.gap + sign * other.gap }
}

/** A minute as it is now, and what that adds to every sum that holds it. */
export interface Change {
  minute: number
  row: MinuteRow
  delta: Units & { good: number; total: number }
}

const noRow: MinuteRow = { good: 0, total: 0, gap: 0, bad: 0, units: 0 }

/** Which rows change when these minutes were counted (again). `stored` holds the minutes themselves and the rest of their slices. */
export function recount(rule: Rule, stored: ReadonlyMap<number, MinuteRow>, counted: ReadonlyMap<number, Counted>): Change[] {
  const rows = new Map(stored)
  for (const [minute, one] of counted) rows.set(minute, { ...one, good: exact(one.good), total: exact(one.total), ...usedBy(rule, one, rows.get(minute)) })
  const touched = new Set(counted.keys())
  if (rule.method !== 'Occurrences') {
    for (const slice of new Set([...counted.keys()].map((minute) => sliceOf(rule, minute)))) {
      rows.set(slice, { ...(rows.get(slice) ?? noRow), bad: badOfSlice(rule, slice, rows), units: 0 })
      touched.add(slice)
    }
  }
  return [...touched].toSorted((one, other) => one - other).flatMap((minute) => changeOf(minute, rows.get(minute)!, stored.get(minute) ?? noRow))
}

/** First minute of the slice that holds this one: its verdict is kept there. */
export function sliceOf({ sliceMinutes }: Rule, minute: number): number {
  return Math.floor(minute / sliceMinutes) * sliceMinutes
}

function usedBy({ method }: Rule, { good, total }: Counted, before: MinuteRow | undefined): Pick<MinuteRow, 'bad' | 'units'> {
  return method === 'Occurrences' ? { bad: exact(total) - exact(good), units: exact(total) } : { bad: before?.bad ?? 0, units: 0 }
}

function badOfSlice({ method, sliceMinutes, sliceTarget }: Rule, slice: number, rows: ReadonlyMap<number, MinuteRow>): number {
  let [good, total] = [0, 0]
  for (let minute = slice; minute < slice + sliceMinutes; minute++) {
    good += rows.get(minute)?.good ?? 0
    total += rows.get(minute)?.total ?? 0
  }
  if (total <= 0) return 0
  return method === 'Timeslices' ? Number(good / total < sliceTarget) : exact(1 - good / total)
}

function changeOf(minute: number, row: MinuteRow, before: MinuteRow): Change[] {
  const delta = { good: row.good - before.good, total: row.total - before.total, bad: row.bad - before.bad, units: row.units - before.units, gap: row.gap - before.gap }
  const same = Object.values(delta).every((value) => value === 0) && JSON.stringify(row.detail) === JSON.stringify(before.detail)
  return same ? [] : [{ minute, row, delta }]
}

/** The sums once `head` is the newest minute. `leaving`: what the windows lose by it. */
export function advance<S extends Sums>(sums: S, start: number, leaving: { budget: Units; burn: Partial<Record<BurnWindow, Units>> }): S {
  const burn = { ...sums.burn }
  for (const name of windowNames) burn[name] = plus(burn[name], leaving.burn[name] ?? nothing, -1)
  return { ...sums, start, budget: plus(sums.budget, leaving.budget, -1), burn }
}

/** Which minutes leave a window of this length when its end moves: those above `after` up to `through`. */
export function leavingRange(length: number, head: number, next: number): { after: number; through: number } | undefined {
  const range = { after: head - length, through: Math.min(head, next - length) }
  return range.through > range.after ? range : undefined
}

/** Adds a change to every window that holds its minute. */
export function add<S extends Sums>(sums: S, head: number, { minute, delta, row }: Change): S {
  const burn = { ...sums.burn }
  for (const name of windowNames) if (minute > head - burnWindows[name] && minute <= head) burn[name] = plus(burn[name], delta)
  return {
    ...sums,
    begin: row.total > 0 ? Math.min(sums.begin, minute) : sums.begin,
    budget: minute >= sums.start && minute <= head ? plus(sums.budget, delta) : sums.budget,
    burn,
  }
}

/** What the hours get of these changes. */
export function byHour(changes: readonly Change[]): Map<number, Change['delta']> {
  const hours = new Map<number, Change['delta']>()
  for (const { minute, delta } of changes) {
    const hour = Math.floor(minute / hourMinutes) * hourMinutes
    const sum = hours.get(hour)
    hours.set(hour, sum ? { good: sum.good + delta.good, total: sum.total + delta.total, ...plus(sum, delta) } : delta)
  }
  return hours
}

/** Bad ones and all of a window that ends with `head`. */
export interface Share {
  bad: number
  total: number
}

export function budgetShare(rule: Rule, sums: Sums, head: number): Share {
  return shareOf(rule, sums.budget, head - Math.max(sums.begin, sums.start) + 1)
}

export function burnShare(rule: Rule, sums: Sums, head: number, name: BurnWindow): Share {
  return shareOf(rule, sums.burn[name], Math.min(head - sums.begin + 1, burnWindows[name]))
}

/** Of slices all count that have passed, whether anything came or not; not those of which nobody knows. */
function shareOf({ method, sliceMinutes }: Rule, { bad, units, gap }: Units, minutes: number): Share {
  return { bad, total: method === 'Occurrences' ? units : Math.max(0, minutes - gap) / sliceMinutes }
}

/** One release's minute, as the router counted it. */
export interface Golden {
  release: number
  statuses: readonly number[]
  routerErrors: number
  durations: readonly number[]
}

/** What the router counted of a minute, all releases together. */
export function countGolden({ golden, thresholdMs }: NonNullable<SloSpec['indicator']>, releases: readonly Golden[]): Counted {
  const each = releases.map(({ release, statuses, routerErrors, durations }): BurnedBy => {
    const total = statuses.reduce((sum, count) => sum + count, 0)
    if (golden === 'requests') return { release, total, bad: statuses[4] ?? 0, app: Math.max(0, (statuses[4] ?? 0) - routerErrors), router: Math.min(routerErrors, statuses[4] ?? 0) }
    const measured = durations.reduce((sum, count) => sum + count, 0)
    return { release, total: measured, bad: measured - within(durations, thresholdMs ?? 0) }
  })
  const total = each.reduce((sum, one) => sum + one.total, 0)
  const bad = each.reduce((sum, one) => sum + one.bad, 0)
  const detail = each.filter((one) => one.bad > 0).toSorted((one, other) => other.bad - one.bad)
  return { good: total - bad, total, gap: 0, ...(detail.length > 0 ? { detail } : {}) }
}

/** How many were answered within this time: whole buckets, and of the one that holds it a share as long as the way to it; whole answers. */
function within(durations: readonly number[], thresholdMs: number): number {
  let count = 0
  for (const [index, inBucket] of durations.entries()) {
    const lower = index === 0 ? 0 : durationBucketsMs[index - 1]!
    const upper = durationBucketsMs[index]
    if (upper !== undefined && upper <= thresholdMs) count += inBucket
    else if (upper !== undefined && lower < thresholdMs) count += Math.round((inBucket * (thresholdMs - lower)) / (upper - lower))
  }
  return count
}

/** Items by a key, in the order in which they came. */
export function grouped<T, K>(items: Iterable<T>, key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}
