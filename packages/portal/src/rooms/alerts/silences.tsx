/** What is kept quiet, why, and until when. */
import { Button } from '@mantine/core'
import { IconBellOff, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { useAct } from '../../pieces/use-act.ts'
import { isOver, type Silence } from './reads.ts'

const crumbs = [{ label: 'Alerts', to: '/alerts' }]

const matched = ({ spec }: Silence): string => spec.matchers.map(({ label, op, value }) => `${label} ${op} ${value}`).join(', ')

const columns: Column<Silence>[] = [
  { key: 'matches', label: 'What', value: matched },
  { key: 'state', label: 'State', value: (silence) => (isOver(silence, Date.now()) ? 'Ended' : 'In force'), show: (silence) => (isOver(silence, Date.now()) ? <Status word="Ended" tone="idle" /> : <Status word={silence.spec.weekly ? 'Every week' : 'In force'} tone="warn" />), width: '120px' },
  { key: 'reason', label: 'Why', value: ({ spec }) => spec.reason, hideBelow: 'sm' },
  { key: 'until', label: 'Until', value: ({ spec }) => spec.until ?? '', show: ({ spec }) => <Ago at={spec.until} />, width: '110px', hideBelow: 'xs' },
  { key: 'end', label: '', value: () => '', show: (silence) => <End silence={silence} />, width: '90px', align: 'right' },
]

export default function Silences() {
  const team = useTeam()
  const { items, loading } = useCollection<Silence>('silences', { team })
  const ordered = useMemo(() => items.toSorted((one, other) => Number(isOver(one, Date.now())) - Number(isOver(other, Date.now())) || (other.spec.until ?? '').localeCompare(one.spec.until ?? '')), [items])
  return (
    <>
      <PageHeader
        title="Silences"
        crumbs={crumbs}
        text="Nobody is told of what they match. Alerts are kept and shown all the same."
        actions={
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to="/kinds/silences/create" {...props} />}>
            Silence something
          </Button>
        }
      />
      <DataTable
        label="silences"
        rows={ordered}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={({ metadata }) => genericHref('silences', metadata.namespace!, metadata.name)}
        loading={loading}
        empty={<EmptyState icon={IconBellOff} title="Nothing is kept quiet" text="Before a maintenance, silence what will break by it." commands={['pavior silence add app=<app> --for 2h --reason "the database moves"']} />}
      />
    </>
  )
}

function End({ silence }: { silence: Silence }) {
  const session = useSession()
  const { busy, error, act } = useAct()
  const { metadata, spec } = silence
  const begun = spec.from === undefined || Date.parse(spec.from) < Date.now()
  if (isOver(silence, Date.now()) || !begun || !mayAs(session, 'developer', metadata.namespace!)) return null
  return (
    <>
      <Button size="compact-xs" variant="default" loading={busy} aria-label={`End ${metadata.name}`} onClick={() => act(() => patch(resourcePath('silences', metadata.namespace, metadata.name), { spec: { until: new Date().toISOString(), endedBy: session.name } }))}>
        End
      </Button>
      {error && <ErrorState error={error} />}
    </>
  )
}
