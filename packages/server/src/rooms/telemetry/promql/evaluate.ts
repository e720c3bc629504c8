/**
 * An expression over a grid of times → columns of values, with the semantics of Prometheus 2.42.
 *
 * Every part is evaluated for all steps at once, series by series: a window moves along two arrays of numbers, instead of
 * objects being made at every step.
 */
import type { Series } from '../metrics/series.ts'
import { aggregate, inOrder } from './aggregate.ts'
import { bare, innerOf, type Aggregation, type Binary, type Call, type Expression, type Selector, type Subquery } from './ast.ts'
import { betweenScalars, betweenVectors, withScalar } from './binary.ts'
import type { Budget } from './budget.ts'
import { typeOf } from './check.ts'
import { histogramQuantile } from './histogram.ts'
import { labelJoin, labelReplace } from './label-functions.ts'
import { keyOf, metricName, withoutName, type Labels } from './labels.ts'
import { unanswerable } from './refusals.ts'
import { lookbackMs, staleMarks, timeOf, usualSubqueryStepMs, withoutStale, type QueryTimes } from './selects.ts'
import { boundedFunctions, calendarFunctions, valueFunctions } from './value-functions.ts'
import { hasAny, joined, newColumn, type Column, type Grid, type Points, type Value } from './values.ts'
import { windowFunctions, type Window } from './window-functions.ts'

export interface EvaluatorDeps {
  grid: Grid
  /** Of the whole query: what start() and end() are. */
  query: QueryTimes
  series: ReadonlyMap<Selector, Series[]>
  budget: Budget
}

/** What follows a range: where its windows end, relative to each step. */
interface Windows {
  points: Points[]
  rangeMs: number
  endAt: (step: number) => number
}

/** Functions whose value depends on when it is asked for, whatever their arguments; those of the calendar without one. */
const ofTheMoment = new Set(['time', 'timestamp', 'predict_linear'])

export class Evaluator {
  readonly #deps: EvaluatorDeps

  constructor(deps: EvaluatorDeps) {
    this.#deps = deps
  }

  /** Throws QUERY_FAILED, QUERY_TOO_LARGE, QUERY_TIMEOUT. */
  async evaluate(expression: Expression): Promise<Value> {
    const { grid } = this.#deps
    const inner = bare(expression)
    if (grid.count === 1 || inner.type === 'number' || inner.type === 'string' || !isTheSameAtEveryStep(inner)) return this.#evaluate(inner)
    return this.#repeated(await new Evaluator({ ...this.#deps, grid: { ...grid, count: 1 } }).evaluate(inner))
  }

  /** Points of a range, as they are: what an instant query for a range answers. */
  async points(expression: Expression): Promise<Points[]> {
    const { points, rangeMs, endAt } = await this.#windows(expression)
    const endMs = endAt(0)
    return points.flatMap(({ labels, times, values }) => {
      const [from, to] = [firstFrom(times, endMs - rangeMs, 0), firstFrom(times, endMs + 1, 0)]
      return to > from ? [{ labels, times: times.subarray(from, to), values: values.subarray(from, to) }] : []
    })
  }

  #evaluate(expression: Exclude<Expression, { type: 'parentheses' }>): Promise<Value> | Value {
    switch (expression.type) {
      case 'number':
        return { type: 'scalar', values: new Float64Array(this.#deps.grid.count).fill(expression.value) }
      case 'string':
        return { type: 'string', text: expression.value }
      case 'selector':
        return this.#instant(expression, false)
      case 'negation':
        return this.#negated(expression.inner)
      case 'aggregation':
        return this.#aggregation(expression)
      case 'binary':
        return this.#binary(expression)
      case 'call':
        return this.#call(expression)
      default:
        throw unanswerable('A range has no single value.')
    }
  }

  #timeAt(step: number): number {
    const { startMs, stepMs } = this.#deps.grid
    return startMs + step * stepMs
  }

  #endOf({ at, offsetMs }: Selector | Subquery): (step: number) => number {
    const fixed = at === undefined ? undefined : timeOf(at, this.#deps.query)
    return (step) => (fixed ?? this.#timeAt(step)) - offsetMs
  }

  async #columns(expression: Expression): Promise<Column[]> {
    const value = await this.evaluate(expression)
    return value.type === 'vector' ? value.columns : []
  }

