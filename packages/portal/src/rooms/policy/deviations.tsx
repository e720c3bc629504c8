/** How many exceptions every team lives with: for those who decide whether a rule or a team should change. */
import type { Deviation } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { DataTable } from '../../pieces/data-table.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { deviationsQuery } from './reads.ts'

const columns: Column<Deviation>[] = [
  { key: 'team', label: 'Team', value: ({ team }) => team },
  { key: 'granted', label: 'In force', width: '100px', align: 'right', value: ({ granted }) => granted },
  { key: 'endSoon', label: 'End within a week', width: '160px', align: 'right', hideBelow: 'sm', value: ({ endSoon }) => endSoon },
  { key: 'requested', label: 'Asked for', width: '110px', align: 'right', hideBelow: 'xs', value: ({ requested }) => requested },
  { key: 'expired', label: 'Ended', width: '90px', align: 'right', hideBelow: 'sm', value: ({ expired }) => expired },
  { key: 'policies', label: 'Policies', hideBelow: 'md', value: ({ policies }) => policies.join(', ') },
]

/** `seen` changes when exceptions have. */
export function Deviations({ seen }: { seen: string }) {
  const { data, error } = useQuery(deviationsQuery(seen))
  if (error) return <ErrorState error={error} />
  if (!data || data.items.length === 0) return null
  return (
    <Section title="By team">
      <DataTable label="teams" name="teams" rows={data.items} columns={columns} rowKey={({ team }) => team} initialSort={{ key: 'granted', descending: true }} />
    </Section>
  )
}
