/** The latest value of every series that fits, in Prometheus' text format: for a Prometheus elsewhere that collects from several places. */
import { isStale } from '../metrics/encoding.ts'
import type { MetricMetadata, Series } from '../metrics/series.ts'
import { valueText } from '../promql/numbers.ts'

/** What is older counts as gone, as with Prometheus. */
export const lookBackMs = 300_000

/** https://prometheus.io/docs/instrumenting/exposition_formats/ version 0.0.4, with the time of each value. */
export function federated(found: readonly Series[], metadata: ReadonlyMap<string, MetricMetadata>): string {
  const lines: string[] = []
  let family = ''
  for (const { labels, times, values } of found.toSorted(byName)) {
    const last = times.length - 1
    if (last < 0 || isStale(values, last)) continue
    const { __name__: name = '', ...rest } = labels
    if (name !== family) lines.push(`# TYPE ${name} ${typeOf(name, metadata)}`)
    family = name
    lines.push(`${name}${labelText(rest)} ${valueText(values[last]!)} ${times[last]}`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Parts of a histogram do not stand together here, so that their type is not known to whoever reads; Prometheus does the same. */
function typeOf(name: string, metadata: ReadonlyMap<string, MetricMetadata>): string {
  const type = metadata.get(name)?.type
  return type === 'counter' || type === 'gauge' ? type : 'untyped'
}

function labelText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function byName(one: Series, other: Series): number {
  const [first, second] = [one.labels.__name__ ?? '', other.labels.__name__ ?? '']
  return first < second ? -1 : first > second ? 1 : 0
}
