/** One export: whether it works, how far behind it is by signal, what was lost and why, and a request to try it. */
import type { TelemetryExportStatus } from '@pavior/contract'
import { Button, Text } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { useAct } from '../../pieces/use-act.ts'
import { ExportState, typeOf, type TelemetryExport } from './export-state.tsx'

type SignalRow = NonNullable<TelemetryExportStatus['signals']>[number]

const crumbs = [{ label: 'Exports and sources', to: '/explore/exports' }]
const reasons: Record<string, string> = { refused: 'refused', too_old: 'waited too long', gone: 'gone before they were sent' }
const droppedText = ({ dropped }: SignalRow): string => Object.entries(dropped).map(([reason, count]) => `${count} ${reasons[reason] ?? reason}`).join(', ') || '0'

const columns: Column<SignalRow>[] = [
  { key: 'signal', label: 'Signal', value: ({ signal }) => signal },
  { key: 'state', label: 'State', value: ({ state }) => state, show: ({ state }) => <ExportState state={state} />, width: '130px' },
  { key: 'lag', label: 'Behind', value: ({ lagSeconds }) => lagSeconds, show: ({ lagSeconds }) => `${lagSeconds} s`, width: '100px', align: 'right' },
  { key: 'sent', label: 'Sent', value: ({ sent }) => sent, width: '120px', align: 'right' },
  { key: 'dropped', label: 'Dropped', value: droppedText, width: '220px', hideBelow: 'sm' },
  { key: 'last', label: 'Last taken', value: ({ lastSuccess }) => lastSuccess ?? '', show: ({ lastSuccess }) => <Ago at={lastSuccess} />, width: '110px', hideBelow: 'sm' },
]

export default function ExportPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource, loading } = useResource<TelemetryExport>('telemetryexports', team, name)
  if (loading) return <PageSkeleton />
  if (!resource) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no export ${name} in team ${team}.`} text="It may have been deleted." commands={[`pavior export list --team ${team}`]} />
      </>
    )
  }
  const { spec, status } = resource
  return (
    <>
      <PageHeader
        title={name}
        crumbs={crumbs}
        beside={<ExportState state={status?.state} />}
        text={spec.description ?? `Sent by ${typeOf(resource)} to ${spec.otlp?.url ?? spec.prometheus?.url ?? spec.loki?.url}.`}
        actions={<GoLink size="sm" to={genericHref('telemetryexports', team, name)}>Settings of {name}</GoLink>}
      />
      {status?.message !== undefined && <Text size="sm" mb="xs" role="status">{status.message}</Text>}
      <Test of={resource} />
      <Section title="By signal">
        <DataTable label="signals" name="signals" rows={status?.signals ?? []} columns={columns} rowKey={({ signal }) => signal} empty={<span>Nothing was looked at yet.</span>} />
      </Section>
    </>
  )
}

function Test({ of: { metadata } }: { of: TelemetryExport }) {
  const session = useSession()
  const [answer, setAnswer] = useState<string>()
  const { busy, error, act } = useAct()
  if (!mayAs(session, 'developer', metadata.namespace!)) return <CopyCommand command={`pavior export test ${metadata.name} --team ${metadata.namespace}`} />
  const send = (): void => {
    setAnswer(undefined)
    const path = `/v1/teams/${encodeURIComponent(metadata.namespace!)}/telemetryexports/${encodeURIComponent(metadata.name)}/test`
    act(() => post<{ signals: { signal: string; answer: string }[] }>(path, {}).then(({ signals }) => setAnswer(signals.map(({ signal, answer: said }) => `${signal}: ${said}`).join(' '))))
  }
  return (
    <>
      <Button size="xs" loading={busy} onClick={send}>Send an empty request</Button>
      {answer !== undefined && <Text size="sm" mt="xs" role="status">It works. {answer}</Text>}
      {error && <ErrorState error={error} />}
    </>
  )
}
