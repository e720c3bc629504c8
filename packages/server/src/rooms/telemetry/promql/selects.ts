/** Which points a query needs: one window for each set of matchers, so that each is read once. */
import type { Matcher, Series, SeriesSource } from '../metrics/series.ts'
import { innerOf, type At, type Expression, type Selector } from './ast.ts'
import { checkSignal, type Budget } from './budget.ts'
import { splitMatchers } from './matchers.ts'
import type { Points } from './values.ts'

/** How old the last point of a series may be to be its value still. */
export const lookbackMs = 300_000
export const usualSubqueryStepMs = 60_000

export interface QueryTimes {
  startMs: number
  endMs: number
}

export interface Need extends QueryTimes {
  matchers: readonly Matcher[]
  selectors: Selector[]
}

export function timeOf(at: At, { startMs, endMs }: QueryTimes): number {
  return at === 'start' ? startMs : at === 'end' ? endMs : at.ms
}

/** Windows that touch each other become one; those far apart stay two. */
export function needsOf(expression: Expression, query: QueryTimes): Need[] {
  const needs: Need[] = []
  const visit = (inner: Expression, times: QueryTimes): void => {
    if (inner.type === 'selector') {
      const { startMs, endMs } = shifted(inner, times, inner.rangeMs ?? lookbackMs)
      needs.push({ matchers: inner.matchers, startMs, endMs, selectors: [inner] })
    } else if (inner.type === 'subquery') visit(inner.inner, shifted(inner, times, inner.rangeMs))
    else for (const each of innerOf(inner)) visit(each, times)
  }
  const shifted = ({ at, offsetMs }: { at: At | undefined; offsetMs: number }, times: QueryTimes, backMs: number): QueryTimes => {
    const fixed = at === undefined ? undefined : timeOf(at, query)
    return { startMs: (fixed ?? times.startMs) - offsetMs - backMs, endMs: (fixed ?? times.endMs) - offsetMs }
  }
  visit(expression, query)
  return merged(needs)
}

function merged(needs: Need[]): Need[] {
  const kept: Need[] = []
  for (const need of needs.toSorted((one, other) => one.startMs - other.startMs)) {
    const key = JSON.stringify(need.matchers)
    const same = kept.find((each) => JSON.stringify(each.matchers) === key && need.startMs <= each.endMs)
    if (same) {
      same.endMs = Math.max(same.endMs, need.endMs)
      same.selectors.push(...need.selectors)
    } else kept.push({ ...need, selectors: [...need.selectors] })
  }
  return kept
}

/** Reads what is needed; the points of each selector, stale markers still in them. */
export async function readNeeds(needs: Need[], source: SeriesSource, teams: readonly string[] | undefined, signal: AbortSignal, budget: Budget): Promise<Map<Selector, Series[]>> {
  const series = new Map<Selector, Series[]>()
  for (const { matchers, startMs, endMs, selectors } of needs) {
    const { asked, fits } = splitMatchers(matchers)
    const given = await source.select({ teams, matchers: asked, fromMs: startMs, untilMs: endMs }, signal).catch((error: unknown) => {
      checkSignal(signal)
      throw error
    })
    checkSignal(signal)
    const found = given.filter(({ labels }) => fits(labels))
    for (const { times } of given) budget.load(times.length)
    for (const selector of selectors) series.set(selector, found)
  }
  return series
}

/** Upper and lower half of the NaN with which Prometheus says that a series has ended. */
const [staleHigh, staleLow] = [0x7ff00000, 2]

/** A number cannot tell: only its bits do. */
export function staleMarks(values: Float64Array): Uint8Array | undefined {
  let marks: Uint8Array | undefined
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  for (let index = 0; index < values.length; index++) {
    // Nothing equals itself but what is a number.
    if (values[index] === values[index] || bits[index * 2] !== staleLow || bits[index * 2 + 1] !== staleHigh) continue
    marks ??= new Uint8Array(values.length)
    marks[index] = 1
  }
  return marks
}

/** Without the stale markers: what functions over ranges see. */
export function withoutStale({ labels, times, values }: Series): Points {
  const marks = staleMarks(values)
  if (!marks) return { labels, times, values }
  const keep = (_: number, index: number): boolean => marks[index] === 0
  return { labels, times: times.filter(keep), values: values.filter(keep) }
}
