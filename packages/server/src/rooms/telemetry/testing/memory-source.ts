/** Series in memory, for tests and benchmarks of what reads them. */
import type { Matcher, MetricMetadata, Selection, Series, SeriesSource } from '../metrics/series.ts'
import { compilePattern } from '../promql/regex/pattern.ts'

export function memorySource(series: readonly Series[], metadata = new Map<string, MetricMetadata>()): SeriesSource {
  const found = ({ teams, matchers, fromMs, untilMs }: Selection): Series[] => {
    const tests = matchers.map(testOf)
    return series.flatMap(({ labels, times, values }) => {
      if (teams && !teams.includes(labels.team ?? '')) return []
      if (!tests.every((test) => test(labels))) return []
      const [from, to] = [firstFrom(times, fromMs), firstFrom(times, untilMs + 1)]
      return to > from ? [{ labels, times: times.subarray(from, to), values: values.subarray(from, to) }] : []
    })
  }
  return {
    select: async (selection) => found(selection),
    series: async (selection) => found(selection).map(({ labels }) => labels),
    metadata: async () => metadata,
  }
}

function testOf({ name, op, value }: Matcher): (labels: Record<string, string>) => boolean {
  if (op === '=') return (labels) => (labels[name] ?? '') === value
  if (op === '!=') return (labels) => (labels[name] ?? '') !== value
  const pattern = compilePattern(value)
  return (labels) => pattern.matches(labels[name] ?? '') === (op === '=~')
}

function firstFrom(times: Float64Array, atMs: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < atMs) low = middle + 1
    else high = middle
  }
  return low
}
