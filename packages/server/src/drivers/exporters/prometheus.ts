/** Remote write 1.0: https://prometheus.io/docs/specs/prw/remote_write_spec/ */
import { encode, type Exporter, type MetricMetadata, type SentSeries } from '../../rooms/telemetry/exports/ports.ts'
import { post } from './post.ts'

/** Numbers of prompb.MetricMetadata.MetricType. */
const types: Record<MetricMetadata['type'], number> = { unknown: 0, counter: 1, gauge: 2, histogram: 3, summary: 5 }

export const prometheus: Exporter = async (target, batch, signal) => {
  if (batch.signal !== 'metrics') throw new Error('remote write takes metrics only')
  const { default: snappy } = await import('snappyjs')
  const message = await encode('WriteRequest', writeRequest(batch.series))
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' }
  const { status } = await post(target, target.spec.prometheus!.url, headers, Buffer.from(snappy.compress(message)), signal)
  return { answer: `It answered ${status}.`, rejected: 0 }
}

/** Exported for tests. */
export function writeRequest(series: readonly SentSeries[]): { timeseries: object[]; metadata: object[] } {
  const metadata = new Map<string, object>()
  const timeseries = series.map(({ labels, times, values, metadata: known }) => {
    const { __name__: name = '' } = labels
    if (known && known.type !== 'unknown') metadata.set(name, { type: types[known.type], metricFamilyName: name, help: known.help, unit: known.unit })
    const halves = new DataView(values.buffer, values.byteOffset, values.byteLength)
    return {
      labels: Object.keys(labels).sort().map((key) => ({ name: key, value: labels[key] })),
      // The bits of a value are an integer to the encoder, so that those of a NaN stay as they are.
      samples: Array.from(times, (timeMs, index) => ({ value: { low: halves.getInt32(index * 8, true), high: halves.getInt32(index * 8 + 4, true), unsigned: false }, timestamp: timeMs })),
    }
  })
  return { timeseries, metadata: [...metadata.values()] }
}
