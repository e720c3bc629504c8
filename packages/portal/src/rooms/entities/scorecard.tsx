/** One scorecard: every app by how it does, the weakest first, and which rule is missed most. */
import type { CardResult, Resource, ScorecardSpec } from '@pavior/contract'
import { Alert, Progress, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useResource } from '../../frame/collections.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton, RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { cardResultsQuery } from './reads.ts'

const columns: Column<CardResult>[] = [
  { key: 'app', label: 'App', value: ({ app }) => app },
  { key: 'team', label: 'Team', width: '140px', hideBelow: 'sm', value: ({ team }) => team },
  { key: 'level', label: 'Level', width: '120px', value: ({ level }) => level ?? 'none' },
  { key: 'score', label: 'Score', width: '160px', value: ({ score }) => score, show: ({ score, app }) => <Score score={score} label={`${score} percent of ${app}`} /> },
  { key: 'missing', label: 'Missing', hideBelow: 'md', value: ({ rules }) => rules.filter(({ outcome }) => outcome === 'broken' || outcome === 'unknown').map(({ title }) => title).join(', ') },
  { key: 'changed', label: 'Changed', width: '120px', hideBelow: 'lg', value: ({ changedAt }) => changedAt, show: ({ changedAt }) => <Ago at={changedAt} /> },
]

function Score({ score, label }: { score: number; label: string }) {
  return (
    <>
      <Text span size="sm">
        {score} %
      </Text>
      <Progress value={score} size="sm" aria-label={label} />
    </>
  )
}

export default function ScorecardPage() {
  const { scorecard: name = '' } = useParams({ strict: false })
  const { resource, loading } = useResource<Resource<ScorecardSpec>>('scorecards', undefined, name)
  const { data, error } = useQuery(cardResultsQuery(name))
  if (loading) return <PageSkeleton />
  if (!resource) {
    return (
      <>
        <PageHeader title={name} crumbs={[{ label: 'Scorecards', to: '/scorecards' }]} />
        <EmptyState title={`There is no scorecard ${name}.`} commands={['pavior get scorecards']} />
      </>
    )
  }
  const { title, description, campaign } = resource.spec
  return (
    <>
      <PageHeader title={title} crumbs={[{ label: 'Scorecards', to: '/scorecards' }]} text={description} actions={<GoLink to={`/kinds/scorecards/-/${name}`} size="sm">Rules and settings</GoLink>} />
      {campaign && <Campaign campaign={campaign} results={data?.items ?? []} levels={resource.spec.levels ?? ['ready']} />}
      {error && <ErrorState error={error} />}
      {!data && !error && <RowsSkeleton />}
      {data && (
        <>
          <DataTable label="apps" rows={data.items} columns={columns} rowKey={({ team, app }) => `${team}/${app}`} href={({ team, app }) => `/apps/${team}/${app}/scorecard`} initialSort={{ key: 'score', descending: false }} empty={<EmptyState title="No app is measured by it" text="It may name teams or labels that no app has." />} />
          {data.items.length > 0 && <MostMissed results={data.items} />}
        </>
      )}
    </>
  )
}

function Campaign({ campaign: { level, deadline, note }, results, levels }: { campaign: NonNullable<ScorecardSpec['campaign']>; results: CardResult[]; levels: string[] }) {
  const there = results.filter((result) => result.level !== null && levels.indexOf(result.level) >= levels.indexOf(level)).length
  return (
    <Alert mb="md" variant="light" title={`Every app reaches ${level} by ${deadline.slice(0, 10)}`}>
      {there} of {results.length} are there. {note}
    </Alert>
  )
}

function MostMissed({ results }: { results: CardResult[] }) {
  const missed = new Map<string, number>()
  for (const { rules } of results) for (const { title, outcome } of rules) if (outcome !== 'kept' && outcome !== 'exempt') missed.set(title, (missed.get(title) ?? 0) + 1)
  const rows = [...missed].toSorted(([, one], [, other]) => other - one)
  if (rows.length === 0) return null
  return (
    <Section title="Missed most">
      <Table aria-label="Rules by how many apps miss them">
        <Table.Tbody>
          {rows.map(([title, count]) => (
            <Table.Tr key={title}>
              <Table.Td>{title}</Table.Td>
              <Table.Td ta="right">
                {count} of {results.length}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}
