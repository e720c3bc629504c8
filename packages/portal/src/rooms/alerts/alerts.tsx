/** What fires, who has it, and what was over lately. */
import { Button, Group, Switch } from '@mantine/core'
import { IconBellCheck, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { alertPath, byUrgency, person, stateOf, type Alert } from './reads.ts'

const columns: Column<Alert>[] = [
  { key: 'summary', label: 'What is wrong', value: ({ spec }) => spec.summary },
  { key: 'state', label: 'State', value: (alert) => stateOf(alert).word, show: (alert) => <Status {...stateOf(alert)} />, width: '100px' },
  { key: 'severity', label: 'Severity', value: ({ spec }) => spec.severity, width: '90px', hideBelow: 'sm' },
  { key: 'taken', label: 'Taken by', value: ({ status }) => person(status?.acknowledged?.by), width: '110px', hideBelow: 'md' },
  { key: 'members', label: 'Members', value: ({ status }) => status?.members ?? 0, width: '90px', align: 'right', hideBelow: 'md' },
  { key: 'app', label: 'App', value: ({ spec }) => (spec.app === undefined ? '' : `${spec.app} in ${spec.environment}`), width: '180px', hideBelow: 'lg' },
  { key: 'since', label: 'Since', value: ({ status }) => status?.since ?? '', show: ({ status }) => <Ago at={status?.since} />, width: '110px', hideBelow: 'xs' },
]

export default function Alerts() {
  const team = useTeam()
  const { items, loading } = useCollection<Alert>('alerts', { team })
  const { over } = useSearchParams()
  const setSearch = useSetSearchParams()
  const all = over === 'shown'
  const shown = useMemo(() => items.filter(({ status }) => all || status?.state !== 'Resolved').toSorted(byUrgency), [items, all])
  return (
    <>
      <PageHeader
        title="Alerts"
        text={
          <Group gap="md">
            <GoLink size="sm" to="/kinds/alertrules">Rules</GoLink>
            <GoLink size="sm" to="/silences">Silences</GoLink>
            <GoLink size="sm" to="/channels">Channels</GoLink>
            <GoLink size="sm" to="/kinds/escalationpolicies">Who is told when</GoLink>
          </Group>
        }
        actions={
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to={`${genericRules}/create`} {...props} />}>
            Write a rule
          </Button>
        }
      />
      <DataTable
        label="alerts"
        rows={shown}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={alertPath}
        loading={loading}
        tools={<Switch size="xs" label="Over, too" checked={all} onChange={({ currentTarget }) => setSearch({ over: currentTarget.checked ? 'shown' : undefined })} />}
        empty={
          <EmptyState icon={IconBellCheck} title="Nothing fires" text="Objectives page by themselves when their budget burns too fast. Rules watch anything else that is measured." commands={['pavior explain alertrule', 'pavior alerts report']}>
            {!all && <Button size="xs" variant="default" onClick={() => setSearch({ over: 'shown' })}>Show what is over</Button>}
          </EmptyState>
        }
      />
    </>
  )
}

const genericRules = '/kinds/alertrules'
