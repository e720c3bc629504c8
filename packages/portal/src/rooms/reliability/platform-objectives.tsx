/** What the platform promises of itself: every capability with its own figures. */
import { platformTeam } from '@pavior/contract'
import { Text } from '@mantine/core'
import { IconTargetArrow } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { byTrouble, sloPath, stateOf, type Slo } from './reads.ts'
import { sloColumns } from './slo-columns.tsx'

const shown = ['name', 'state', 'left', 'now', 'objective', 'burn']
const columns: Column<Slo>[] = [
  ...sloColumns.filter(({ key }) => shown.includes(key)),
  { key: 'what', label: 'What it promises', value: ({ spec }) => spec.description ?? '', show: ({ spec }) => <Text size="sm" c="dimmed">{spec.description}</Text>, hideBelow: 'md' },
]

export default function PlatformObjectives() {
  const { items, loading } = useCollection<Slo>('slos', { team: platformTeam })
  const ordered = useMemo(() => items.toSorted(byTrouble), [items])
  const broken = items.filter((slo) => ['Burning', 'Exhausted'].includes(stateOf(slo).word)).length
  return (
    <>
      <PageHeader
        title="What the platform promises"
        crumbs={[{ label: 'Platform', to: '/platform' }]}
        beside={items.length > 0 && <Status word={broken === 0 ? 'All kept' : `${broken} not kept`} tone={broken === 0 ? 'good' : 'bad'} />}
        text={`Measured by its own figures, and by probes that the agent of this machine sends from outside of the server. They are objectives of the team ${platformTeam}, and may be changed as any other.`}
      />
      <DataTable
        label="objectives"
        rows={ordered}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={sloPath}
        loading={loading}
        empty={<EmptyState icon={IconTargetArrow} title="Nothing is promised" text="Whoever runs the platform has deleted its objectives. One is declared as that of any team:" commands={[`pavior apply -t ${platformTeam} -f objective.yaml`]} />}
      />
    </>
  )
}
