/** What metrics are made of, and how whoever evaluates asks for them. */

/** One series in a window of time. Times rise strictly; `values[i]` was so at `times[i]`. */
export interface Series {
  /** With `__name__`. Of the platform's own (`team`, `app`, `environment`, `release`, `instance`) nobody can forge one. */
  labels: Record<string, string>
  /** Milliseconds since the epoch. */
  times: Float64Array
  values: Float64Array
}

/** As in PromQL. A label that a series does not have is the empty text; regular expressions are anchored at both ends. */
export interface Matcher {
  name: string
  op: '=' | '!=' | '=~' | '!~'
  value: string
}

/** Selects what fits all of these, in a window with both ends in it. */
export interface Selection {
  /** Teams whose series may be seen; undefined: all, and those of the platform itself, whose team is the empty text. */
  teams: readonly string[] | undefined
  matchers: readonly Matcher[]
  /** Milliseconds since the epoch. */
  fromMs: number
  untilMs: number
}

export interface MetricMetadata {
  type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown'
  help: string
  unit: string
}

export interface SeriesSource {
  /** Throws QUERY_TOO_LARGE when more than a million points, or ten thousand series, would be given. */
  select(selection: Selection, signal: AbortSignal): Promise<Series[]>
  /** Labels of the series that had a point in the window. */
  series(selection: Selection, signal: AbortSignal): Promise<Record<string, string>[]>
  /** By name of the metric. */
  metadata(teams: readonly string[] | undefined): Promise<Map<string, MetricMetadata>>
}
