/** What the board and its dialogs read. */
import type { EnvironmentComparison, FreezeSpec, PromotionPlan, Resource } from '@pavior/contract'
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get, post } from '../../frame/api.ts'
import { appApi, type AppPlace } from '../../frame/apps.ts'
import { useCollection } from '../../frame/collections.ts'

export type Freeze = Resource<FreezeSpec>

/** Asked anew each time: what serves may have changed. `serves` makes it so while it is looked at. */
export function useComparison(place: AppPlace, from: string | undefined, to: string | undefined, serves: string): UseQueryResult<EnvironmentComparison> {
  return useQuery({
    queryKey: ['compare', place.team, place.app, from, to, serves],
    queryFn: ({ signal }) => get<EnvironmentComparison>(appApi(place, `diff?${new URLSearchParams({ from: from!, to: to! })}`), signal),
    enabled: from !== undefined && to !== undefined && from !== to,
    gcTime: 0,
    retry: false,
  })
}

export function usePromotionPlan(place: AppPlace, from: string, to: string): UseQueryResult<PromotionPlan> {
  return useQuery({ queryKey: ['promotion', place.team, place.app, from, to], queryFn: () => post<PromotionPlan>(appApi(place, 'promote'), { from, to, plan: true }), gcTime: 0, retry: false })
}

/** Of the teams, then of the platform. */
export function useFreezes(team: string | undefined): { freezes: Freeze[]; everywhere: Freeze[]; loading: boolean } {
  const own = useCollection<Freeze>('freezes', { team })
  const platform = useCollection<Freeze>('platformfreezes')
  const byName = (items: Freeze[]): Freeze[] => items.toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name))
  return useMemo(() => ({ freezes: byName(own.items), everywhere: byName(platform.items), loading: own.loading || platform.loading }), [own, platform])
}
