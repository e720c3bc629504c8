/** Who stored, brought out or destroyed it, and which apps were given which version. */
import type { SecretAccess } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { accessQuery, type Secret } from './reads.ts'

const acts: Record<SecretAccess['action'], string> = { set: 'stored', use: 'put in force', revoke: 'destroyed', read: 'given out' }

const columns: Column<SecretAccess>[] = [
  { key: 'at', label: 'When', width: '130px', value: ({ at }) => at, show: ({ at }) => <Ago at={at} /> },
  { key: 'action', label: 'What', value: ({ action, version }) => `v${version} ${acts[action]}` },
  { key: 'who', label: 'Who', hideBelow: 'xs', value: ({ actor, app, environment, action }) => (action === 'read' ? [app, environment].filter(Boolean).join(' → ') || actor : actor) },
  { key: 'reader', label: 'Instance set or task', hideBelow: 'md', value: ({ reader }) => reader ?? '' },
]

export function Accesses({ secret }: { secret: Secret }) {
  const { data, error } = useQuery(accessQuery(secret))
  return (
    <Section title="Access">
      {error && <ErrorState error={error} />}
      {!data && !error && <RowsSkeleton />}
      {data && <DataTable label="accesses" name="access" rows={data.items} columns={columns} rowKey={(row) => `${row.at} ${row.action} ${row.version} ${row.reader ?? ''}`} initialSort={{ key: 'at', descending: true }} />}
    </Section>
  )
}
