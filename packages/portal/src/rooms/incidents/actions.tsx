/** Actions of all postmortems of one's teams: what is overdue, what is open, what is done. */
import type { PostmortemAction } from '@pavior/contract'
import { Button, SegmentedControl, Text } from '@mantine/core'
import { IconListCheck } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { useAct } from '../../pieces/use-act.ts'
import { isLate, saveActions } from './action-table.tsx'
import { postmortemPath, type Postmortem } from './reads.ts'

interface Row {
  postmortem: Postmortem
  index: number
  action: PostmortemAction
}

function stateOf({ action }: Row): { word: string; tone: Tone } {
  if (isLate(action)) return { word: 'Overdue', tone: 'bad' }
  const { state = 'Open' } = action
  return { word: state, tone: state === 'Done' ? 'good' : state === 'Open' ? 'busy' : 'idle' }
}

const columns: Column<Row>[] = [
  { key: 'what', label: 'What', value: ({ action }) => action.title },
  { key: 'state', label: 'State', value: (row) => stateOf(row).word, show: (row) => <Status {...stateOf(row)} />, width: '110px' },
  { key: 'owner', label: 'Who', value: ({ action }) => action.owner ?? 'nobody', width: '110px', hideBelow: 'xs' },
  { key: 'due', label: 'By', value: ({ action }) => action.due ?? '', width: '110px', hideBelow: 'xs' },
  { key: 'incident', label: 'Incident', value: ({ postmortem }) => `${postmortem.metadata.namespace}/${postmortem.spec.incident}`, width: '150px', hideBelow: 'sm' },
]

export default function Actions() {
  const session = useSession()
  const [show = 'open', setShow] = useSearchParam('show')
  const { items, loading } = useCollection<Postmortem>('postmortems', { team: useTeam() })
  const { busy, error, act } = useAct()
  const rows = useMemo(() => items.flatMap((postmortem) => (postmortem.spec.actions ?? []).map((action, index) => ({ postmortem, action, index }))), [items])
  const shown = useMemo(() => rows.filter(({ action }) => (show === 'all' ? true : show === 'mine' ? (action.state ?? 'Open') === 'Open' && action.owner === session.user : (action.state ?? 'Open') === 'Open')).toSorted((one, other) => (one.action.due ?? '9').localeCompare(other.action.due ?? '9')), [rows, show, session.user])
  const late = rows.filter(({ action }) => isLate(action)).length
  const finish = ({ postmortem, index }: Row): void => act(() => saveActions(postmortem, postmortem.spec.actions!.map((one, at) => (at === index ? { ...one, state: 'Done' as const } : one))))
  const done: Column<Row> = {
    key: 'done',
    label: 'Finish',
    value: () => '',
    width: '80px',
    align: 'right',
    show: (row) =>
      (row.action.state ?? 'Open') === 'Open' && mayAs(session, 'developer', row.postmortem.metadata.namespace!) ? (
        <Button size="compact-xs" variant="default" disabled={busy} aria-label={`Done: ${row.action.title}`} onClick={() => finish(row)}>
          Done
        </Button>
      ) : null,
  }
  return (
    <>
      <PageHeader title="Actions" crumbs={[{ label: 'Incidents', to: '/incidents' }, { label: 'Postmortems', to: '/postmortems' }]} text={late === 0 ? 'What postmortems asked for. Nothing is overdue.' : <Text span size="sm" c="var(--tone-bad)">{late} {late === 1 ? 'is' : 'are'} overdue.</Text>} />
      {error && <ErrorState error={error} />}
      <DataTable
        label="actions"
        rows={shown}
        columns={[...columns, done]}
        rowKey={({ postmortem, index }) => `${postmortem.metadata.uid} ${index}`}
        href={({ postmortem }) => postmortemPath(postmortem.metadata.namespace!, postmortem.metadata.name)}
        loading={loading}
        tools={<SegmentedControl size="xs" aria-label="Which actions" value={show} onChange={(value) => setShow(value === 'open' ? undefined : value)} data={[{ value: 'open', label: 'Open' }, { value: 'mine', label: 'Mine' }, { value: 'all', label: 'All' }]} />}
        {...(rows.length === 0 ? { empty: <EmptyState icon={IconListCheck} title="There is nothing to do" text="Postmortems list what would make the next incident less likely, with an owner and a day each." commands={['pavior postmortem list']} /> } : {})}
      />
    </>
  )
}
