/** Many queries in one request: each is answered as soon as it can be, and none waits for one that fails or takes long. */
import { setImmediate } from 'node:timers/promises'
import { fail, isPaviorError, type AskedQueries, type AskedQuery, type QueryAnswer } from '@pavior/contract'
import type { WriteLine } from '../../../kernel/api/lines.ts'
import { deadline } from '../../../kernel/deadline.ts'
import type { SeriesSource } from '../metrics/series.ts'
import { mostSteps, type Answer } from '../promql/query.ts'
import type { Column } from '../promql/values.ts'
import type { Gate } from '../query/gate.ts'
import { withOwn } from '../query/own.ts'

/** Half of what the gate lets through: the judge, objectives and other people ask too. */
const atOnce = 2
const mostQueries = 60
/** More lines or rows in one panel say nothing. */
export const mostSeries = 50
export const patienceMs = 10_000

export interface AnswerDeps {
  source: SeriesSource
  gate: Gate
  patienceMs?: number
}

/** Throws BAD_REQUEST for what is no list of queries over a time. */
export function readAsked(body: unknown): AskedQueries {
  const { from, until, step, queries } = (body ?? {}) as Partial<AskedQueries>
  const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 1e11
  if (!isTime(from) || !isTime(until) || !isTime(step) || step <= 0 || until < from) throw fail('BAD_REQUEST', { message: 'Give from, until and step in seconds; from is not after until.' })
  if ((until - from) / step > mostSteps) throw fail('BAD_REQUEST', { message: `There are more than ${mostSteps} steps.`, fix: 'Give a longer step.' })
  if (!Array.isArray(queries) || queries.length === 0 || queries.length > mostQueries) throw fail('BAD_REQUEST', { message: `Give 1 to ${mostQueries} queries.` })
  return { from, until, step, queries: queries.map(readQuery) }
}

function readQuery(given: unknown): AskedQuery {
  const { query, instant } = (given ?? {}) as { query?: unknown; instant?: unknown }
  if (typeof query !== 'string') throw fail('BAD_REQUEST', { message: 'A query is an object with the text as "query".' })
  return { query, instant: instant === true }
}

export async function answerAll(asked: AskedQueries, team: string, write: WriteLine, signal: AbortSignal, deps: AnswerDeps): Promise<void> {
  const waiting = asked.queries.map((query, index) => ({ query, index }))
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) await write({ index: next.index, ...(await answerOne(next.query, asked, team, signal, deps)) })
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

/** The answer without its place among the queries. */
type One = QueryAnswer extends infer Each ? (Each extends unknown ? Omit<Each, 'index'> : never) : never

async function answerOne({ query: text, instant }: AskedQuery, { from, until, step }: AskedQueries, team: string, signal: AbortSignal, { source, gate, patienceMs: patience = patienceMs }: AnswerDeps): Promise<One> {
  const limited = deadline(patience, signal)
  const times = instant ? { startMs: until * 1000, endMs: until * 1000, stepMs: undefined } : { startMs: from * 1000, endMs: until * 1000, stepMs: step * 1000 }
  try {
    const { answerQuery } = await import('../promql/query.ts')
    const answer = await gate.through(() => answerQuery({ source, now: () => performance.now(), pause: () => setImmediate() }, { text, teams: withOwn([team]), signal: limited.signal, ...times }), limited.signal)
    return shown(answer)
  } catch (error) {
    if (!isPaviorError(error)) throw error
    const { code } = error
    const { message, fix, facts } = error.details
    return { error: { code, message, ...(fix === undefined ? {} : { fix }), ...(facts as { from?: number; to?: number }) } }
  } finally {
    limited.clear()
  }
}

function shown(answer: Answer): One {
  if (answer.type === 'string' || answer.type === 'points') throw fail('QUERY_FAILED', { message: 'The query gives no numbers that a panel could show.', fix: 'Ask for an instant vector or a number, for example rate(x[5m]) instead of x[5m].' })
  if (answer.type === 'scalar') return { series: [{ labels: {}, values: [...answer.values].map(finite) }], found: 1 }
  const columns = answer.columns.filter(({ present }) => present.includes(1))
  return { series: largest(columns).map(({ labels, values, present }) => ({ labels, values: [...values].map((value, index) => (present[index] === 1 ? finite(value) : null)) })), found: columns.length }
}

function largest(columns: Column[]): Column[] {
  if (columns.length <= mostSeries) return columns
  const most = new Map(columns.map((column) => [column, column.values.reduce((before, value, index) => (column.present[index] === 1 && value > before ? value : before), -Infinity)]))
  return columns.toSorted((one, other) => most.get(other)! - most.get(one)!).slice(0, mostSeries)
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
