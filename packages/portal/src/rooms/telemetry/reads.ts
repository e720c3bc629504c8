/** What the explorer asks the server: Prometheus' query API. */
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { functions, type Suggestion } from './completion.ts'
import { stepFor, type RangeSeries } from './lines.ts'

/** Whose metrics are asked for, and of whom. */
export interface AskedOf {
  /** Undefined: of all teams that the caller sees. */
  team: string | undefined
  /** A MetricSource of the team instead of Pavior. */
  source?: string | undefined
}

function baseOf({ source }: AskedOf): string {
  return source === undefined ? '/prometheus/api/v1' : `/prometheus/sources/${encodeURIComponent(source)}/api/v1`
}

/** Names and labels change slowly. */
const staleMs = 60_000
/** A metric that nobody sent for so long is not offered. */
const namesWithinSeconds = 300

interface RangeAnswer {
  data: { result: RangeSeries[] }
}

export interface Explored {
  series: RangeSeries[]
  start: number
  step: number
  count: number
}

function search(parameters: Record<string, string | undefined>): string {
  return new URLSearchParams(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
}

/** `untilMs`: the end of the range; steps stand at multiples of their length, so that a range that moves on draws the same points. */
export async function explore(query: string, of: AskedOf, lengthMs: number, untilMs: number, signal: AbortSignal): Promise<Explored> {
  const step = stepFor(lengthMs)
  const end = Math.floor(untilMs / 1000 / step) * step
  const count = Math.floor(lengthMs / 1000 / step) + 1
  const start = end - (count - 1) * step
  const { data } = await get<RangeAnswer>(`${baseOf(of)}/query_range?${search({ query, team: of.team, start: String(start), end: String(end), step: String(step) })}`, signal)
  return { series: data.result, start, step, count }
}

export function namesQuery(of: AskedOf) {
  return queryOptions({
    queryKey: ['metric-names', of],
    staleTime: staleMs,
    queryFn: async (): Promise<Suggestion[]> => {
      const start = String(Math.floor(Date.now() / 1000) - namesWithinSeconds)
      // Who sends metrics need not say what they mean; where there are too many to look through, those who do are enough.
      const [{ data }, named] = await Promise.all([
        get<{ data: Record<string, { type: string; help: string }[]> }>(`${baseOf(of)}/metadata?${search({ team: of.team })}`),
        get<{ data: string[] }>(`${baseOf(of)}/label/__name__/values?${search({ team: of.team, start })}`).catch(() => ({ data: [] })),
      ])
      const described = new Map(Object.entries(data).flatMap(([name, [first]]) => namesOf(name, first?.type ?? '').map((text) => [text, first?.help ?? ''] as const)))
      const metrics = [...new Set([...described.keys(), ...named.data])].sort().map((text) => ({ text, hint: described.get(text) ?? '' }))
      return [...metrics, ...functions.map((text) => ({ text, hint: 'function' }))]
    },
  })
}

/** A histogram is asked for by its parts. */
function namesOf(name: string, type: string): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : type === 'summary' ? [name, `${name}_count`, `${name}_sum`] : [name]
}

/** Names of labels, or values of one, of the series of a metric; of all when it is not known. */
export function labelsQuery(of: AskedOf, metric: string | undefined, label: string | undefined) {
  return queryOptions({
    queryKey: ['metric-labels', of, metric, label],
    staleTime: staleMs,
    retry: false,
    queryFn: async (): Promise<Suggestion[]> => {
      const path = label === undefined ? 'labels' : `label/${encodeURIComponent(label)}/values`
      const { data } = await get<{ data: string[] }>(`${baseOf(of)}/${path}?${search({ team: of.team, 'match[]': metric })}`)
      return data.filter((text) => text !== '__name__').map((text) => ({ text, hint: '' }))
    },
  })
}
