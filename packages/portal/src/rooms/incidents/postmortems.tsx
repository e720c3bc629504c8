/** All postmortems of the team: which are to be written, which have actions that nobody has done. */
import { IconNotebook } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useCollection, useNewest } from '../../frame/collections.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { postmortemPath, type Postmortem } from './reads.ts'

const tones: Record<string, Tone> = { Draft: 'warn', Review: 'busy', Published: 'good' }

export function postmortemState({ spec }: Postmortem): { word: string; tone: Tone } {
  const word = spec.state ?? 'Draft'
  return { word, tone: tones[word] ?? 'idle' }
}

const columns: Column<Postmortem>[] = [
  { key: 'incident', label: 'Incident', value: ({ spec }) => spec.incident, width: '100px' },
  { key: 'title', label: 'What happened', value: ({ spec }) => spec.title },
  { key: 'state', label: 'State', value: (one) => postmortemState(one).word, show: (one) => <Status {...postmortemState(one)} />, width: '120px' },
  { key: 'due', label: 'Due', value: ({ spec, status }) => (spec.state === 'Published' ? '' : (status?.dueAt ?? '')), show: ({ spec, status }) => (spec.state === 'Published' ? '–' : <Ago at={status?.dueAt} />), width: '120px', hideBelow: 'sm' },
  { key: 'open', label: 'Open actions', value: ({ status }) => status?.actions?.open ?? 0, width: '120px', align: 'right', hideBelow: 'xs' },
  { key: 'overdue', label: 'Overdue', value: ({ status }) => status?.actions?.overdue ?? 0, width: '100px', align: 'right', hideBelow: 'sm' },
]

export default function Postmortems() {
  const { items, loading } = useCollection<Postmortem>('postmortems', { team: useTeam() })
  const newest = useNewest(items)
  const open = useMemo(() => items.filter(({ spec }) => spec.state !== 'Published').length, [items])
  return (
    <>
      <PageHeader title="Postmortems" crumbs={[{ label: 'Incidents', to: '/incidents' }]} text={open === 0 ? 'What was learned from incidents, without blame.' : `${open} ${open === 1 ? 'is' : 'are'} not published yet.`} actions={<GoLink size="sm" to="/actions">Actions of all</GoLink>} />
      <DataTable
        label="postmortems"
        rows={newest}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={({ metadata }) => postmortemPath(metadata.namespace!, metadata.name)}
        loading={loading}
        empty={<EmptyState icon={IconNotebook} title="Nothing was written yet" text="Closing an incident of sev1 or sev2 drafts a postmortem with what is known; others on wish." commands={['pavior incident close inc-1 --postmortem']} />}
      />
    </>
  )
}
