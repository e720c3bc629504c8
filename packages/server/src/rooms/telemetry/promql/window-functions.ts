/** Functions over a window of a series: `rate`, `avg_over_time` and the like. They give undefined where the window says nothing. */
import { ExactSum, lineThrough, quantileOf } from './sums.ts'

/** Points `from` to `to` of a series; it is moved along, never made anew. */
export interface Window {
  times: Float64Array
  values: Float64Array
  from: number
  to: number
  /** Ends of the window, both in it, in milliseconds. */
  beginMs: number
  endMs: number
  /** When it is evaluated: the end of the window without its offset. */
  atMs: number
  /** The scalar argument, of those who have one. */
  argument: number
}

export type WindowFunction = (window: Window) => number | undefined

export const windowFunctions: ReadonlyMap<string, WindowFunction> = new Map<string, WindowFunction>([
  ['rate', (window) => extrapolated(window, true, true)],
  ['increase', (window) => extrapolated(window, true, false)],
  ['delta', (window) => extrapolated(window, false, false)],
  ['irate', (window) => lastTwo(window, true)],
  ['idelta', (window) => lastTwo(window, false)],
  ['deriv', ({ times, values, from, to }) => (to - from < 2 ? undefined : lineThrough(times, values, from, to, times[from]!).slope)],
  ['predict_linear', predicted],
  ['changes', changes],
  ['resets', resets],
  ['sum_over_time', summed],
  ['avg_over_time', mean],
  ['min_over_time', ({ values, from, to }) => extreme(values, from, to, (value, best) => value < best)],
  ['max_over_time', ({ values, from, to }) => extreme(values, from, to, (value, best) => value > best)],
  ['count_over_time', ({ from, to }) => to - from],
  ['present_over_time', () => 1],
  ['last_over_time', ({ values, to }) => values[to - 1]],
  ['stdvar_over_time', variance],
  ['stddev_over_time', (window) => Math.sqrt(variance(window))],
  ['quantile_over_time', ({ values, from, to, argument }) => quantileOf(argument, values.slice(from, to))],
])

/** The difference over the window, as far as it goes beyond the first and last point: the rules of Prometheus' `extrapolatedRate`. */
function extrapolated({ times, values, from, to, beginMs, endMs }: Window, isCounter: boolean, isRate: boolean): number | undefined {
  const count = to - from
  if (count < 2) return undefined
  const first = values[from]!
  let result = values[to - 1]! - first
  if (isCounter) {
    let before = first
    for (let index = from + 1; index < to; index++) {
      const value = values[index]!
      if (value < before) result += before
      before = value
    }
  }
  const sampled = (times[to - 1]! - times[from]!) / 1000
  const average = sampled / (count - 1)
  let toStart = (times[from]! - beginMs) / 1000
  const toEnd = (endMs - times[to - 1]!) / 1000
  // A counter never was below zero, so it cannot have risen for longer than since then.
  if (isCounter && result > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / result))
  const threshold = average * 1.1
  const interval = sampled + (toStart < threshold ? toStart : average / 2) + (toEnd < threshold ? toEnd : average / 2)
  const factor = isRate ? interval / sampled / ((endMs - beginMs) / 1000) : interval / sampled
  return result * factor
}

function lastTwo({ times, values, from, to }: Window, isRate: boolean): number | undefined {
  if (to - from < 2) return undefined
  const [before, last] = [values[to - 2]!, values[to - 1]!]
  const intervalMs = times[to - 1]! - times[to - 2]!
  if (intervalMs === 0) return undefined
  if (!isRate) return last - before
  return (last < before ? last : last - before) / (intervalMs / 1000)
}

function predicted({ times, values, from, to, atMs, argument }: Window): number | undefined {
  if (to - from < 2) return undefined
  const { slope, intercept } = lineThrough(times, values, from, to, atMs)
  return slope * argument + intercept
}

function changes({ values, from, to }: Window): number {
  let count = 0
  for (let index = from + 1; index < to; index++) {
    const [before, value] = [values[index - 1]!, values[index]!]
    if (value !== before && !(Number.isNaN(value) && Number.isNaN(before))) count++
  }
  return count
}

function resets({ values, from, to }: Window): number {
  let count = 0
  for (let index = from + 1; index < to; index++) if (values[index]! < values[index - 1]!) count++
  return count
}

function summed({ values, from, to }: Window): number {
  const sum = new ExactSum()
  for (let index = from; index < to; index++) sum.add(values[index]!)
  return isInfinite(sum.sum) ? sum.sum : sum.value
}

function mean({ values, from, to }: Window): number {
  const sum = new ExactSum()
  for (let index = from, count = 1; index < to; index++, count++) {
    const value = values[index]!
    // An infinite mean stays so, unless the other infinity or NaN comes.
    if (isInfinite(sum.sum) && (isInfinite(value) ? value > 0 === sum.sum > 0 : !Number.isNaN(value))) continue
    sum.add(value / count - sum.sum / count)
  }
  return isInfinite(sum.sum) ? sum.sum : sum.value
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity
}

function extreme(values: Float64Array, from: number, to: number, isBetter: (value: number, best: number) => boolean): number {
  let best = values[from]!
  for (let index = from + 1; index < to; index++) {
    const value = values[index]!
    if (isBetter(value, best) || Number.isNaN(best)) best = value
  }
  return best
}

function variance({ values, from, to }: Window): number {
  const [average, squares] = [new ExactSum(), new ExactSum()]
  for (let index = from, count = 1; index < to; index++, count++) {
    const value = values[index]!
    const delta = value - average.value
    average.add(delta / count)
    squares.add(delta * (value - average.value))
  }
  return squares.value / (to - from)
}
