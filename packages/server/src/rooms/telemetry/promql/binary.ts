/** Operators between two values: arithmetic, comparisons, sets, and the matching of series. */
import { comparisons, setOperators, type Binary, type Matching } from './ast.ts'
import type { Budget } from './budget.ts'
import { except, keyOf, keyOn, labelsText, metricName, only, withLabel, withoutName, type Labels } from './labels.ts'
import { unanswerable } from './refusals.ts'
import { hasAny, newColumn, type Column, type Grid } from './values.ts'

type Operation = (left: number, right: number) => number

const operations: Record<string, Operation> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
  '^': power,
  atan2: Math.atan2,
}

const tests: Record<string, (left: number, right: number) => boolean> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '>': (left, right) => left > right,
  '<': (left, right) => left < right,
  '>=': (left, right) => left >= right,
  '<=': (left, right) => left <= right,
}

/** As IEEE 754 and Go have it, where JavaScript gives NaN. */
function power(base: number, exponent: number): number {
  return base === 1 || (base === -1 && Math.abs(exponent) === Infinity) ? 1 : base ** exponent
}

/** Undefined leaves the value out. */
function apply({ op, bool }: Binary, left: number, right: number): number | undefined {
  const operation = operations[op]
  if (operation) return operation(left, right)
  const holds = tests[op]!(left, right)
  if (bool) return holds ? 1 : 0
  return holds ? left : undefined
}

export function betweenScalars(binary: Binary, left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, step) => apply(binary, value, right[step]!)!)
}

function dropsName({ op, bool }: Binary): boolean {
  // Prometheus 2.42 keeps the name behind atan2 alone.
  return bool || (!comparisons.has(op) && op !== 'atan2')
}

/** A series with a scalar; `scalarLeft`: the scalar is on the left. A comparison keeps the value of the series. */
export async function withScalar(binary: Binary, columns: Column[], scalar: Float64Array, scalarLeft: boolean, grid: Grid, budget: Budget): Promise<Column[]> {
  const results: Column[] = []
  const keepsSeries = comparisons.has(binary.op) && !binary.bool
  for (const { labels, values, present } of columns) {
    if (budget.touch(grid.count)) await budget.breathe()
    const result = newColumn(dropsName(binary) ? withoutName(labels) : labels, grid, budget)
    for (let step = 0; step < grid.count; step++) {
      if (present[step] === 0) continue
      const value = scalarLeft ? apply(binary, scalar[step]!, values[step]!) : apply(binary, values[step]!, scalar[step]!)
      if (value === undefined) continue
      result.values[step] = keepsSeries ? values[step]! : value
      result.present[step] = 1
    }
    results.push(result)
  }
  return results
}

export interface BetweenRequest {
  binary: Binary
  left: Column[]
  right: Column[]
  grid: Grid
  budget: Budget
}

export async function betweenVectors(request: BetweenRequest): Promise<Column[]> {
  const { binary, left, right, grid, budget } = request
  const matching = binary.matching ?? { on: false, labels: [], many: undefined, include: [] }
  const signature = signatureOf(matching)
  if (setOperators.has(binary.op)) return betweenSets(binary.op, left, right, signature, grid, budget)
  const swapped = matching.many === 'right'
  const [many, one] = swapped ? [right, left] : [left, right]
  const matcher = new Matcher({ ...request, matching, swapped, signature })
  const groups = await matcher.groups(one, many)
  for (const column of many) await matcher.match(column, groups.get(signature(column.labels)))
  return matcher.results()
}

function signatureOf({ on, labels }: Matching): (labels: Labels) => string {
  const names = labels.toSorted()
  const ignored = new Set([...labels, metricName])
  return on ? (of) => keyOn(of, names) : (of) => keyOf(except(of, ignored))
}

/** Series of the side with one, and which of them is there at each step; -1: none. */
interface OneSide {
  columns: Column[]
  at: Int32Array
  /** Steps at which this group has met a series of the other side. */
  met: Uint8Array
}

interface MatcherRequest extends BetweenRequest {
  matching: Matching
  swapped: boolean
  signature: (labels: Labels) => string
}

class Matcher {
  readonly #request: MatcherRequest
  readonly #results = new Map<string, Column>()

  constructor(request: MatcherRequest) {
    this.#request = request
  }

