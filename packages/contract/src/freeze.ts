/** When nothing may change: single periods and weekly windows in the time zone of those who declared them. Pure. */
import type { FreezeSpec } from './kinds/index.ts'
import { dayNumber, timeOfDay, toLocal, weekdayOf } from './zones.ts'

export interface Frozen {
  reason: string
  /** When it ends, to the minute; undefined when it does not within `horizonMs`. */
  until: Date | undefined
}

type Weekly = NonNullable<FreezeSpec['weekly']>

const minuteMs = 60_000
const coarseMs = 15 * minuteMs
const horizonMs = 15 * 24 * 3600_000

/** The freeze that holds this environment now and ends last; undefined when there is none. */
export function frozenBy(freezes: readonly FreezeSpec[], place: FreezePlace, now: Date): Frozen | undefined {
  const here = freezes.filter((freeze) => freezeApplies(freeze, place))
  const holding = here.find((freeze) => freezeHolds(freeze, now))
  return holding && { reason: holding.reason, until: endOf(here, now) }
}

export interface FreezePlace {
  environment: string
  tier: string
}

export function freezeApplies({ environments, tiers }: FreezeSpec, { environment, tier }: FreezePlace): boolean {
  return (environments === undefined || environments.includes(environment)) && (tiers === undefined || tiers.includes(tier as never))
}

/** `allows` turns it round: changes only within the time that it names. */
export function freezeHolds({ from, until, weekly, allows }: FreezeSpec, now: Date): boolean {
  const begun = from === undefined || Date.parse(from) <= now.getTime()
  const over = until !== undefined && Date.parse(until) <= now.getTime()
  // Outside of its period a freeze says nothing, and neither does a window of changes.
  if (!begun || over) return false
  return weekly === undefined ? allows !== true : isWithin(weekly, now) !== (allows === true)
}

function isWithin({ days, from, to, timeZone }: Weekly, now: Date): boolean {
  const local = toLocal(now.getTime(), timeZone)
  const [begin, end] = [timeOfDay(from), timeOfDay(to)]
  const on = (day: number): boolean => days.includes(weekdayOf(day))
  const today = dayNumber(local)
  if (begin < end) return on(today) && local.time >= begin && local.time < end
  // Over midnight: it belongs to the day on which it begins.
  return (on(today) && local.time >= begin) || (on(today - 1) && local.time < end)
}

/** Looked for in steps, so that daylight saving and freezes that follow each other need no rules of their own. */
function endOf(freezes: readonly FreezeSpec[], now: Date): Date | undefined {
  const frozen = (at: number): boolean => freezes.some((freeze) => freezeHolds(freeze, new Date(at)))
  const first = Math.floor(now.getTime() / minuteMs) * minuteMs
  for (let at = first + coarseMs; at <= first + horizonMs; at += coarseMs) {
    if (frozen(at)) continue
    let minute = at
    while (minute - minuteMs > first && !frozen(minute - minuteMs)) minute -= minuteMs
    return new Date(minute)
  }
  return undefined
}