  async #scalar(expression: Expression): Promise<Float64Array> {
    const value = await this.evaluate(expression)
    return value.type === 'scalar' ? value.values : new Float64Array()
  }

  async #text(expression: Expression): Promise<string> {
    const value = await this.evaluate(expression)
    return value.type === 'string' ? value.text : ''
  }

  #repeated(value: Value): Value {
    const { grid, budget } = this.#deps
    if (value.type === 'string') return value
    if (value.type === 'scalar') return { type: 'scalar', values: new Float64Array(grid.count).fill(value.values[0]!) }
    const columns = value.columns.map(({ labels, values, present }) => {
      const column = newColumn(labels, grid, budget)
      column.values.fill(values[0]!)
      column.present.fill(present[0]!)
      return column
    })
    return { type: 'vector', columns }
  }

  /** The last point of each series that is not too old; `timesOnly`: when it was, in seconds, instead of its value. */
  async #instant(selector: Selector, timesOnly: boolean): Promise<Value> {
    const { grid, budget, series } = this.#deps
    const endAt = this.#endOf(selector)
    const columns: Column[] = []
    for (const { labels, times, values } of series.get(selector) ?? []) {
      if (budget.touch(grid.count)) await budget.breathe()
      const column = newColumn(labels, grid, budget)
      const stale = staleMarks(values)
      let next = 0
      for (let step = 0; step < grid.count; step++) {
        const endMs = endAt(step)
        while (next < times.length && times[next]! <= endMs) next++
        const last = next - 1
        if (last < 0 || times[last]! < endMs - lookbackMs || stale?.[last] === 1) continue
        column.values[step] = timesOnly ? times[last]! / 1000 : values[last]!
        column.present[step] = 1
      }
      if (hasAny(column)) columns.push(timesOnly ? { ...column, labels: withoutName(labels) } : column)
    }
    return { type: 'vector', columns: timesOnly ? joined(columns) : columns }
  }

  async #windows(expression: Expression): Promise<Windows> {
    const range = bare(expression)
    if (range.type === 'selector') return { points: (this.#deps.series.get(range) ?? []).map(withoutStale), rangeMs: range.rangeMs!, endAt: this.#endOf(range) }
    if (range.type !== 'subquery') throw unanswerable('A function over a range was given none.')
    return { points: await this.#subquery(range), rangeMs: range.rangeMs, endAt: this.#endOf(range) }
  }

  /** Steps of a subquery stand at multiples of its step, whenever it is asked. */
  async #subquery(subquery: Subquery): Promise<Points[]> {
    const { grid, budget } = this.#deps
    const endAt = this.#endOf(subquery)
    const stepMs = subquery.stepMs ?? usualSubqueryStepMs
    const [beginMs, endMs] = [endAt(0) - subquery.rangeMs, endAt(grid.count - 1)]
    const startMs = Math.ceil(beginMs / stepMs) * stepMs
    if (startMs > endMs) return []
    const inner: Grid = { startMs, stepMs, count: Math.floor((endMs - startMs) / stepMs) + 1 }
    const value = await new Evaluator({ ...this.#deps, grid: inner }).evaluate(subquery.inner)
    if (value.type !== 'vector') return []
    return value.columns.map(({ labels, values, present }) => {
      budget.hold(inner.count)
      const there = (_: number, step: number): boolean => present[step] === 1
      return { labels, times: values.map((_, step) => startMs + step * stepMs).filter(there), values: values.filter(there) }
    })
  }

  async #negated(inner: Expression): Promise<Value> {
    const { grid, budget } = this.#deps
    const value = await this.evaluate(inner)
    if (value.type === 'scalar') return { type: 'scalar', values: value.values.map((each) => -each) }
    return value.type === 'vector' ? { type: 'vector', columns: joined(value.columns.map((column) => mapped(column, grid, budget, (each) => -each))) } : value
  }

  async #aggregation({ op, parameter, inner, grouping, without }: Aggregation): Promise<Value> {
    const { grid, budget } = this.#deps
    const columns = await this.#columns(inner)
    const label = op === 'count_values' ? await this.#text(parameter!) : undefined
    const scalar = parameter && label === undefined ? await this.#scalar(parameter) : undefined
    return { type: 'vector', columns: await aggregate({ op, grouping: { labels: grouping, without }, parameter: scalar, label, columns, grid, budget }) }
  }

  async #binary(binary: Binary): Promise<Value> {
    const { grid, budget } = this.#deps
    const left = await this.evaluate(binary.left)
    const right = await this.evaluate(binary.right)
    if (left.type === 'scalar' && right.type === 'scalar') return { type: 'scalar', values: betweenScalars(binary, left.values, right.values) }
    if (left.type === 'vector' && right.type === 'vector') return { type: 'vector', columns: joined(await betweenVectors({ binary, left: left.columns, right: right.columns, grid, budget })) }
    const columns = left.type === 'vector' ? left.columns : right.type === 'vector' ? right.columns : []
    const scalar = left.type === 'scalar' ? left.values : right.type === 'scalar' ? right.values : new Float64Array()
    return { type: 'vector', columns: joined((await withScalar(binary, columns, scalar, left.type === 'scalar', grid, budget)).filter(hasAny)) }
  }

  async #call(call: Call): Promise<Value> {
    const { name, args } = call
    if (windowFunctions.has(name)) return this.#overWindows(call)
    if (valueFunctions.has(name)) return this.#mapped(args[0]!, valueFunctions.get(name)!)
    if (calendarFunctions.has(name)) return this.#calendar(args[0], calendarFunctions.get(name)!)
    if (boundedFunctions.has(name)) return this.#bounded(call)
    return this.#special(call)
  }

  async #special({ name, args }: Call): Promise<Value> {
    const { grid, budget } = this.#deps
    const [first] = args
    switch (name) {
      case 'time':
        return { type: 'scalar', values: new Float64Array(grid.count).map((_, step) => this.#timeAt(step) / 1000) }
      case 'pi':
        return { type: 'scalar', values: new Float64Array(grid.count).fill(Math.PI) }
      case 'scalar':
        return { type: 'scalar', values: await this.#onlyOne(await this.#columns(first!)) }
      case 'vector':
        return { type: 'vector', columns: [{ labels: {}, values: await this.#scalar(first!), present: new Uint8Array(grid.count).fill(1) }] }
      case 'timestamp': {
        const selector = bare(first!)
        return selector.type === 'selector' ? this.#instant(selector, true) : this.#mapped(first!, (_, atMs) => atMs / 1000)
      }
      case 'sort':
      case 'sort_desc': {
        const columns = await this.#columns(first!)
        return { type: 'vector', columns: grid.count === 1 ? inOrder(columns, name === 'sort_desc') : columns }
      }
      case 'absent':
        return this.#missing(first!, (await this.#columns(first!)).map(({ present }) => present))
      case 'absent_over_time':
        return this.#missing(bare(first!), await this.#presence(first!))
      case 'histogram_quantile':
        return { type: 'vector', columns: await histogramQuantile(await this.#scalar(first!), await this.#columns(args[1]!), grid, budget) }
      default:
        return this.#relabelled(name, args)
    }
  }

  async #relabelled(name: string, args: Expression[]): Promise<Value> {
    const columns = await this.#columns(args[0]!)
    const texts: string[] = []
    for (const arg of args.slice(1)) texts.push(await this.#text(arg))
    const changed = name === 'label_replace' ? await labelReplace(columns, texts as [string, string, string, string], this.#deps.budget) : labelJoin(columns, texts[0]!, texts[1]!, texts.slice(2))
    return { type: 'vector', columns: joined(changed) }
  }

  async #overWindows({ name, args }: Call): Promise<Value> {
    const { grid, budget } = this.#deps
    const argument = args.find((arg) => typeOf(arg) === 'scalar')
    const scalars = argument && (await this.#scalar(argument))
    const { points, rangeMs, endAt } = await this.#windows(args.find((arg) => typeOf(arg) === 'range vector')!)
    const work = windowFunctions.get(name)!
    const columns: Column[] = []
    for (const { labels, times, values } of points) {
      const column = newColumn(name === 'last_over_time' ? labels : withoutName(labels), grid, budget)
      const window: Window = { times, values, from: 0, to: 0, beginMs: 0, endMs: 0, atMs: 0, argument: 0 }
      for (let step = 0; step < grid.count; step++) {
        moveTo(window, endAt(step), rangeMs)
        if (window.to === window.from) continue
        if (budget.touch(window.to - window.from)) await budget.breathe()
        window.atMs = this.#timeAt(step)
        window.argument = scalars?.[step] ?? 0
        const value = work(window)
        if (value === undefined) continue
        column.values[step] = value
        column.present[step] = 1
      }
      if (hasAny(column)) columns.push(column)
    }
    return { type: 'vector', columns: distinct(columns) }
  }

  async #mapped(inner: Expression, change: (value: number, atMs: number) => number): Promise<Value> {
    const { grid, budget } = this.#deps
    const columns: Column[] = []
    for (const column of await this.#columns(inner)) {
      if (budget.touch(grid.count)) await budget.breathe()
      columns.push(mapped(column, grid, budget, (value, step) => change(value, this.#timeAt(step))))
    }
    return { type: 'vector', columns: joined(columns) }
  }

  /** Without an argument: of the moment itself. */
  async #calendar(inner: Expression | undefined, of: (seconds: number) => number): Promise<Value> {
    if (inner) return this.#mapped(inner, of)
    const { grid } = this.#deps
    return { type: 'vector', columns: [{ labels: {}, values: new Float64Array(grid.count).map((_, step) => of(this.#timeAt(step) / 1000)), present: new Uint8Array(grid.count).fill(1) }] }
  }

  async #bounded({ name, args }: Call): Promise<Value> {
    const { grid, budget } = this.#deps
    const change = boundedFunctions.get(name)!
    const columns = await this.#columns(args[0]!)
    const scalars: Float64Array[] = []
    for (const arg of args.slice(1)) scalars.push(await this.#scalar(arg))
    const results = columns.map((column) => mapped(column, grid, budget, (value, step) => change(value, ...scalars.map((each) => each[step]!))))
    return { type: 'vector', columns: joined(results.filter(hasAny)) }
  }

  /** NaN where there is none, or more than one. */
  async #onlyOne(columns: Column[]): Promise<Float64Array> {
    const { grid, budget } = this.#deps
    const counts = new Uint32Array(grid.count)
    const only = new Float64Array(grid.count)
    for (const { values, present } of columns) {
      if (budget.touch(grid.count)) await budget.breathe()
      for (let step = 0; step < grid.count; step++) {
        if (present[step] === 0) continue
        counts[step]!++
        only[step] = values[step]!
      }
    }
    return only.map((value, step) => (counts[step] === 1 ? value : NaN))
  }

  /** At which steps each series has a point in its window. */
  async #presence(range: Expression): Promise<Uint8Array[]> {
    const { grid, budget } = this.#deps
    const { points, rangeMs, endAt } = await this.#windows(range)
    const masks: Uint8Array[] = []
    for (const { times, values } of points) {
      if (budget.touch(grid.count)) await budget.breathe()
      const window: Window = { times, values, from: 0, to: 0, beginMs: 0, endMs: 0, atMs: 0, argument: 0 }
      masks.push(new Uint8Array(grid.count).map((_, step) => (moveTo(window, endAt(step), rangeMs), window.to > window.from ? 1 : 0)))
    }
    return masks
  }

  #missing(selector: Expression, masks: Uint8Array[]): Value {
    const { grid, budget } = this.#deps
    const column = newColumn(labelsOfMissing(selector), grid, budget)
    column.values.fill(1)
    for (let step = 0; step < grid.count; step++) column.present[step] = masks.some((mask) => mask[step] === 1) ? 0 : 1
    return { type: 'vector', columns: hasAny(column) ? [column] : [] }
  }
}

/** An `@` in every selector makes it so. */
function isTheSameAtEveryStep(expression: Expression): boolean {
  if (expression.type === 'selector' || expression.type === 'subquery') return expression.at !== undefined
  if (expression.type === 'call' && (ofTheMoment.has(expression.name) || (expression.args.length === 0 && calendarFunctions.has(expression.name)))) return false
  return innerOf(expression).every(isTheSameAtEveryStep)
}

function mapped({ labels, values, present }: Column, grid: Grid, budget: Budget, change: (value: number, step: number) => number | undefined): Column {
  const result = newColumn(withoutName(labels), grid, budget)
  for (let step = 0; step < grid.count; step++) {
    const value = present[step] === 1 ? change(values[step]!, step) : undefined
    if (value === undefined) continue
    result.values[step] = value
    result.present[step] = 1
  }
  return result
}

/** Moves on to the window that ends there. Windows only ever move forward. */
function moveTo(window: Window, endMs: number, rangeMs: number): void {
  const { times } = window
  window.endMs = endMs
  window.beginMs = endMs - rangeMs
  while (window.to < times.length && times[window.to]! <= endMs) window.to++
  while (window.from < window.to && times[window.from]! < window.beginMs) window.from++
}

function firstFrom(times: Float64Array, atMs: number, from: number): number {
  let index = from
  while (index < times.length && times[index]! < atMs) index++
  return index
}

/** Series that are the same without their names are an error here even at different times, as in Prometheus. */
function distinct(columns: Column[]): Column[] {
  if (new Set(columns.map(({ labels }) => keyOf(labels))).size === columns.length) return columns
  throw unanswerable('vector cannot contain metrics with the same labelset.', 'Name one metric, or keep a label that tells the series apart.')
}

/** What is known of the series that is not there: labels that the selector asks for once, with `=`. */
function labelsOfMissing(selector: Expression): Labels {
  const labels: Labels = {}
  if (selector.type !== 'selector') return labels
  const met = new Set<string>()
  for (const { name, op, value } of selector.matchers) {
    if (name === metricName) continue
    if (op === '=' && !met.has(name) && value !== '') labels[name] = value
    else delete labels[name]
    if (op === '=') met.add(name)
  }
  return labels
}
