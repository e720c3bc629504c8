/** A table of game days. */
import { DataTable } from '../../pieces/data-table.tsx'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { IconBolt } from '@tabler/icons-react'
import { gameDayPath, stateOf, verdictOf, type GameDay } from './reads.ts'

const columns: Column<GameDay>[] = [
  { key: 'name', label: 'Game day', value: ({ metadata }) => metadata.name, width: '180px' },
  { key: 'state', label: 'State', value: (one) => stateOf(one).word, show: (one) => <Status {...stateOf(one)} />, width: '110px' },
  { key: 'verdict', label: 'Verdict', value: (one) => verdictOf(one)?.word ?? '', show: (one) => { const verdict = verdictOf(one); return verdict ? <Status {...verdict} /> : '' }, width: '110px', hideBelow: 'xs' },
  { key: 'where', label: 'Where', value: ({ spec }) => `${spec.app} in ${spec.environment}`, width: '180px', hideBelow: 'sm' },
  { key: 'hypothesis', label: 'Hypothesis', value: ({ spec }) => spec.hypothesis, hideBelow: 'md' },
  { key: 'made', label: 'Planned', value: ({ metadata }) => metadata.creationTimestamp, show: ({ metadata }) => <Ago at={metadata.creationTimestamp} />, width: '110px', hideBelow: 'sm' },
]

export function GameDayTable({ items, loading, commands }: { items: GameDay[]; loading: boolean; commands: string[] }) {
  return (
    <DataTable
      label="game days"
      rows={items}
      columns={columns}
      rowKey={({ metadata }) => metadata.uid}
      href={gameDayPath}
      loading={loading}
      initialSort={{ key: 'made', descending: true }}
      empty={<EmptyState icon={IconBolt} title="No game day yet." text="What breaks at three in the morning can break at ten with everybody awake: plan an exercise, inject the fault, see what holds." commands={commands} />}
    />
  )
}
