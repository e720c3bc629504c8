/** A query as it is asked: text and times → its answer. */
import { fail } from '@pavior/contract'
import type { SeriesSource } from '../metrics/series.ts'
import type { Expression, ValueType } from './ast.ts'
import { Budget, checkSignal, type BudgetDeps } from './budget.ts'
import { typeOf } from './check.ts'
import { Evaluator } from './evaluate.ts'
import { parseQuery } from './parse.ts'
import { refuse } from './refusals.ts'
import { needsOf, readNeeds } from './selects.ts'
import type { Column, Grid, Points } from './values.ts'

/** As many as Prometheus gives. */
export const mostSteps = 11_000

export interface QueryDeps extends Omit<BudgetDeps, 'signal'> {
  source: SeriesSource
}

export interface QueryRequest {
  text: string
  /** Teams whose series may be seen; undefined: all. */
  teams: readonly string[] | undefined
  startMs: number
  endMs: number
  /** Undefined: at one moment, `startMs`. */
  stepMs: number | undefined
  signal: AbortSignal
}

export type Answer =
  | { type: 'scalar'; grid: Grid; values: Float64Array }
  | { type: 'string'; grid: Grid; text: string }
  | { type: 'vector'; grid: Grid; columns: Column[] }
  | { type: 'points'; grid: Grid; points: Points[] }

/** Throws QUERY_INVALID, QUERY_FAILED, QUERY_TOO_LARGE, QUERY_TIMEOUT. */
export async function answerQuery({ source, ...clock }: QueryDeps, { text, teams, startMs, endMs, stepMs, signal }: QueryRequest): Promise<Answer> {
  const expression = parseQuery(text)
  const type = typeOf(expression)
  const grid = gridOf(startMs, endMs, stepMs)
  if (stepMs !== undefined) checkRangeType(text, expression, type)
  const budget = new Budget({ ...clock, signal })
  checkSignal(signal)
  const query = { startMs, endMs: stepMs === undefined ? startMs : endMs }
  const series = await readNeeds(needsOf(expression, query), source, teams, signal, budget)
  const evaluator = new Evaluator({ grid, query, series, budget })
  if (type === 'range vector') return { type: 'points', grid, points: await evaluator.points(expression) }
  return { grid, ...(await evaluator.evaluate(expression)) }
}

function gridOf(startMs: number, endMs: number, stepMs: number | undefined): Grid {
  if (stepMs === undefined) return { startMs, stepMs: 1, count: 1 }
  if (endMs < startMs) throw fail('QUERY_INVALID', { message: 'The range ends before it starts.' })
  if (!(stepMs > 0)) throw fail('QUERY_INVALID', { message: 'The step must be longer than nothing.' })
  if ((endMs - startMs) / stepMs > mostSteps) throw fail('QUERY_INVALID', { message: 'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX).' })
  return { startMs, stepMs, count: Math.floor((endMs - startMs) / stepMs) + 1 }
}

function checkRangeType(text: string, expression: Expression, type: ValueType): void {
  if (type !== 'scalar' && type !== 'instant vector') throw refuse(text, expression, `A query over a range gives a scalar or an instant vector; this is a ${type}.`)
}
