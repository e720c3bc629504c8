/** All objectives of the team: which are broken, which burn, how much is left. */
import { objectiveText } from '@pavior/contract'
import { Badge, Button } from '@mantine/core'
import { IconPlus, IconTargetArrow } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { BudgetBar } from './budget-bar.tsx'
import { byTrouble, goodText, sloPath, stateOf, type Slo } from './reads.ts'

const columns: Column<Slo>[] = [
  {
    key: 'name',
    label: 'Objective',
    value: ({ metadata }) => metadata.name,
    show: ({ metadata, spec }) => (
      <>
        {metadata.name} {spec.draft && <Badge size="xs" variant="default">Draft</Badge>}
      </>
    ),
  },
  { key: 'state', label: 'State', value: (slo) => stateOf(slo).word, show: (slo) => <Status {...stateOf(slo)} />, width: '120px' },
  { key: 'left', label: 'Budget left', value: ({ status }) => status?.budget?.remaining ?? null, show: (slo) => <BudgetBar slo={slo} />, width: '140px', hideBelow: 'xs' },
  { key: 'now', label: 'Good', value: ({ status }) => status?.sli ?? null, show: ({ status }) => goodText(status?.sli), width: '96px', align: 'right', hideBelow: 'sm' },
  { key: 'objective', label: 'Promised', value: ({ spec }) => spec.objective, show: ({ spec }) => objectiveText(spec.objective), width: '96px', align: 'right', hideBelow: 'sm' },
  { key: 'burn', label: 'Burn, 6 h', value: ({ status }) => status?.burn?.['6h'] ?? null, show: ({ status }) => (status?.burn?.['6h'] === undefined ? '–' : `${status.burn['6h']}×`), width: '110px', align: 'right', hideBelow: 'md' },
  { key: 'forecast', label: 'Nothing left', value: ({ status }) => status?.forecast?.[0]?.exhaustedAt ?? '', show: ({ status }) => (status?.forecast?.[0] ? <Ago at={status.forecast[0].exhaustedAt} /> : '–'), width: '120px', hideBelow: 'lg' },
  { key: 'app', label: 'App', value: ({ spec }) => spec.app ?? '', width: '140px', hideBelow: 'lg' },
]

export default function Slos() {
  const team = useTeam()
  const session = useSession()
  const { items, loading } = useCollection<Slo>('slos', { team })
  const ordered = useMemo(() => items.toSorted(byTrouble), [items])
  const own = session.admin || Object.keys(session.roles).some((each) => mayAs(session, 'developer', each))
  return (
    <>
      <PageHeader
        title="Objectives"
        text="What is promised to users, and what is left of the errors that it allows. The platform proposes drafts for apps with traffic in production; they hold nothing until somebody confirms them."
        actions={
          own && (
            <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to="/kinds/slos/create" {...props} />}>
              Declare one
            </Button>
          )
        }
      />
      <DataTable
        label="objectives"
        rows={ordered}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={sloPath}
        loading={loading}
        empty={<EmptyState icon={IconTargetArrow} title="Nothing is promised yet" text="An app with traffic in production gets two drafts within a minute. OpenSLO documents can be taken over." commands={['pavior slo import slos.yaml', 'pavior explain slo']} />}
      />
    </>
  )
}
