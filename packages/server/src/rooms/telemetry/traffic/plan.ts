/** From counted intervals to series that a person can read: rates, error ratios, quantiles. Pure. */
import { durationBucketsMs, type Traffic, type TrafficSeries } from '@pavior/contract'

/** What one release did in one interval of the router. */
export interface Interval {
  /** Milliseconds since the epoch, beginning of the interval. */
  at: number
  release: number
  statuses: number[]
  routerErrors: number
  durations: number[]
  durationMs: number
  bytesIn: number
  bytesOut: number
}

/** Steps that a person knows, so that edges fall on whole minutes and hours. */
const steps = [10, 30, 60, 300, 900, 3600, 10_800, 43_200]

/** The smallest usual step that gives at most `points` points. */
export function stepFor(fromMs: number, untilMs: number, points: number): number {
  const wanted = (untilMs - fromMs) / 1000 / points
  return steps.find((step) => step >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400
}

/**
 * The value below which the share `q` of the durations lies, by linear interpolation within its bucket as Prometheus'
 * histogram_quantile does it. What is slower than the last bound counts as that bound. Null without any.
 */
export function quantile(q: number, durations: number[]): number | null {
  const total = durations.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const rank = q * total
  let below = 0
  for (const [index, count] of durations.entries()) {
    const upper = durationBucketsMs[index]
    if (upper === undefined) return durationBucketsMs.at(-1)!
    if (count > 0 && below + count >= rank) {
      const lower = index === 0 ? 0 : durationBucketsMs[index - 1]!
      return lower + (upper - lower) * Math.max(0, (rank - below) / count)
    }
    below += count
  }
  return durationBucketsMs.at(-1)!
}

/** What one release did over a time. */
export interface ReleaseSample {
  requests: number
  /** Answers with 5xx. */
  errors: number
  p95Ms: number | null
  p99Ms: number | null
}

export function samplesOf(intervals: Interval[]): Map<number, ReleaseSample> {
  const releases = [...new Set(intervals.map(({ release }) => release))]
  return new Map(
    releases.map((release) => {
      const own = intervals.filter((interval) => interval.release === release)
      const statuses = sums(own.map((interval) => interval.statuses))
      const durations = sums(own.map((interval) => interval.durations))
      return [release, { requests: total(statuses), errors: statuses[4] ?? 0, p95Ms: quantile(0.95, durations), p99Ms: quantile(0.99, durations) }]
    }),
  )
}

/** Adds up what fell into each step from `fromMs` (inclusive) to `untilMs`, for all and by release. */
export function trafficOf(intervals: Interval[], { fromMs, untilMs, stepSeconds }: { fromMs: number; untilMs: number; stepSeconds: number }): Traffic {
  const stepMs = stepSeconds * 1000
  const first = Math.floor(fromMs / stepMs)
  const count = Math.max(1, Math.ceil(untilMs / stepMs) - first)
  const place = ({ at }: Interval): number => Math.floor(at / stepMs) - first
  const inside = intervals.filter((interval) => place(interval) >= 0 && place(interval) < count)
  const series = (own: Interval[]): TrafficSeries => {
    const bins: Interval[][] = Array.from({ length: count }, () => [])
    for (const interval of own) bins[place(interval)]!.push(interval)
    const measured = bins.map((bin) => ({ statuses: sums(bin.map(({ statuses }) => statuses)), durations: sums(bin.map(({ durations }) => durations)) }))
    return {
      requestsPerSecond: measured.map(({ statuses }) => total(statuses) / stepSeconds),
      errorsPerSecond: measured.map(({ statuses }) => (statuses[4] ?? 0) / stepSeconds),
      p50Ms: measured.map(({ durations }) => quantile(0.5, durations)),
      p95Ms: measured.map(({ durations }) => quantile(0.95, durations)),
      p99Ms: measured.map(({ durations }) => quantile(0.99, durations)),
    }
  }
  const releases = [...new Set(inside.map(({ release }) => release))].toSorted((one, other) => one - other)
  const statuses = sums(inside.map((interval) => interval.statuses))
  const durations = sums(inside.map((interval) => interval.durations))
  return {
    stepSeconds,
    times: Array.from({ length: count }, (_, index) => (first + index) * stepSeconds),
    all: series(inside),
    releases: releases.map((release) => ({ release, series: series(inside.filter((interval) => interval.release === release)) })),
    totals: {
      requests: total(statuses),
      errors: statuses[4] ?? 0,
      clientErrors: statuses[3] ?? 0,
      p50Ms: quantile(0.5, durations),
      p95Ms: quantile(0.95, durations),
      p99Ms: quantile(0.99, durations),
      bytesIn: inside.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
      bytesOut: inside.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    },
  }
}

function sums(rows: number[][]): number[] {
  const out: number[] = []
  for (const row of rows) for (const [index, count] of row.entries()) out[index] = (out[index] ?? 0) + count
  return out
}

function total(counts: number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
