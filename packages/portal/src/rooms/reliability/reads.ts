/** What pages about objectives read, and how they say it. */
import type { Resource, SloBurns, SloHistory, SloSpec, SloStatus } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import type { Tone } from '../../pieces/status.tsx'

export type Slo = Resource<SloSpec, SloStatus>

const usualEnvironment = 'production'
/** Worst first. */
const ranks: Record<string, number> = { Exhausted: 0, Burning: 1, Healthy: 2, NoData: 3 }
const tones: Record<string, Tone> = { Exhausted: 'bad', Burning: 'warn', Healthy: 'good', NoData: 'idle' }

export function environmentOf({ spec }: Slo): string {
  return spec.app === undefined ? '' : (spec.environment ?? usualEnvironment)
}

export function stateOf({ status }: Slo): { word: string; tone: Tone } {
  const word = status?.state ?? 'NoData'
  return { word, tone: tones[word] ?? 'idle' }
}

export function sloPath({ metadata }: Slo): string {
  return `/slos/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(metadata.name)}`
}

/** Worst first; drafts after what is promised. */
export function byTrouble(one: Slo, other: Slo): number {
  return Number(one.spec.draft ?? false) - Number(other.spec.draft ?? false) || ranks[stateOf(one).word]! - ranks[stateOf(other).word]! || (one.status?.budget?.remaining ?? 1) - (other.status?.budget?.remaining ?? 1)
}

/** Declared objectives of an app in an environment, the worst first. */
export function useSlosOf({ team, app }: { team: string; app: string }, environment: string): Slo[] {
  const { items } = useCollection<Slo>('slos', { team, fieldSelector: `spec.app=${app}` })
  return items.filter((slo) => environmentOf(slo) === environment).toSorted(byTrouble)
}

/** `75 %`. */
export function leftText(remaining: number | undefined): string {
  if (remaining === undefined) return '–'
  return remaining > 0 ? share(remaining) : 'none'
}

export function share(value: number): string {
  return `${Number((value * 100).toPrecision(3))} %`
}

/** Rounded down: it never says more than was so. */
export function goodText(sli: number | undefined): string {
  return sli === undefined ? '–' : `${Math.floor(sli * 1e5) / 1e3} %`
}

const api = ({ metadata }: Slo, rest: string): string => `/v1/teams/${encodeURIComponent(metadata.namespace!)}/slos/${encodeURIComponent(metadata.name)}/${rest}`

/** Read again when the status says that something changed. */
export const historyQuery = (slo: Slo | undefined) =>
  queryOptions({
    queryKey: ['slo', 'history', slo?.metadata.uid, slo?.metadata.resourceVersion],
    enabled: slo !== undefined && slo.spec.composite === undefined,
    queryFn: ({ signal }) => get<SloHistory>(api(slo!, 'history'), signal),
    placeholderData: (before) => before,
  })

export const burnedQuery = (slo: Slo | undefined) =>
  queryOptions({
    queryKey: ['slo', 'burned', slo?.metadata.uid, slo?.metadata.resourceVersion],
    enabled: slo !== undefined && slo.spec.composite === undefined,
    queryFn: ({ signal }) => get<SloBurns>(api(slo!, 'burned'), signal),
    placeholderData: (before) => before,
  })
