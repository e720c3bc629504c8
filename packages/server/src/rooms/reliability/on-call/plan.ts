/** Who is on call when: turns by the clock on the wall, layer over layer, and whoever stands in. Pure. */
import { dateOf, dayNumber, timeOfDay, toLocal, toUtc, weekdayOf, type OnCallLayer, type OnCallScheduleSpec } from '@pavior/contract'

/** From `fromMs` until before `untilMs`, milliseconds since the epoch. */
export interface Shift {
  /** Undefined: nobody. */
  user: string | undefined
  /** Undefined for an override, and for nobody. */
  layer: string | undefined
  fromMs: number
  untilMs: number
}

const usualHandoff = '09:00'

/** Shifts that follow each other without a hole from one moment to another; what goes on before and after is cut off. */
export function shiftsOf(spec: OnCallScheduleSpec, fromMs: number, untilMs: number): Shift[] {
  const shifts: Shift[] = []
  for (const at of [fromMs, ...cutsOf(spec, fromMs, untilMs)]) {
    const { user, layer } = onCallAt(spec, at)
    const last = shifts.at(-1)
    if (last) last.untilMs = at
    if (last && last.user === user && last.layer === layer) last.untilMs = untilMs
    else shifts.push({ user, layer, fromMs: at, untilMs })
  }
  return shifts
}

/** The last override that covers the moment, else the last layer that holds. */
export function onCallAt({ overrides = [], layers, ...spec }: OnCallScheduleSpec, at: number): Pick<Shift, 'user' | 'layer'> {
  const override = overrides.findLast(({ from, until }) => Date.parse(from) <= at && at < Date.parse(until))
  if (override) return { user: override.user, layer: undefined }
  for (const layer of layers.toReversed()) {
    const turn = turnAt(layer, spec.timeZone, at)
    if (turn >= 0 && holds(layer, spec, at)) return { user: layer.users[turn % layer.users.length], layer: layer.name }
  }
  return { user: undefined, layer: undefined }
}

/** Number of the turn that holds this moment, from 0; negative before the first. Turns change by moments, so that an hour which the clocks show twice hands over once. */
function turnAt(layer: OnCallLayer, timeZone: string, at: number): number {
  const { start, every = 'week', count = 1, handoff = usualHandoff } = layer
  const length = (every === 'week' ? 7 : 1) * count
  const first = dayNumber(dateIn(start))
  const begins = (turn: number): number => toUtc({ ...dateOf(first + turn * length), time: timeOfDay(handoff) }, timeZone)
  let turn = Math.floor((dayNumber(toLocal(at, timeZone)) - first) / length)
  while (begins(turn) > at) turn--
  while (begins(turn + 1) <= at) turn++
  return turn
}

function dateIn(text: string): { year: number; month: number; day: number } {
  const [year, month, day] = text.split('-').map(Number)
  return { year: year!, month: month! - 1, day: day! }
}

function holds({ within, holidays: when = 'also' }: OnCallLayer, { timeZone, holidays = [] }: Pick<OnCallScheduleSpec, 'timeZone' | 'holidays'>, at: number): boolean {
  const today = dayNumber(toLocal(at, timeZone))
  const free = holidays.some((day) => dayNumber(dateIn(day)) === today)
  if (when !== 'also' && free !== (when === 'only')) return false
  // Over midnight it belongs to the day on which it begins.
  return within === undefined || [today - 1, today].some((day) => isWithin(within, timeZone, day, at))
}

function isWithin({ days, from, to }: NonNullable<OnCallLayer['within']>, timeZone: string, day: number, at: number): boolean {
  if (days && !(days as string[]).includes(weekdayOf(day))) return false
  const [begins, ends] = [timeOfDay(from), timeOfDay(to)]
  return toUtc({ ...dateOf(day), time: begins }, timeZone) <= at && at < toUtc({ ...dateOf(ends <= begins ? day + 1 : day), time: ends }, timeZone)
}

/** Every moment at which somebody else may be on call. */
function cutsOf({ timeZone, layers, holidays = [], overrides = [] }: OnCallScheduleSpec, fromMs: number, untilMs: number): number[] {
  const times = new Set(layers.flatMap(({ handoff = usualHandoff, within }) => [handoff, ...(within ? [within.from, within.to] : [])]).map(timeOfDay))
  if (holidays.length > 0) times.add(0)
  const cuts = new Set(overrides.flatMap(({ from, until }) => [Date.parse(from), Date.parse(until)]))
  const last = dayNumber(toLocal(untilMs, timeZone)) + 1
  for (let day = dayNumber(toLocal(fromMs, timeZone)) - 1; day <= last; day++) for (const time of times) cuts.add(toUtc({ ...dateOf(day), time }, timeZone))
  return [...cuts].filter((at) => at > fromMs && at < untilMs).toSorted((one, other) => one - other)
}

/** Times in which nobody is on call. */
export function gapsOf(shifts: readonly Shift[]): Shift[] {
  return shifts.filter(({ user }) => user === undefined)
}