  results(): Column[] {
    return [...this.#results.values()].filter(hasAny)
  }

  async groups(one: Column[], many: Column[]): Promise<Map<string, OneSide>> {
    const { grid, budget, signature, swapped } = this.#request
    const someOfMany = anyOf(many, grid)
    const groups = new Map<string, OneSide>()
    for (const column of one) {
      if (budget.touch(grid.count)) await budget.breathe()
      const key = signature(column.labels)
      const group = groups.get(key) ?? newSide(grid, budget)
      groups.set(key, group)
      const index = group.columns.push(column) - 1
      for (let step = 0; step < grid.count; step++) {
        if (column.present[step] === 0) continue
        const before = group.at[step]!
        if (before >= 0 && someOfMany[step] === 1) throw twice(group.columns[before]!, column, swapped ? 'left' : 'right')
        group.at[step] = index
      }
    }
    return groups
  }

  async match(column: Column, group: OneSide | undefined): Promise<void> {
    if (!group) return
    const { binary, grid, budget, matching, swapped } = this.#request
    if (budget.touch(grid.count)) await budget.breathe()
    let [partner, result]: [number, Column | undefined] = [-1, undefined]
    for (let step = 0; step < grid.count; step++) {
      const index = group.at[step]!
      if (column.present[step] === 0 || index < 0) continue
      const [own, other] = [column.values[step]!, group.columns[index]!.values[step]!]
      const value = swapped ? apply(binary, other, own) : apply(binary, own, other)
      if (value === undefined) continue
      if (!matching.many && group.met[step] === 1) throw unanswerable('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right).')
      group.met[step] = 1
      if (!result || index !== partner) [partner, result] = [index, this.#resultFor(column.labels, group.columns[index]!.labels)]
      if (result.present[step] === 1) throw unanswerable('multiple matches for labels: grouping labels must ensure unique matches.')
      result.present[step] = 1
      result.values[step] = value
    }
  }

  #resultFor(many: Labels, one: Labels): Column {
    const labels = this.#labelsOf(many, one)
    const key = keyOf(labels)
    const known = this.#results.get(key) ?? newColumn(labels, this.#request.grid, this.#request.budget)
    this.#results.set(key, known)
    return known
  }

  #labelsOf(many: Labels, one: Labels): Labels {
    const { binary, matching } = this.#request
    let labels = dropsName(binary) ? withoutName(many) : many
    if (!matching.many) labels = matching.on ? only(labels, matching.labels) : except(labels, new Set(matching.labels))
    for (const name of matching.include) labels = withLabel(labels, name, one[name] ?? '')
    return labels
  }
}

function newSide(grid: Grid, budget: Budget): OneSide {
  budget.hold(grid.count)
  return { columns: [], at: new Int32Array(grid.count).fill(-1), met: new Uint8Array(grid.count) }
}

function twice(first: Column, second: Column, side: string): Error {
  return unanswerable(
    `found duplicate series for the match group on the ${side} hand-side of the operation: [${labelsText(first.labels)}, ${labelsText(second.labels)}];many-to-many matching not allowed: matching labels must be unique on one side.`,
    'Name the labels that tell the series apart with on or ignoring, or aggregate that side.',
  )
}

function anyOf(columns: Column[], { count }: Grid): Uint8Array {
  const any = new Uint8Array(count)
  for (const { present } of columns) for (let step = 0; step < count; step++) any[step]! |= present[step]!
  return any
}

async function betweenSets(op: string, left: Column[], right: Column[], signature: (labels: Labels) => string, grid: Grid, budget: Budget): Promise<Column[]> {
  const [kept, other] = op === 'or' ? [right, left] : [left, right]
  const masks = new Map<string, Uint8Array>()
  for (const column of other) {
    if (budget.touch(grid.count)) await budget.breathe()
    const key = signature(column.labels)
    const mask = masks.get(key)
    if (!mask) masks.set(key, column.present.slice())
    else for (let step = 0; step < grid.count; step++) mask[step]! |= column.present[step]!
  }
  const wanted = op === 'and' ? 1 : 0
  const filtered: Column[] = []
  for (const { labels, values, present } of kept) {
    if (budget.touch(grid.count)) await budget.breathe()
    const mask = masks.get(signature(labels))
    if (!mask && wanted === 1) continue
    const result = { labels, values, present: mask ? present.map((there, step) => there & (mask[step] === wanted ? 1 : 0)) : present }
    if (hasAny(result)) filtered.push(result)
  }
  return op === 'or' ? [...left, ...filtered] : filtered
}
