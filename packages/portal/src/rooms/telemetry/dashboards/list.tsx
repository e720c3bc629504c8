/** Dashboards of the team: those that every team has, and its own. */
import { Button, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconFileImport, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useCollection } from '../../../frame/collections.ts'
import { mayAs, useSession } from '../../../frame/session.ts'
import { useTeam, useTeams } from '../../../frame/team.ts'
import { Ago } from '../../../pieces/ago.tsx'
import { DataTable } from '../../../pieces/data-table.tsx'
import { EmptyState } from '../../../pieces/empty-state.tsx'
import { PageHeader } from '../../../pieces/page-header.tsx'
import type { Column } from '../../../pieces/table-column.ts'
import { SaveCopy } from './create.tsx'
import { ImportGrafana } from './import.tsx'
import { dashboardPath, readyQuery, type Dashboard } from './reads.ts'

interface Row {
  team: string
  name: string
  title: string
  description: string
  panels: number
  madeAt: string | undefined
}

const columns: Column<Row>[] = [
  { key: 'title', label: 'Dashboard', value: ({ title }) => title },
  { key: 'description', label: 'What it is for', value: ({ description }) => description, width: '50%', hideBelow: 'sm' },
  { key: 'team', label: 'Team', value: ({ team }) => team, width: '140px', hideBelow: 'xs' },
  { key: 'panels', label: 'Panels', value: ({ panels }) => panels, width: '80px', align: 'right', hideBelow: 'md' },
  { key: 'made', label: 'Made', value: ({ madeAt }) => madeAt ?? '', show: ({ madeAt }) => (madeAt ? <Ago at={madeAt} /> : 'for every team'), width: '130px', hideBelow: 'xs' },
]

export default function Dashboards() {
  const chosen = useTeam()
  const { teams } = useTeams()
  const session = useSession()
  const [making, making_] = useDisclosure(false)
  const [importing, importing_] = useDisclosure(false)
  const { items, loading } = useCollection<Dashboard>('dashboards', { team: chosen })
  const { data: ready = [], isPending } = useQuery(readyQuery)
  // Those that every team has are about one team: the chosen one, or the first.
  const team = chosen ?? teams[0]
  const rows = useMemo(
    (): Row[] => [
      ...(team === undefined ? [] : ready.map(({ name, spec }) => rowOf(team, name, spec, undefined))),
      ...items.map(({ metadata, spec }) => rowOf(metadata.namespace!, metadata.name, spec, metadata.creationTimestamp)).toSorted((one, other) => one.title.localeCompare(other.title)),
    ],
    [ready, items, team],
  )
  const may = team !== undefined && mayAs(session, 'developer', team)
  return (
    <>
      <PageHeader
        title="Dashboards"
        text="Panels over what is measured, and over what Pavior knows itself. Three are there for every team; a copy of one is yours to change."
        actions={
          may && (
            <>
              <Button size="xs" variant="default" leftSection={<IconFileImport size={14} />} onClick={importing_.open}>From Grafana</Button>
              <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={making_.open}>New dashboard</Button>
            </>
          )
        }
      />
      {chosen === undefined && team !== undefined && teams.length > 1 && <Text size="sm" c="dimmed" mb="xs">The first three are shown for {team}; choose a team to see them for another.</Text>}
      <DataTable label="dashboards" rows={rows} columns={columns} rowKey={({ team: owner, name }) => `${owner}/${name}`} href={({ team: owner, name }) => dashboardPath(owner, name)} loading={loading || isPending} empty={<EmptyState title="There is no team yet." text="Dashboards are those of a team." />} />
      {team !== undefined && <SaveCopy opened={making} close={making_.close} team={team} spec={{ title: 'New dashboard', panels: [] }} name="new-dashboard" />}
      {team !== undefined && <ImportGrafana opened={importing} close={importing_.close} team={team} />}
    </>
  )
}

function rowOf(team: string, name: string, { title, description = '', panels }: Dashboard['spec'], madeAt: string | undefined): Row {
  return { team, name, title, description, panels: panels.length, madeAt }
}
