/** The columns that a kind shows of its resources, and their cells, as the server makes them; kept up with what is live. */
import type { ObjectMeta, Resource } from '@pavior/contract'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { call, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import type { StreamError } from '../../frame/live.ts'

export interface TableColumn {
  name: string
  type: string
  description: string
  /** Above 0 it is only for wide screens. */
  priority: number
}

export interface TableRow {
  cells: unknown[]
  object: { metadata: ObjectMeta }
}

interface TableAnswer {
  metadata: { continue?: string }
  columnDefinitions: TableColumn[]
  rows: TableRow[]
}

const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const pageSize = 1000
/** However much moves, the cells are asked for anew at most this often. */
const quietMs = 400

async function readTable(path: string, signal: AbortSignal): Promise<{ columns: TableColumn[]; rows: TableRow[] }> {
  const rows: TableRow[] = []
  for (let next: string | undefined = ''; ; ) {
    const page: TableAnswer = await call('GET', `${path}?limit=${pageSize}${next ? `&continue=${encodeURIComponent(next)}` : ''}`, { accept: asTable, signal })
    rows.push(...page.rows)
    next = page.metadata.continue
    if (!next) return { columns: page.columnDefinitions, rows }
  }
}

/** Whether the cells were made of these resources as they are. */
function isSame(items: readonly Resource[], rows: readonly TableRow[] | undefined): boolean {
  const versions = new Set(rows?.map(({ object: { metadata } }) => `${metadata.uid} ${metadata.resourceVersion}`))
  return items.length === versions.size && items.every(({ metadata }) => versions.has(`${metadata.uid} ${metadata.resourceVersion}`))
}

export interface LiveTable {
  columns: TableColumn[]
  rows: TableRow[]
  loading: boolean
  error: Error | StreamError | undefined
}

export function useLiveTable(plural: string, team: string | undefined): LiveTable {
  const client = useQueryClient()
  const { items, loading, error: streamError } = useCollection(plural, { team })
  const { data, error, isPending } = useQuery({ queryKey: ['table', plural, team], queryFn: ({ signal }) => readTable(resourcePath(plural, team), signal), placeholderData: (before) => before, staleTime: 0 })
  const seen = useRef<unknown>(undefined)
  const latest = useRef<TableRow[]>(undefined)
  latest.current = data?.rows
  useEffect(() => {
    if (loading) return
    const first = seen.current === undefined
    seen.current = items
    // What came between the two readings stands in one of them only.
    if (first && isSame(items, latest.current)) return
    const timer = window.setTimeout(() => void client.invalidateQueries({ queryKey: ['table', plural, team] }), quietMs)
    return () => window.clearTimeout(timer)
  }, [items, loading, client, plural, team])
  return { columns: data?.columns ?? [], rows: data?.rows ?? [], loading: isPending, error: error ?? streamError }
}
