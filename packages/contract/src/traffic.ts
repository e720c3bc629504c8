/** Traffic of an app as the API gives it and the portal draws it. */

/** The router counts over intervals of this length. */
export const trafficIntervalMs = 5000

/** Parallel arrays, one place for each step; null where there was no request to measure. */
export interface TrafficSeries {
  requestsPerSecond: number[]
  /** Server errors (5xx) a second. */
  errorsPerSecond: number[]
  p50Ms: (number | null)[]
  p95Ms: (number | null)[]
  p99Ms: (number | null)[]
}

export interface Traffic {
  stepSeconds: number
  /** Beginning of each step, seconds since the epoch. */
  times: number[]
  all: TrafficSeries
  releases: { release: number; series: TrafficSeries }[]
  totals: { requests: number; errors: number; clientErrors: number; p50Ms: number | null; p95Ms: number | null; p99Ms: number | null; bytesIn: number; bytesOut: number }
}
