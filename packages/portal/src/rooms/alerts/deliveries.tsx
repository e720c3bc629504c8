/** Who was told of what, when, by which way, and what the other side said. */
import type { NotificationRow, NotificationState } from '@pavior/contract'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { person } from './reads.ts'

const words: Record<NotificationState, { word: string; tone: Tone }> = {
  Queued: { word: 'Waits', tone: 'busy' },
  Sending: { word: 'Sending', tone: 'busy' },
  Delivered: { word: 'Delivered', tone: 'good' },
  Failed: { word: 'Failed', tone: 'bad' },
  HandedOver: { word: 'Handed over', tone: 'warn' },
}

const columns: Column<NotificationRow>[] = [
  { key: 'kind', label: 'What', value: ({ kind }) => kind, width: '140px' },
  { key: 'to', label: 'To', value: ({ recipient }) => person(recipient).replace(/^channel:/, ''), width: '130px' },
  { key: 'channel', label: 'By', value: ({ channel }) => channel, width: '120px', hideBelow: 'md' },
  { key: 'state', label: 'State', value: ({ state }) => words[state].word, show: ({ state }) => <Status {...words[state]} />, width: '120px' },
  { key: 'attempts', label: 'Attempts', value: ({ attempts }) => attempts, width: '90px', align: 'right', hideBelow: 'lg' },
  { key: 'answer', label: 'Answer', value: ({ answer }) => answer ?? '', hideBelow: 'sm' },
  { key: 'at', label: 'When', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago at={createdAt} />, width: '110px' },
]

export function Deliveries({ rows, loading, nothing }: { rows: NotificationRow[]; loading: boolean; nothing: string }) {
  return <DataTable label="messages" name="messages" rows={rows} columns={columns} rowKey={({ id }) => id} loading={loading} empty={<span>{nothing}</span>} />
}
