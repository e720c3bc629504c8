/** Where telemetry of the team goes, and where else metrics are read from: whether it works, and how far behind it is. */
import { Button } from '@mantine/core'
import { IconPlus, IconShare, IconDatabaseSearch } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useCollection } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { ExportState, exportPath, typeOf, type TelemetryExport } from './export-state.tsx'
import type { MetricSource } from './source-choice.tsx'

const exportColumns: Column<TelemetryExport>[] = [
  { key: 'name', label: 'Export', value: ({ metadata }) => metadata.name },
  { key: 'type', label: 'To', value: typeOf, width: '120px' },
  { key: 'signals', label: 'Signals', value: ({ spec }) => spec.signals.join(', '), hideBelow: 'sm' },
  { key: 'state', label: 'State', value: ({ status }) => status?.state ?? 'Waiting', show: ({ status }) => <ExportState state={status?.state} />, width: '130px' },
  { key: 'lag', label: 'Behind', value: ({ status }) => status?.lagSeconds ?? 0, show: ({ status }) => `${status?.lagSeconds ?? 0} s`, width: '100px', align: 'right' },
  { key: 'sent', label: 'Sent', value: ({ status }) => status?.sent ?? 0, width: '110px', align: 'right', hideBelow: 'sm' },
  { key: 'dropped', label: 'Dropped', value: ({ status }) => status?.dropped ?? 0, width: '110px', align: 'right', hideBelow: 'sm' },
  { key: 'message', label: 'Answered last', value: ({ status }) => status?.message ?? '', hideBelow: 'md' },
]

const sourceColumns: Column<MetricSource>[] = [
  { key: 'name', label: 'Source', value: ({ metadata }) => metadata.name },
  { key: 'url', label: 'Address', value: ({ spec }) => spec.url, hideBelow: 'sm' },
  { key: 'state', label: 'State', value: ({ status }) => status?.state ?? 'Not asked yet', show: ({ status }) => <Status word={status?.state ?? 'Not asked yet'} tone={status?.state === 'Working' ? 'good' : status?.state === 'Failing' ? 'bad' : 'idle'} />, width: '140px' },
  { key: 'since', label: 'Since', value: ({ status }) => status?.since ?? '', show: ({ status }) => <Ago at={status?.since} />, width: '110px', hideBelow: 'sm' },
  { key: 'message', label: 'What was wrong', value: ({ status }) => status?.message ?? '', hideBelow: 'md' },
]

export default function Exports() {
  const team = useTeam()
  const exports = useCollection<TelemetryExport>('telemetryexports', { team })
  const sources = useCollection<MetricSource>('metricsources', { team })
  return (
    <>
      <PageHeader title="Exports and sources" crumbs={[{ label: 'Metrics', to: '/explore/metrics' }]} text="Where telemetry goes beside Pavior, and where else metrics are read from." />
      <Section title="Exports" actions={<Add plural="telemetryexports" text="Add an export" />}>
        <DataTable
          label="exports" name="exports" rows={exports.items} columns={exportColumns} rowKey={({ metadata }) => metadata.uid} href={exportPath} initialSort={{ key: 'name', descending: false }} loading={exports.loading}
          empty={<EmptyState icon={IconShare} title="Nothing is sent on" text="Metrics, logs and traces of the team can go to OpenTelemetry, Prometheus or Loki, too." commands={['pavior export add mimir --prometheus https://mimir.example/api/v1/push']} />}
        />
      </Section>
      <Section title="Metric sources" actions={<Add plural="metricsources" text="Add a source" />}>
        <DataTable
          label="sources" name="sources" rows={sources.items} columns={sourceColumns} rowKey={({ metadata }) => metadata.uid} href={({ metadata }) => genericHref('metricsources', metadata.namespace, metadata.name)} initialSort={{ key: 'name', descending: false }} loading={sources.loading}
          empty={<EmptyState icon={IconDatabaseSearch} title="Metrics are read from Pavior only" text="Queries, objectives and alerts can ask a Prometheus elsewhere." commands={['pavior source add central https://prometheus.example']} />}
        />
      </Section>
    </>
  )
}

function Add({ plural, text }: { plural: string; text: string }) {
  return (
    <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to={`/kinds/${plural}/create`} {...props} />}>
      {text}
    </Button>
  )
}
