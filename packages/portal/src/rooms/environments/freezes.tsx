/** When nothing may change: what is frozen now and until when, of the teams and of the platform. */
import { Button } from '@mantine/core'
import { IconPlus, IconSnowflake } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { freezeState, holdsText, weeklyText, type FreezeState } from './freeze-state.ts'
import { useMinute } from './minute.ts'
import { useFreezes, type Freeze } from './reads.ts'

const tones: Record<FreezeState, Tone> = { Frozen: 'warn', Open: 'good', 'To come': 'idle', Over: 'idle' }

/** What holds now comes first. */
const order: FreezeState[] = ['Frozen', 'To come', 'Open', 'Over']

interface Row {
  freeze: Freeze
  state: FreezeState
}

const columns: Column<Row>[] = [
  { key: 'name', label: 'Freeze', value: ({ freeze }) => freeze.metadata.name, width: '28%' },
  { key: 'state', label: 'Now', value: ({ state }) => state, show: ({ state }) => <Status word={state} tone={tones[state]} />, width: '110px' },
  { key: 'reason', label: 'Why', value: ({ freeze }) => freeze.spec.reason, hideBelow: 'xs' },
  { key: 'team', label: 'Team', value: ({ freeze }) => freeze.metadata.namespace ?? 'every team', width: '100px', hideBelow: 'sm' },
  { key: 'holds', label: 'Holds', value: ({ freeze }) => holdsText(freeze.spec), width: '160px', hideBelow: 'md' },
  { key: 'when', label: 'When', value: ({ freeze: { spec } }) => weeklyText(spec) ?? spec.until ?? spec.from ?? '', show: ({ freeze }) => <When freeze={freeze} /> },
]

export default function Freezes() {
  const team = useTeam()
  const session = useSession()
  const { freezes, everywhere, loading } = useFreezes(team)
  const now = useMinute()
  const rows = useMemo(() => [...freezes, ...everywhere].map((freeze) => ({ freeze, state: freezeState(freeze.spec, new Date(now)) })).toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state)), [freezes, everywhere, now])
  const own = session.admin || Object.keys(session.roles).some((each) => mayAs(session, 'admin', each))
  return (
    <>
      <PageHeader
        title="Freezes"
        text="Times in which nothing is deployed; rollbacks always are. An administrator of the team passes one with a reason, on the page of the deployment."
        actions={
          <>
            {session.admin && <Create to="/kinds/platformfreezes/create" label="Freeze every team" />}
            {own && <Create to="/kinds/freezes/create" label="Freeze a team" />}
          </>
        }
      />
      <DataTable
        label="freezes"
        rows={rows}
        columns={columns}
        rowKey={({ freeze }) => freeze.metadata.uid}
        href={({ freeze }) => genericHref(freeze.metadata.namespace === undefined ? 'platformfreezes' : 'freezes', freeze.metadata.namespace, freeze.metadata.name)}
        loading={loading}
        empty={<EmptyState icon={IconSnowflake} title="Nothing is frozen, and nothing is planned to be." text="A freeze names a reason and a time: once, or every week in a time zone." commands={['pavior explain freezes', 'pavior apply -f freeze.yaml']} />}
      />
    </>
  )
}

function Create({ to, label }: { to: string; label: string }) {
  return (
    <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to={to} {...props} />}>
      {label}
    </Button>
  )
}

function When({ freeze: { spec } }: { freeze: Freeze }) {
  return (
    <>
      {weeklyText(spec)} {spec.from && <>begins <Ago at={spec.from} /></>} {spec.until ? <>ends <Ago at={spec.until} /></> : spec.weekly ? null : 'ends when it is deleted'}
    </>
  )
}
