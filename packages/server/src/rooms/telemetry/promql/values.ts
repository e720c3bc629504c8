/** What evaluation passes around: values at every step of a grid, one column a series. */
import { type Budget } from './budget.ts'
import { keyOf, type Labels } from './labels.ts'
import { unanswerable } from './refusals.ts'

/** Times at which an expression is evaluated, in milliseconds. */
export interface Grid {
  startMs: number
  stepMs: number
  count: number
}

/** One series over the grid: `values[i]` holds where `present[i]` is 1. */
export interface Column {
  labels: Labels
  values: Float64Array
  present: Uint8Array
}

/** Points of a series over time, without stale markers. */
export interface Points {
  labels: Labels
  times: Float64Array
  values: Float64Array
}

export type Value = { type: 'scalar'; values: Float64Array } | { type: 'string'; text: string } | { type: 'vector'; columns: Column[] }

export function newColumn(labels: Labels, { count }: Grid, budget: Budget): Column {
  budget.hold(count)
  return { labels, values: new Float64Array(count), present: new Uint8Array(count) }
}

export function hasAny({ present }: Column): boolean {
  return present.includes(1)
}

/** Columns of the same labels become one; two values at one step are an error, as in Prometheus. */
export function joined(columns: Column[], what = 'vector cannot contain metrics with the same labelset'): Column[] {
  const known = new Map<string, Column>()
  for (const column of columns) {
    const key = keyOf(column.labels)
    const first = known.get(key)
    if (first) mergeInto(first, column, what)
    else known.set(key, column)
  }
  return known.size === columns.length ? columns : [...known.values()]
}

function mergeInto(target: Column, { values, present }: Column, what: string): void {
  for (let index = 0; index < present.length; index++) {
    if (present[index] === 0) continue
    if (target.present[index] === 1) throw unanswerable(`${what}.`, 'Keep a label that tells the series apart, or aggregate them.')
    target.present[index] = 1
    target.values[index] = values[index]!
  }
}
