/** Traces of an app: how long requests took, what failed, and where the time went. */
import { Checkbox, Select, Text } from '@mantine/core'
import type { TraceSummary } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useAppPlace, useEnvironment } from '../../frame/apps.ts'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { scaleText } from '../../pieces/number-text.ts'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { TimeRangePicker, useTimeRange } from '../../pieces/time-range.tsx'
import { tracesQuery, whyPath } from './trace-reads.ts'

const slower: { value: string; label: string }[] = [{ value: '100', label: '100 ms and more' }, { value: '500', label: '500 ms and more' }, { value: '1000', label: '1 s and more' }, { value: '5000', label: '5 s and more' }]

const columns: Column<TraceSummary>[] = [
  { key: 'what', label: 'Request', value: ({ name }) => name },
  { key: 'status', label: 'Status', value: ({ status, failed }) => status ?? (failed ? 'failed' : 'ok'), show: ({ status, failed }) => <Status word={String(status ?? (failed ? 'failed' : 'ok'))} tone={failed ? 'bad' : 'good'} />, width: '100px' },
  { key: 'took', label: 'Took', value: ({ durationMs }) => durationMs, show: ({ durationMs }) => scaleText(durationMs, 'ms'), width: '90px', align: 'right' },
  { key: 'spans', label: 'Spans', value: ({ spans }) => spans, width: '80px', align: 'right', hideBelow: 'sm' },
  { key: 'apps', label: 'Apps', value: ({ apps }) => apps.map((each) => each.split('/')[1]).join(', '), width: '180px', hideBelow: 'md' },
  { key: 'when', label: 'When', value: ({ atMs }) => atMs, show: ({ atMs }) => <Ago at={new Date(atMs).toISOString()} />, width: '100px', hideBelow: 'xs' },
]

export default function Traces() {
  const place = useAppPlace()
  const { environment } = useEnvironment(place)
  const { least, failed } = useSearchParams()
  const set = useSetSearchParams()
  const { lengthMs, fixed } = useTimeRange()
  // Once for each choice: a time that moves on would ask without end.
  const from = useMemo(() => fixed?.from ?? new Date(Date.now() - lengthMs).toISOString(), [fixed, lengthMs])
  const { data = [], error, isPending } = useQuery(tracesQuery(place, { environment, from, until: fixed?.until, leastMs: least, failed: failed === '1', name: undefined }))
  if (error) return <ErrorState error={error} />
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs">
        Every request that failed or was slow, and of the others the first of each second. All are kept for some minutes; those that failed, were slow, and a share of the rest for days.
      </Text>
      <DataTable
        label="traces"
        rows={data}
        columns={columns}
        rowKey={({ traceId }) => traceId}
        href={({ requestId, traceId }) => whyPath(requestId ?? traceId)}
        loading={isPending}
        empty={<EmptyState title="No traces in this time." text="Each request through the router makes one. Apps that send OpenTelemetry spans show what went on inside." commands={[`pavior traces ${place.app} --team ${place.team}`]} />}
        tools={
          <>
            <TimeRangePicker />
            <Select size="xs" w={150} aria-label="How slow" placeholder="Any duration" clearable data={slower} value={least ?? null} onChange={(next) => set({ least: next ?? undefined })} />
            <Checkbox size="xs" label="Failed" checked={failed === '1'} onChange={({ currentTarget }) => set({ failed: currentTarget.checked ? '1' : undefined })} />
          </>
        }
      />
    </>
  )
}
