/** Prometheus' remote write 1.0 as series. Pure. Rules: https://prometheus.io/docs/specs/prw/remote_write_spec/ */
import { fail } from '@pavior/contract'
import { staleInput } from './encoding.ts'
import type { Incoming } from './ingest.ts'
import { incomingName, labelsOf, type OwnLabels } from './names.ts'
import { field, listOf, numberOf, textOf } from '../otlp/values.ts'
import type { MetricMetadata } from './series.ts'

/** By the numbers of prompb.MetricMetadata.MetricType. */
const types: MetricMetadata['type'][] = ['unknown', 'counter', 'gauge', 'histogram', 'unknown', 'summary', 'unknown', 'unknown']
const [staleHigh, staleLow] = [0x7ff00000, 2]
const bits = new DataView(new ArrayBuffer(8))

export function convertWrite(request: unknown, own: OwnLabels): { incoming: Incoming[]; metadata: Map<string, MetricMetadata> } {
  const incoming = listOf(request, 'timeseries').map((series): Incoming => {
    const labels = listOf(series, 'labels').map((label) => [textOf(field(label, 'name')), textOf(field(label, 'value'))] as const)
    const name = labels.find(([key]) => key === '__name__')?.[1]
    if (!name) throw fail('BAD_REQUEST', { message: 'A series has no name: the label __name__ is missing.' })
    const samples = listOf(series, 'samples')
    return {
      labels: labelsOf(incomingName(name), labels.filter(([key]) => key !== '__name__'), own),
      times: samples.map((sample) => numberOf(field(sample, 'timestamp'))),
      values: samples.map((sample) => doubleOf(field(sample, 'value'))),
    }
  })
  const metadata = listOf(request, 'metadata').map((one) => [incomingName(textOf(field(one, 'metricFamilyName'))), { type: types[numberOf(field(one, 'type'))] ?? 'unknown', help: textOf(field(one, 'help')).slice(0, 500), unit: textOf(field(one, 'unit')).slice(0, 50) }] as const)
  return { incoming: incoming.filter(({ times }) => times.length > 0), metadata: new Map(metadata) }
}

function doubleOf(value: unknown): number {
  if (value === undefined) return 0
  const { high, low } = value as { high: number; low: number }
  if (high === staleHigh && low === staleLow) return staleInput
  bits.setInt32(0, high)
  bits.setInt32(4, low)
  return bits.getFloat64(0)
}
