/** Which known holes of packages were imported, and how old they are. */
import type { AdvisoryState } from '@pavior/contract'
import { IconShieldSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { advisoriesQuery } from './reads.ts'

const columns: Column<AdvisoryState>[] = [
  { key: 'ecosystem', label: 'Ecosystem', value: ({ ecosystem }) => ecosystem },
  { key: 'advisories', label: 'Advisories', width: '120px', align: 'right', value: ({ advisories }) => advisories },
  { key: 'imported', label: 'Imported', width: '140px', hideBelow: 'xs', value: ({ importedAt }) => importedAt, show: ({ importedAt }) => <Ago at={importedAt} /> },
  { key: 'newest', label: 'Newest', width: '140px', value: ({ newestAt }) => newestAt, show: ({ newestAt }) => <Ago at={newestAt} /> },
]

export default function Advisories() {
  const { data, error, isLoading } = useQuery(advisoriesQuery)
  return (
    <>
      <PageHeader title="Advisories" text="Known holes of packages, as OSV publishes them. Nothing is fetched: an administrator imports them." />
      {error && <ErrorState error={error} />}
      {!error && (
        <DataTable
          label="ecosystems"
          rows={data?.items ?? []}
          columns={columns}
          rowKey={({ ecosystem }) => ecosystem}
          loading={isLoading}
          empty={<EmptyState icon={IconShieldSearch} title="No advisories were imported" text="Until then, holes of packages are unknown, and nothing is said to be clean." commands={["pavior advisories import all.zip"]} />}
        />
      )}
      <Section title="Import">
        <CopyCommand command="curl -O https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip && pavior advisories import all.zip" />
      </Section>
    </>
  )
}
