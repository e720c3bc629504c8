/** What a Prometheus elsewhere may be asked, and what its answers say. Pure; answers come from outside and may be anything. */
import { fail } from '@pavior/contract'
import type { QueryResult } from '../query/reads.ts'
import { all, type Parameters } from '../query/parameters.ts'
import type { SourceAnswer } from './ports.ts'

/** What is handed on of each question. */
export const parametersOfPath: Record<string, readonly string[]> = {
  query: ['query', 'time', 'timeout'],
  query_range: ['query', 'start', 'end', 'step', 'timeout'],
  series: ['match[]', 'start', 'end', 'limit'],
  labels: ['match[]', 'start', 'end', 'limit'],
  values: ['match[]', 'start', 'end', 'limit'],
  metadata: ['metric', 'limit'],
}

export function handedOn(path: string, parameters: Parameters): URLSearchParams {
  return new URLSearchParams((parametersOfPath[path] ?? []).flatMap((name) => all(parameters, name).map((value): [string, string] => [name, value])))
}

/** Throws what the other side says is wrong with the question (QUERY_INVALID, QUERY_FAILED, QUERY_TIMEOUT), or with itself (SOURCE_FAILED). */
export function refuseUnlessWell(name: string, { status, isJson, body, cut, said }: SourceAnswer): void {
  if (cut) throw fail('QUERY_TOO_LARGE', { message: `The answer of ${name} is larger than it may be.`, fix: 'Ask for fewer series, or in larger steps.' })
  if (status === 200 && isJson) return
  const error = isJson ? errorIn(body) : undefined
  if (error !== undefined && status === 400) throw fail('QUERY_INVALID', { message: `${name} cannot read the query: ${error}` })
  if (error !== undefined && status === 422) throw fail('QUERY_FAILED', { message: `${name} cannot answer the query: ${error}` })
  if (error !== undefined && status === 503) throw fail('QUERY_TIMEOUT', { message: `${name} did not answer the query in time: ${error}` })
  throw sourceFailed(name, status === 200 ? 'It answered, but not as Prometheus does.' : `It answered ${status}${said === '' ? '' : `: ${said}`}.`)
}

export function sourceFailed(name: string, why: string): Error {
  return fail('SOURCE_FAILED', { message: `MetricSource ${name} does not answer. ${why}`, why })
}

const longestError = 300

function errorIn(body: Buffer): string | undefined {
  try {
    const { error } = JSON.parse(body.toString('utf8')) as { error?: unknown }
    return typeof error === 'string' ? error.slice(0, longestError) : undefined
  } catch {
    return undefined
  }
}

/** Values of one moment. Throws QUERY_FAILED for other kinds of results, SOURCE_FAILED for what is no answer. */
export function resultsIn(name: string, body: Buffer): QueryResult[] {
  const odd = (): Error => sourceFailed(name, 'It answered, but not as Prometheus does.')
  let data: { resultType?: unknown; result?: unknown } | undefined
  try {
    data = (JSON.parse(body.toString('utf8')) as { data?: typeof data }).data
  } catch {
    throw odd()
  }
  if (data?.resultType === 'scalar' && Array.isArray(data.result)) return [{ labels: {}, value: numberOf(data.result[1]) }]
  if (data?.resultType === 'matrix' || data?.resultType === 'string') throw fail('QUERY_FAILED', { message: 'The query gives no values of one moment.', fix: 'Ask for an instant vector or a number, for example rate(x[5m]) instead of x[5m].' })
  if (data?.resultType !== 'vector' || !Array.isArray(data.result)) throw odd()
  return (data.result as unknown[]).flatMap((row) => {
    const { metric, value } = (row ?? {}) as { metric?: Record<string, unknown>; value?: unknown }
    if (typeof metric !== 'object' || metric === null || !Array.isArray(value)) throw odd()
    return [{ labels: Object.fromEntries(Object.entries(metric).filter((pair): pair is [string, string] => typeof pair[1] === 'string')), value: numberOf(value[1]) }]
  })
}

function numberOf(text: unknown): number {
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  return typeof text === 'string' && text !== '' ? Number(text) : NaN
}
