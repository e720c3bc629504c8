/** Which dashboards there are: those that every team has, and its own. */
import { readyDashboards, type DashboardSpec, type Resource } from '@pavior/contract'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { get } from '../../../frame/api.ts'
import { useResource } from '../../../frame/collections.ts'

export type Dashboard = Resource<DashboardSpec>

export interface ReadyDashboard {
  name: string
  spec: DashboardSpec
}

export const readyQuery = queryOptions({ queryKey: ['dashboards', 'ready'], staleTime: Infinity, queryFn: async ({ signal }) => (await get<{ items: ReadyDashboard[] }>('/v1/dashboards/library', signal)).items })

export function dashboardPath(team: string, name: string): string {
  return `/dashboards/${encodeURIComponent(team)}/${encodeURIComponent(name)}`
}

export function isReady(name: string): boolean {
  return (readyDashboards as readonly string[]).includes(name)
}

export interface Found {
  spec: DashboardSpec | undefined
  /** Undefined for one that every team has. */
  resource: Dashboard | undefined
  loading: boolean
  error: Error | undefined
}

/** The resource as it is now, or the one that every team has. */
export function useDashboard(team: string, name: string): Found {
  const own = useResource<Dashboard>('dashboards', team, name)
  const library = useQuery({ ...readyQuery, enabled: isReady(name) })
  if (!isReady(name)) return { spec: own.resource?.spec, resource: own.resource, loading: own.loading, error: undefined }
  return { spec: library.data?.find((one) => one.name === name)?.spec, resource: undefined, loading: library.isPending, error: library.error ?? undefined }
}
