/** What pages about traces and requests ask. */
import type { Trace, TraceSummary, Why } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { appApi, type AppPlace } from '../../frame/apps.ts'

export interface TraceFilter {
  environment: string
  from: string
  until: string | undefined
  leastMs: string | undefined
  failed: boolean
  name: string | undefined
}

export function tracesQuery(place: AppPlace, { environment, from, until, leastMs, failed, name }: TraceFilter) {
  const search = new URLSearchParams({ environment, from, limit: '200', ...(until ? { until } : {}), ...(leastMs ? { least: leastMs } : {}), ...(failed ? { failed: '1' } : {}), ...(name ? { name } : {}) })
  return queryOptions({
    queryKey: ['traces', place, search.toString()],
    queryFn: async ({ signal }) => (await get<{ items: TraceSummary[] }>(`${appApi(place, 'traces')}?${search}`, signal)).items,
    retry: false,
  })
}

export function traceQuery(id: string) {
  return queryOptions({ queryKey: ['trace', id], queryFn: ({ signal }) => get<Trace>(`/v1/traces/${encodeURIComponent(id)}`, signal), retry: false })
}

export function whyQuery(id: string) {
  return queryOptions({ queryKey: ['why', id], queryFn: ({ signal }) => get<Why>(`/v1/why/${encodeURIComponent(id)}`, signal), retry: false })
}

export function whyPath(id: string): string {
  return `/why/${encodeURIComponent(id)}`
}
