/** Quantiles of classic histograms: interpolated within the bucket that the rank falls into. */
import type { Budget } from './budget.ts'
import { except, keyOf, metricName, type Labels } from './labels.ts'
import { newColumn, type Column, type Grid } from './values.ts'

interface Bucket {
  upper: number
  count: number
}

const notOfTheHistogram: ReadonlySet<string> = new Set([metricName, 'le'])

export async function histogramQuantile(quantiles: Float64Array, columns: Column[], grid: Grid, budget: Budget): Promise<Column[]> {
  const histograms = new Map<string, { labels: Labels; parts: { upper: number; column: Column }[] }>()
  for (const column of columns) {
    const upper = boundOf(column.labels.le)
    if (upper === undefined) continue
    const labels = except(column.labels, notOfTheHistogram)
    const key = keyOf(labels)
    const histogram = histograms.get(key) ?? { labels, parts: [] }
    histogram.parts.push({ upper, column })
    histograms.set(key, histogram)
  }
  const results: Column[] = []
  for (const { labels, parts } of histograms.values()) {
    parts.sort((one, other) => one.upper - other.upper)
    const result = newColumn(labels, grid, budget)
    for (let step = 0; step < grid.count; step++) {
      if (budget.touch(parts.length)) await budget.breathe()
      const buckets = parts.flatMap(({ upper, column }): Bucket[] => (column.present[step] === 1 ? [{ upper, count: column.values[step]! }] : []))
      if (buckets.length === 0) continue
      result.values[step] = bucketQuantile(quantiles[step]!, buckets)
      result.present[step] = 1
    }
    results.push(result)
  }
  return results
}

function boundOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[+]?Inf$/i.test(text)) return Infinity
  if (/^-Inf$/i.test(text)) return -Infinity
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

/** `sorted`: by their bound. The rules of Prometheus' `bucketQuantile`. */
export function bucketQuantile(q: number, sorted: Bucket[]): number {
  if (Number.isNaN(q)) return NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  if (sorted.at(-1)!.upper !== Infinity) return NaN
  const buckets = rising(oneForEachBound(sorted))
  const observations = buckets.at(-1)!.count
  if (buckets.length < 2 || observations === 0) return NaN
  let rank = q * observations
  let at = 0
  while (at < buckets.length - 1 && !(buckets[at]!.count >= rank)) at++
  if (at === buckets.length - 1) return buckets[at - 1]!.upper
  const { upper } = buckets[at]!
  let { count } = buckets[at]!
  if (at === 0 && upper <= 0) return upper
  let lower = 0
  if (at > 0) {
    const below = buckets[at - 1]!
    lower = below.upper
    count -= below.count
    rank -= below.count
  }
  return lower + (upper - lower) * (rank / count)
}

function oneForEachBound(sorted: Bucket[]): Bucket[] {
  const buckets: Bucket[] = []
  for (const bucket of sorted) {
    const last = buckets.at(-1)
    if (last?.upper === bucket.upper) last.count += bucket.count
    else buckets.push({ ...bucket })
  }
  return buckets
}

/** Counts that fell between two reads of the buckets are lifted. */
function rising(buckets: Bucket[]): Bucket[] {
  let most = buckets[0]!.count
  for (const bucket of buckets) {
    if (bucket.count > most) most = bucket.count
    else if (bucket.count < most) bucket.count = most
  }
  return buckets
}
