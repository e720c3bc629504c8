/** Questions of other parts of the platform, in PromQL: of the judge, of objectives. */
import { setImmediate } from 'node:timers/promises'
import { fail } from '@pavior/contract'
import type { SeriesSource } from '../metrics/series.ts'
import type { Gate } from './gate.ts'
import { withOwn } from './own.ts'

/** What waits for the answer decides every few seconds. */
const patienceMs = 10_000

export interface QueryResult {
  labels: Record<string, string>
  value: number
}

export interface QueryReads {
  /** What a query of one value for each series gives at a moment, in the metrics of one team. Throws QUERY_INVALID, QUERY_FAILED, QUERY_TOO_LARGE, QUERY_TIMEOUT. */
  query: (team: string, text: string, at: Date) => Promise<QueryResult[]>
  /** The only value of a query; undefined when it gives none, or no number. Throws QUERY_FAILED when it gives several. */
  value: (team: string, text: string, at: Date) => Promise<number | undefined>
  /** Throws QUERY_INVALID with the position. */
  check: (text: string) => Promise<void>
}

export function createQueryReads({ source, gate }: { source: SeriesSource; gate: Gate }): QueryReads {
  const query: QueryReads['query'] = async (team, text, at) => {
    const { answerQuery } = await import('../promql/query.ts')
    const signal = AbortSignal.timeout(patienceMs)
    const asked = { text, teams: withOwn([team]), startMs: at.getTime(), endMs: at.getTime(), stepMs: undefined, signal }
    const answer = await gate.through(() => answerQuery({ source, now: () => performance.now(), pause: () => setImmediate() }, asked), signal)
    if (answer.type === 'scalar') return [{ labels: {}, value: answer.values[0]! }]
    if (answer.type !== 'vector') throw fail('QUERY_FAILED', { message: 'The query gives no values of one moment.', fix: 'Ask for an instant vector or a number, for example rate(x[5m]) instead of x[5m].' })
    return answer.columns.filter(({ present }) => present[0] === 1).map(({ labels, values }) => ({ labels, value: values[0]! }))
  }
  return {
    query,
    value: async (team, text, at) => {
      const results = await query(team, text, at)
      if (results.length > 1) throw fail('QUERY_FAILED', { message: `The query gives ${results.length} values, and one is asked for.`, fix: 'Aggregate them, for example by sum() or max().' })
      const value = results[0]?.value
      return value === undefined || Number.isNaN(value) ? undefined : value
    },
    check: async (text) => {
      const { parseQuery } = await import('../promql/parse.ts')
      parseQuery(text)
    },
  }
}
