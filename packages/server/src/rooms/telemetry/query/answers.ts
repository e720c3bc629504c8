/** Answers as Prometheus writes them: numbers as text, and the times as seconds. In parts, because they can be long. */
import { isPaviorError, type PaviorError } from '@pavior/contract'
import { keyOf, type Labels } from '../promql/labels.ts'
import { valueText } from '../promql/numbers.ts'
import type { Answer } from '../promql/query.ts'
import type { Column, Grid, Points } from '../promql/values.ts'

export function* answerParts(answer: Answer, isRange: boolean): Generator<string> {
  yield '{"status":"success","data":'
  if (answer.type === 'string') yield typed('string', `[${answer.grid.startMs / 1000},${JSON.stringify(answer.text)}]`)
  else if (answer.type === 'points') yield* listed('matrix', inOrder(answer.points), ({ labels, times, values }) => matrixRow(labels, [...pairs(times, values)]))
  else if (!isRange) yield* answer.type === 'scalar' ? [typed('scalar', pair(answer.grid.startMs, answer.values[0]!))] : listed('vector', answer.columns, (column) => vectorRow(column, answer.grid))
  else {
    const columns = answer.type === 'scalar' ? [{ labels: {}, values: answer.values, present: new Uint8Array(answer.grid.count).fill(1) }] : inOrder(answer.columns.filter(({ present }) => present.includes(1)))
    yield* listed('matrix', columns, ({ labels, values, present }) => matrixRow(labels, [...presentPairs(values, present, answer.grid)]))
  }
  yield '}'
}

function typed(type: string, result: string): string {
  return `{"resultType":"${type}","result":${result}}`
}

function* listed<T>(type: string, rows: T[], write: (row: T) => string): Generator<string> {
  yield `{"resultType":"${type}","result":[`
  for (const [index, row] of rows.entries()) yield `${index === 0 ? '' : ','}${write(row)}`
  yield ']}'
}

function inOrder<T extends Column | Points>(rows: T[]): T[] {
  const keys = new Map(rows.map((row) => [row, keyOf(row.labels)]))
  return rows.toSorted((one, other) => (keys.get(one)! < keys.get(other)! ? -1 : 1))
}

function vectorRow({ labels, values }: Column, { startMs }: Grid): string {
  return `{"metric":${metricText(labels)},"value":${pair(startMs, values[0]!)}}`
}

function matrixRow(labels: Labels, values: string[]): string {
  return `{"metric":${metricText(labels)},"values":[${values.join(',')}]}`
}

function metricText(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1))))
}

function* pairs(times: Float64Array, values: Float64Array): Generator<string> {
  for (let index = 0; index < times.length; index++) yield pair(times[index]!, values[index]!)
}

function* presentPairs(values: Float64Array, present: Uint8Array, { startMs, stepMs }: Grid): Generator<string> {
  for (let step = 0; step < present.length; step++) if (present[step] === 1) yield pair(startMs + step * stepMs, values[step]!)
}

function pair(ms: number, value: number): string {
  return `[${ms / 1000},"${valueText(value)}"]`
}

/** The words of Prometheus for what went wrong, by HTTP status. */
const errorTypes: Record<number, string> = { 400: 'bad_data', 404: 'not_found', 422: 'execution', 429: 'unavailable', 503: 'timeout' }

/** Prometheus' form with our own error inside, which its clients pass over. Undefined: not one that a client of Prometheus expects. */
export function refusalOf(error: unknown): { http: number; body: object } | undefined {
  if (!isPaviorError(error)) return undefined
  const { http } = (error as PaviorError).entry
  const errorType = errorTypes[http]
  return errorType === undefined ? undefined : { http, body: { status: 'error', errorType, error: error.details.message, details: { pavior: error.toObject() } } }
}
