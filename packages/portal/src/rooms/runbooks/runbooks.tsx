/** The runbooks of a team, how far each is to be trusted, and those that Pavior brings. */
import { Button, Group, Text } from '@mantine/core'
import { IconListCheck } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { post, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam, useTeams } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { useAct } from '../../pieces/use-act.ts'
import { libraryQuery, personText, phaseOf, runbookPath, runPath, trustOf, type Run, type Runbook } from './reads.ts'

const columns: Column<Runbook>[] = [
  { key: 'title', label: 'Runbook', value: ({ spec }) => spec.title },
  { key: 'trust', label: 'Trust', value: (book) => trustOf(book).word, show: (book) => <Status {...trustOf(book)} />, width: '130px' },
  { key: 'succeeded', label: 'Last succeeded', value: ({ status }) => status?.lastSuccessAt ?? '', show: ({ status }) => <Ago at={status?.lastSuccessAt} />, width: '140px', hideBelow: 'sm' },
  { key: 'steps', label: 'Steps', value: ({ status }) => status?.steps ?? null, width: '90px', align: 'right', hideBelow: 'sm' },
  { key: 'team', label: 'Team', value: ({ metadata }) => metadata.namespace, width: '120px', hideBelow: 'md' },
]

const runColumns: Column<Run>[] = [
  { key: 'runbook', label: 'Run', value: ({ spec }) => spec.title ?? spec.runbook },
  { key: 'phase', label: 'State', value: (run) => phaseOf(run).word, show: (run) => <Status {...phaseOf(run)} />, width: '170px' },
  { key: 'message', label: 'How it stands', value: ({ status }) => status?.message ?? '', hideBelow: 'sm' },
  { key: 'by', label: 'By', value: ({ spec }) => personText(spec.requestedBy), width: '110px', hideBelow: 'md' },
  { key: 'when', label: 'Begun', value: ({ metadata }) => metadata.creationTimestamp, show: ({ metadata }) => <Ago at={metadata.creationTimestamp} />, width: '110px', hideBelow: 'xs' },
]

export default function Runbooks() {
  const team = useTeam()
  const books = useCollection<Runbook>('runbooks', { team })
  const runs = useCollection<Run>('runbookruns', { team })
  return (
    <>
      <PageHeader title="Runbooks" text="Tested steps for when something breaks: checks are made by the platform, what changes something waits for a person and is done in their name." />
      <DataTable
        label="runbooks"
        rows={books.items}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={({ metadata }) => runbookPath(metadata.namespace!, metadata.name)}
        loading={books.loading}
        empty={<EmptyState icon={IconListCheck} title="No runbook yet." text="Take over one that Pavior brings, below, or write one." commands={['pavior runbook library', 'pavior explain runbook']} />}
      />
      <Section title="Runs">
        <DataTable label="runs" name="runs" rows={runs.items} columns={runColumns} rowKey={({ metadata }) => metadata.uid} href={({ metadata }) => runPath(metadata.namespace!, metadata.name)} loading={runs.loading} initialSort={{ key: 'when', descending: true }} empty={<Text size="sm">None yet.</Text>} />
      </Section>
      <Library taken={books.items} />
    </>
  )
}

function Library({ taken }: { taken: Runbook[] }) {
  const session = useSession()
  const chosen = useTeam()
  const { teams } = useTeams()
  const { data = [] } = useQuery(libraryQuery)
  const { busy, error, act } = useAct()
  const go = useNavigate()
  const team = chosen ?? teams.find((each) => mayAs(session, 'developer', each))
  const names = new Set(taken.filter(({ metadata }) => metadata.namespace === team).map(({ metadata }) => metadata.name))
  const left = data.filter(({ name }) => !names.has(name))
  if (left.length === 0 || team === undefined || !mayAs(session, 'developer', team)) return null
  return (
    <Section title="Brought by Pavior">
      {error && <ErrorState error={error} />}
      {left.map(({ name, spec }) => (
        <Group key={name} justify="space-between" wrap="nowrap" py={4}>
          <Text size="sm">{spec.title}</Text>
          <Button size="compact-xs" variant="default" disabled={busy} aria-label={`Take over for ${team}: ${spec.title}`} onClick={() => act(async () => {
            await post(resourcePath('runbooks', team), { metadata: { name }, spec })
            await go({ to: runbookPath(team, name) })
          })}>
            Take over for {team}
          </Button>
        </Group>
      ))}
      <Text size="sm" mt="xs">
        <GoLink to="/kinds/runbooks/create">Write one</GoLink>
      </Text>
    </Section>
  )
}
