/** Aggregations: many series become few, step by step. */
import type { Budget } from './budget.ts'
import { except, isLabelName, keyOf, metricName, only, withLabel, type Labels } from './labels.ts'
import { plainText } from './numbers.ts'
import { unanswerable } from './refusals.ts'
import { quantileOf } from './sums.ts'
import { hasAny, newColumn, type Column, type Grid } from './values.ts'

export interface Grouping {
  labels: string[]
  without: boolean
}

interface Group {
  labels: Labels
  members: Column[]
}

/** Takes one value of a step after the other; `state` is of this step, and zero at first. */
interface Fold {
  add(state: State, value: number): void
  result(state: State): number
}

interface State {
  count: number
  value: number
  mean: number
}

const folds: Record<string, Fold> = {
  sum: { add: (state, value) => void (state.value = state.count === 1 ? value : state.value + value), result: ({ value }) => value },
  count: { add: () => undefined, result: ({ count }) => count },
  group: { add: () => undefined, result: () => 1 },
  min: { add: (state, value) => void (state.value = state.count === 1 || state.value > value || Number.isNaN(state.value) ? value : state.value), result: ({ value }) => value },
  max: { add: (state, value) => void (state.value = state.count === 1 || state.value < value || Number.isNaN(state.value) ? value : state.value), result: ({ value }) => value },
  avg: { add: addToMean, result: ({ mean }) => mean },
  stdvar: { add: addSquare, result: ({ value, count }) => value / count },
  stddev: { add: addSquare, result: ({ value, count }) => Math.sqrt(value / count) },
}

/** Divided before it is added, so that large values do not overflow. */
function addToMean(state: State, value: number): void {
  const { mean, count } = state
  if (count === 1) {
    state.mean = value
    return
  }
  const stays = Math.abs(mean) === Infinity && (Math.abs(value) === Infinity ? value > 0 === mean > 0 : !Number.isNaN(value))
  if (!stays) state.mean = mean + (value / count - mean / count)
}

function addSquare(state: State, value: number): void {
  if (state.count === 1) {
    state.mean = value
    return
  }
  const delta = value - state.mean
  state.mean += delta / state.count
  state.value += delta * (value - state.mean)
}

export interface AggregationRequest {
  op: string
  grouping: Grouping
  /** At every step; of topk, bottomk and quantile. */
  parameter: Float64Array | undefined
  /** Of count_values. */
  label: string | undefined
  columns: Column[]
  grid: Grid
  budget: Budget
}

export async function aggregate(request: AggregationRequest): Promise<Column[]> {
  const { op, grouping, columns, grid, budget, parameter, label } = request
  const groups = groupsOf(columns, grouping)
  const results: Column[] = []
  for (const group of groups) {
    if (op === 'count_values') results.push(...(await countValues(group, label!, grid, budget)))
    else if (op === 'topk' || op === 'bottomk') results.push(...(await extremes(group, op === 'topk', parameter!, grid, budget)))
    else if (op === 'quantile') results.push(await quantile(group, parameter!, grid, budget))
    else results.push(await folded(group, folds[op]!, grid, budget))
  }
  return results.filter(hasAny)
}

function groupsOf(columns: Column[], { labels: names, without }: Grouping): Group[] {
  const groups = new Map<string, Group>()
  const left = new Set([...names, metricName])
  for (const column of columns) {
    const labels = without ? except(column.labels, left) : only(column.labels, names)
    const key = keyOf(labels)
    const group = groups.get(key)
    if (group) group.members.push(column)
    else groups.set(key, { labels, members: [column] })
  }
  return [...groups.values()]
}

async function folded({ labels, members }: Group, { add, result }: Fold, grid: Grid, budget: Budget): Promise<Column> {
  const column = newColumn(labels, grid, budget)
  const state: State = { count: 0, value: 0, mean: 0 }
  for (let step = 0; step < grid.count; step++) {
    if (budget.touch(members.length)) await budget.breathe()
    state.count = state.value = state.mean = 0
    for (const { values, present } of members) {
      if (present[step] === 0) continue
      state.count++
      add(state, values[step]!)
    }
    if (state.count === 0) continue
    column.values[step] = result(state)
    column.present[step] = 1
  }
  return column
}

async function quantile({ labels, members }: Group, parameter: Float64Array, grid: Grid, budget: Budget): Promise<Column> {
  const column = newColumn(labels, grid, budget)
  const room = new Float64Array(members.length)
  for (let step = 0; step < grid.count; step++) {
    if (budget.touch(members.length)) await budget.breathe()
    let count = 0
    for (const { values, present } of members) if (present[step] === 1) room[count++] = values[step]!
    if (count === 0) continue
    column.values[step] = quantileOf(parameter[step]!, room.subarray(0, count))
    column.present[step] = 1
  }
  return column
}

/** The members themselves, present where they are among the first. */
async function extremes({ members }: Group, largest: boolean, parameter: Float64Array, grid: Grid, budget: Budget): Promise<Column[]> {
  const kept = members.map(({ labels }) => newColumn(labels, grid, budget))
  const isBetter = (one: number, other: number): boolean => (largest ? one > other : one < other)
  for (let step = 0; step < grid.count; step++) {
    const most = Math.trunc(parameter[step]!)
    if (Number.isNaN(most)) throw unanswerable('The number of series to keep is not a number.')
    if (most < 1) continue
    if (budget.touch(members.length * 2)) await budget.breathe()
    const chosen = [...members.keys()].filter((index) => members[index]!.present[step] === 1)
    const valueOf = (index: number): number => members[index]!.values[step]!
    // NaN is the last of all; of the same values the first stays.
    if (chosen.length > most) {
      chosen.sort((one, other) => {
        const [a, b] = [valueOf(one), valueOf(other)]
        if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
        return isBetter(a, b) ? -1 : isBetter(b, a) ? 1 : 0
      })
      chosen.length = most
    }
    for (const index of chosen) {
      kept[index]!.values[step] = valueOf(index)
      kept[index]!.present[step] = 1
    }
  }
  return grid.count === 1 ? inOrder(kept.filter(hasAny), largest) : kept
}

/** By the value of the first step, NaN last. */
export function inOrder(columns: Column[], descending: boolean): Column[] {
  return columns.toSorted(({ values: [a = NaN] }, { values: [b = NaN] }) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return descending ? b - a : a - b
  })
}

async function countValues({ labels, members }: Group, label: string, grid: Grid, budget: Budget): Promise<Column[]> {
  if (!isLabelName(label)) throw unanswerable(`count_values cannot set "${label}", which is no name of a label.`)
  const counts = new Map<string, Column>()
  for (let step = 0; step < grid.count; step++) {
    if (budget.touch(members.length * 4)) await budget.breathe()
    for (const { values, present } of members) {
      if (present[step] === 0) continue
      const text = plainText(values[step]!)
      const column = counts.get(text) ?? newColumn(withLabel(labels, label, text), grid, budget)
      counts.set(text, column)
      column.values[step] = column.values[step]! + 1
      column.present[step] = 1
    }
  }
  return [...counts.values()]
}
