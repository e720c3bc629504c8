/** What the pages of policies read. */
import type { Deviation, PolicyExceptionSpec, PolicyExceptionStatus, PolicyFinding, PolicySpec, PolicyStatus, Resource, TeamQuota } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get, post } from '../../frame/api.ts'

export type Policy = Resource<PolicySpec, PolicyStatus>
export type PolicyException = Resource<PolicyExceptionSpec, PolicyExceptionStatus>

export const requestedBy = 'pavior.dev/requested-by'

export interface Findings {
  items: PolicyFinding[]
  counts: { policy: string; outcome: string; count: number }[]
}

/** `seen` changes when what is found may have changed: it is read again then. */
export const findingsQuery = (filter: { team?: string; app?: string; policy?: string }, seen: string) =>
  queryOptions({
    queryKey: ['policy', 'findings', filter, seen],
    queryFn: ({ signal }) => get<Findings>(`/v1/policy/findings?${new URLSearchParams(filter)}`, signal),
    placeholderData: (before) => before,
  })

export const impactQuery = (policy: Policy | undefined) =>
  queryOptions({
    queryKey: ['policy', 'impact', policy?.metadata.uid, policy?.metadata.generation],
    enabled: policy !== undefined,
    queryFn: () => post<{ judged: number; teams: { team: string; broken: number; unknown: number; errors: number }[] }>('/v1/policy/impact', { name: policy!.metadata.name, spec: policy!.spec }),
  })

export const deviationsQuery = (seen: string) => queryOptions({ queryKey: ['policy', 'deviations', seen], queryFn: ({ signal }) => get<{ items: Deviation[] }>('/v1/policy/deviations', signal), placeholderData: (before) => before })

export const quotasQuery = (seen: string) => queryOptions({ queryKey: ['quotas', seen], queryFn: ({ signal }) => get<{ items: TeamQuota[] }>('/v1/quotas', signal), placeholderData: (before) => before })

/** Newest version among these. */
export function newestOf(items: Resource[]): string {
  return items.reduce((newest, { metadata }) => (metadata.resourceVersion.length > newest.length || (metadata.resourceVersion.length === newest.length && metadata.resourceVersion > newest) ? metadata.resourceVersion : newest), '')
}

export function phaseOf({ spec, status }: PolicyException): string {
  const phase = status?.phase ?? 'Requested'
  return phase !== 'Denied' && Date.parse(spec.expiresAt) <= Date.now() ? 'Expired' : phase
}
