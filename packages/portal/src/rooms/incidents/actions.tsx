/** Actions of all postmortems and game days of one's teams: what is overdue, what is open, what is done. */
import type { GameDaySpec, PostmortemAction, Resource } from '@pavior/contract'
import { Button, SegmentedControl, Text } from '@mantine/core'
import { IconListCheck } from '@tabler/icons-react'
import { useMemo } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
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
  key: string
  team: string
  /** What asked for it. */
  source: string
  path: string
  action: PostmortemAction
  finish: () => Promise<unknown>
}

type GameDay = Resource<GameDaySpec>

const finished = (actions: readonly PostmortemAction[], index: number): PostmortemAction[] => actions.map((one, at) => (at === index ? { ...one, state: 'Done' as const } : one))

function ofPostmortem(postmortem: Postmortem): Row[] {
  const { metadata, spec } = postmortem
  const team = metadata.namespace!
  const actions = spec.actions ?? []
  return actions.map((action, index) => ({ key: `${metadata.uid} ${index}`, team, source: spec.incident, path: postmortemPath(team, metadata.name), action, finish: () => saveActions(postmortem, finished(actions, index)) }))
}

function ofGameDay({ metadata, spec }: GameDay): Row[] {
  const team = metadata.namespace!
  const actions = spec.verdict?.actions ?? []
  return actions.map((action, index) => ({
    key: `${metadata.uid} ${index}`,
    team,
    source: metadata.name,
    path: `/gamedays/${encodeURIComponent(team)}/${encodeURIComponent(metadata.name)}`,
    action,
    finish: () => patch(resourcePath('gamedays', team, metadata.name), { metadata: { resourceVersion: metadata.resourceVersion }, spec: { verdict: { actions: finished(actions, index) } } }),
  }))
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
  { key: 'from', label: 'From', value: ({ team, source }) => `${team}/${source}`, width: '150px', hideBelow: 'sm' },
]

export default function Actions() {
  const session = useSession()
  const [show = 'open', setShow] = useSearchParam('show')
  const team = useTeam()
  const { items, loading } = useCollection<Postmortem>('postmortems', { team })
  const { items: gameDays } = useCollection<GameDay>('gamedays', { team })
  const { busy, error, act } = useAct()
  const rows = useMemo(() => [...items.flatMap(ofPostmortem), ...gameDays.flatMap(ofGameDay)], [items, gameDays])
  const shown = useMemo(() => rows.filter(({ action }) => (show === 'all' ? true : show === 'mine' ? (action.state ?? 'Open') === 'Open' && action.owner === session.user : (action.state ?? 'Open') === 'Open')).toSorted((one, other) => (one.action.due ?? '9').localeCompare(other.action.due ?? '9')), [rows, show, session.user])
  const late = rows.filter(({ action }) => isLate(action)).length
  const done: Column<Row> = {
    key: 'done',
    label: 'Finish',
    value: () => '',
    width: '80px',
    align: 'right',
    show: (row) =>
      (row.action.state ?? 'Open') === 'Open' && mayAs(session, 'developer', row.team) ? (
        <Button size="compact-xs" variant="default" disabled={busy} aria-label={`Done: ${row.action.title}`} onClick={() => act(row.finish)}>
          Done
        </Button>
      ) : null,
  }
  return (
    <>
      <PageHeader title="Actions" crumbs={[{ label: 'Incidents', to: '/incidents' }, { label: 'Postmortems', to: '/postmortems' }]} text={late === 0 ? 'What postmortems and game days asked for. Nothing is overdue.' : <Text span size="sm" c="var(--tone-bad)">{late} {late === 1 ? 'is' : 'are'} overdue.</Text>} />
      {error && <ErrorState error={error} />}
      <DataTable
        label="actions"
        rows={shown}
        columns={[...columns, done]}
        rowKey={({ key }) => key}
        href={({ path }) => path}
        loading={loading}
        tools={<SegmentedControl size="xs" aria-label="Which actions" value={show} onChange={(value) => setShow(value === 'open' ? undefined : value)} data={[{ value: 'open', label: 'Open' }, { value: 'mine', label: 'Mine' }, { value: 'all', label: 'All' }]} />}
        {...(rows.length === 0 ? { empty: <EmptyState icon={IconListCheck} title="There is nothing to do" text="Postmortems list what would make the next incident less likely, with an owner and a day each." commands={['pavior postmortem list']} /> } : {})}
      />
    </>
  )
}
