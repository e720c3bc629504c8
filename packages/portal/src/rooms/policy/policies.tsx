/** Every policy: how strict it is, and what it finds of what lives. */
import { IconGavel } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { findingsQuery, newestOf, type Policy } from './reads.ts'
import { rankOf, Word } from './words.tsx'

interface Row {
  policy: Policy
  broken: number
  exempt: number
  unknown: number
}

const columns: Column<Row>[] = [
  { key: 'title', label: 'What it asks for', value: ({ policy }) => policy.spec.title },
  { key: 'name', label: 'Policy', hideBelow: 'md', value: ({ policy }) => policy.metadata.name },
  { key: 'mode', label: 'Mode', width: '110px', value: ({ policy }) => policy.spec.mode, show: ({ policy }) => <Word word={policy.spec.mode} /> },
  { key: 'severity', label: 'Severity', width: '100px', hideBelow: 'sm', value: ({ policy }) => rankOf(policy.spec.severity), show: ({ policy }) => policy.spec.severity },
  { key: 'broken', label: 'Broken', width: '90px', align: 'right', value: ({ broken }) => broken },
  { key: 'exempt', label: 'Exempt', width: '90px', align: 'right', hideBelow: 'sm', value: ({ exempt }) => exempt },
  { key: 'unknown', label: 'Unknown', width: '100px', align: 'right', hideBelow: 'md', value: ({ unknown }) => unknown },
  { key: 'denied', label: 'Denied', width: '90px', align: 'right', hideBelow: 'sm', value: ({ policy }) => policy.status?.denied ?? 0 },
  { key: 'errors', label: 'Errors', width: '80px', align: 'right', hideBelow: 'lg', value: ({ policy }) => policy.status?.errors?.length ?? 0 },
]

export default function Policies() {
  const { items, loading } = useCollection<Policy>('policies')
  const { data } = useQuery(findingsQuery({}, newestOf(items)))
  const rows = useMemo(() => {
    const count = (policy: Policy, outcome: string): number => data?.counts.find((one) => one.policy === policy.metadata.name && one.outcome === outcome)?.count ?? 0
    return items.map((policy) => ({ policy, broken: count(policy, 'broken'), exempt: count(policy, 'exempt'), unknown: count(policy, 'unknown') }))
  }, [items, data])
  return (
    <>
      <PageHeader title="Policies" text="Rules as code. What enforces refuses a change; what warns says it; what nobody knows yet is neither kept nor broken." />
      <DataTable
        label="policies"
        rows={rows}
        columns={columns}
        rowKey={({ policy }) => policy.metadata.uid}
        href={({ policy }) => `/policies/${policy.metadata.name}`}
        initialSort={{ key: 'broken', descending: true }}
        loading={loading}
        empty={<EmptyState icon={IconGavel} title="No policies" text="An administrator makes one from rules in CEL:" commands={['pavior explain policy', 'pavior apply -f policy.yaml']} />}
      />
    </>
  )
}
