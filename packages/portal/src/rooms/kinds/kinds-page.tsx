import { useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get, resourcePath } from '../../frame/api.ts'
import { kindsQuery } from '../../frame/kinds.ts'
import { useTeam } from '../../frame/team.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { schemasQuery } from './schemas.ts'

interface Row {
  plural: string
  kind: string
  namespaced: boolean
  description: string
  count: number | undefined
}

const columns: Column<Row>[] = [
  { key: 'kind', label: 'Kind', value: ({ kind }) => kind, width: '190px' },
  { key: 'count', label: 'There are', value: ({ count }) => count, show: ({ count }) => count?.toLocaleString('en'), width: '110px', align: 'right' },
  { key: 'description', label: 'What it is', value: ({ description }) => description, hideBelow: 'sm' },
  { key: 'scope', label: 'Lives in', value: ({ namespaced }) => (namespaced ? 'a team' : 'the platform'), width: '130px', hideBelow: 'xs' },
]

interface CountPage {
  metadata: { remainingItemCount?: number }
  items: unknown[]
}

export default function KindsPage() {
  const team = useTeam()
  const { data: kinds = [], isPending, error } = useQuery(kindsQuery)
  const { data: schemas } = useQuery(schemasQuery)
  const counts = useQueries({
    queries: kinds.map(({ plural, namespaced }) => ({
      queryKey: ['count', plural, namespaced ? team : undefined],
      queryFn: async () => {
        const { metadata, items } = await get<CountPage>(`${resourcePath(plural, namespaced ? team : undefined)}?limit=1&count=true`)
        return items.length + (metadata.remainingItemCount ?? 0)
      },
    })),
    combine: (results) => results.map(({ data }) => data),
  })
  const rows = useMemo(() => kinds.map(({ plural, kind, namespaced }, index) => ({ plural, kind, namespaced, description: schemas?.[kind]?.description ?? '', count: counts[index] })), [kinds, schemas, counts])
  return (
    <>
      <PageHeader title="Resources" text={`Everything that the platform keeps${team === undefined ? '' : ` for team ${team}`}, by kind. What the portal shows elsewhere is made of these.`} />
      {error && <ErrorState error={error} />}
      <DataTable label="kinds" rows={rows} columns={columns} rowKey={({ plural }) => plural} href={({ plural }) => `/kinds/${plural}`} loading={isPending} />
    </>
  )
}
