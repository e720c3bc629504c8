/** The changes that a page of the audit shows: those that were there, page by page, and those that are made meanwhile. */
import type { AuditPage, AuditRow } from '@pavior/contract'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { get } from '../../frame/api.ts'
import { live } from '../../frame/live.ts'

export type Filter = [name: string, value: string][]

const pageSize = 100
/** Rows made since the page was opened that it keeps. */
const mostNew = 1000

/** Pages of what was there when the page was opened, newest first. */
export function useEarlier(filter: Filter) {
  return useInfiniteQuery({
    queryKey: ['audit', filter],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => get<AuditPage>(`/v1/audit?${searchOf(filter, ['limit', String(pageSize)], ...(pageParam ? [['continue', pageParam] as [string, string]] : []))}`, signal),
    getNextPageParam: (last) => last.continue,
    // What is newer comes by itself; read again it would come twice.
    staleTime: Infinity,
    gcTime: 0,
  })
}

/** What was written after the row of this id, newest first, as it is written; undefined: not yet. */
export function useNewer(filter: Filter, after: string | undefined): AuditRow[] {
  const search = searchOf(filter, ['follow', 'true'])
  const place = after === undefined ? undefined : `${search} ${after}`
  const [state, setState] = useState<{ place: string | undefined; rows: AuditRow[] }>({ place, rows: [] })
  useEffect(() => {
    if (after === undefined) return undefined
    let told = after
    setState({ place, rows: [] })
    return live.open({
      path: () => `/v1/audit?${search}&after=${told}`,
      lines: (lines) => {
        const rows = lines as AuditRow[]
        told = rows.at(-1)?.id ?? told
        setState((before) => ({ place, rows: [...rows.toReversed(), ...before.rows].slice(0, mostNew) }))
      },
      ended: (error) => (error === undefined || (error.code ?? 500) >= 500 ? 'again' : 'closed'),
    })
  }, [search, after, place])
  // What matched another filter is no answer to this one.
  return useMemo(() => (state.place === place ? state.rows : []), [state, place])
}

function searchOf(filter: Filter, ...more: Filter): string {
  return new URLSearchParams([...filter, ...more]).toString()
}
