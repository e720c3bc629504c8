/** What becomes of points: put together, thinned out, taken or refused. Pure. */
import { isStale, type Points } from './encoding.ts'

/** Points of one series out of several places, in the order in which they were written: of one time the last written is right. */
export function merge(parts: readonly Points[]): Points {
  if (parts.length === 1 && rises(parts[0]!.times)) return parts[0]!
  const times = concat(parts.map((part) => part.times))
  const values = concat(parts.map((part) => part.values))
  if (rises(times)) return { times, values }
  const order = new Uint32Array(times.length).map((_, index) => index).sort((one, other) => times[one]! - times[other]! || one - other)
  const kept = order.filter((place, index) => index + 1 === order.length || times[order[index + 1]!] !== times[place])
  return pick({ times, values }, kept)
}

function rises(times: Float64Array): boolean {
  for (let index = 1; index < times.length; index++) if (times[index]! <= times[index - 1]!) return false
  return true
}

function concat(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function pick({ times, values }: Points, places: ArrayLike<number>): Points {
  const out = { times: new Float64Array(places.length), values: new Float64Array(places.length) }
  for (let index = 0; index < places.length; index++) {
    out.times[index] = times[places[index]!]!
    out.values[index] = values[places[index]!]!
  }
  return out
}

/** Both ends in it. */
export function within({ times, values }: Points, fromMs: number, untilMs: number): Points {
  let [begin, end] = [0, times.length]
  while (begin < end && times[begin]! < fromMs) begin++
  while (end > begin && times[end - 1]! > untilMs) end--
  return { times: times.subarray(begin, end), values: values.subarray(begin, end) }
}

/**
 * One point for each bucket of time: its last, at its own time. Where a counter begins anew, the points before and after stay
 * too, so that the increase over any time is what it was.
 */
export function thinOut(points: Points, bucketMs: number, isCounter: boolean): Points {
  const { times, values } = points
  const kept: number[] = []
  for (let index = 0; index < times.length; index++) {
    const last = index + 1 === times.length
    const endsBucket = last || Math.floor(times[index + 1]! / bucketMs) !== Math.floor(times[index]! / bucketMs)
    const beforeReset = !last && isCounter && values[index + 1]! < values[index]!
    const afterReset = index > 0 && isCounter && values[index]! < values[index - 1]!
    if (endsBucket || beforeReset || afterReset || isStale(values, index)) kept.push(index)
  }
  return kept.length === times.length ? points : pick(points, kept)
}

/** Blocks of at most so many points each. */
export function cut({ times, values }: Points, most: number): Points[] {
  const out: Points[] = []
  for (let at = 0; at < times.length; at += most) out.push({ times: times.slice(at, at + most), values: values.slice(at, at + most) })
  return out
}

/** Ages at which points are thinned out and deleted, in milliseconds. */
export interface Retention {
  /** As they came. */
  rawMs: number
  /** One a minute. */
  minutesMs: number
  /** One an hour. */
  hoursMs: number
}

export interface Tier {
  bucketMs: number
  /** Older blocks go on to the next tier. */
  keepMs: number
}

/** Tier 0 is as points came. */
export function tiersOf({ rawMs, minutesMs, hoursMs }: Retention): Tier[] {
  return [
    { bucketMs: 0, keepMs: rawMs },
    { bucketMs: 60_000, keepMs: minutesMs },
    { bucketMs: 3600_000, keepMs: hoursMs },
  ]
}

/** Why points are not taken. */
export type DropReason = 'series_limit' | 'rate' | 'labels' | 'too_old' | 'in_the_future' | 'late_delta' | 'unsupported' | 'span_rate' | 'broken_span'

export const dropReasons: Record<DropReason, string> = {
  series_limit: 'The app has as many series as it may have; those that were there go on.',
  rate: 'The app sends more points a second than it may.',
  labels: 'A point has too many labels, or a name or value that is too long.',
  too_old: 'A point is older than points are kept as they come.',
  in_the_future: 'A point is of a time that has not come.',
  late_delta: 'A difference came again, or after a later one.',
  span_rate: 'The app sends more spans a second than it may; those that failed are dropped last.',
  broken_span: 'A span has no trace, no id or no time.',
  unsupported: 'A point has no value, or is of a kind that is not known.',
}

/** Why a point of this time is not taken. */
export function refusedTime(timeMs: number, nowMs: number, { rawMs }: Retention, aheadMs: number): DropReason | undefined {
  if (!(timeMs > nowMs - rawMs)) return 'too_old'
  return timeMs > nowMs + aheadMs ? 'in_the_future' : undefined
}
