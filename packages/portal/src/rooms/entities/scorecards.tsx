/** All scorecards: how the apps do, and where a campaign runs. */
import type { Resource, ScorecardSpec } from '@pavior/contract'
import { IconChecklist } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useCollection } from '../../frame/collections.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Sparkline } from '../../pieces/sparkline.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { trendQuery } from './reads.ts'

type Card = Resource<ScorecardSpec>

const columns: Column<Card>[] = [
  { key: 'title', label: 'Scorecard', value: ({ spec }) => spec.title },
  { key: 'levels', label: 'Levels', hideBelow: 'sm', value: ({ spec }) => (spec.levels ?? ['ready']).join(' < ') },
  { key: 'rules', label: 'Rules', width: '80px', align: 'right', value: ({ spec }) => spec.rules.length },
  { key: 'campaign', label: 'Campaign', hideBelow: 'md', value: ({ spec }) => (spec.campaign ? `${spec.campaign.level} by ${spec.campaign.deadline.slice(0, 10)}` : undefined) },
  { key: 'trend', label: 'Mean score', width: '160px', value: () => undefined, show: ({ metadata }) => <Trend name={metadata.name} /> },
]

function Trend({ name }: { name: string }) {
  const days = useQuery(trendQuery(name)).data?.items ?? []
  const last = days.at(-1)
  if (!last) return '–'
  return (
    <>
      {days.length > 1 && <Sparkline values={days.map(({ score }) => score)} label={`Mean score of the last ${days.length} days`} />} {last.score} %
    </>
  )
}

export default function Scorecards() {
  const { items, loading } = useCollection<Card>('scorecards')
  return (
    <>
      <PageHeader title="Scorecards" text="Rules over what is known of an app. What nobody knows yet never counts as kept." />
      <DataTable label="scorecards" rows={items} columns={columns} rowKey={({ metadata }) => metadata.uid} href={({ metadata }) => `/scorecards/${metadata.name}`} loading={loading} empty={<EmptyState icon={IconChecklist} title="No scorecards" text="An administrator makes one from rules in CEL:" commands={['pavior explain scorecard', 'pavior apply -f scorecard.yaml']} />} />
    </>
  )
}
