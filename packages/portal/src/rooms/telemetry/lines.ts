/** Answers over a range as lines of a chart and rows of a table. Pure. */

export interface RangeSeries {
  metric: Record<string, string>
  /** Seconds since the epoch, and the number as text. */
  values: [number, string][]
}

export interface SeriesRow {
  /** `name{a="b"}` without what all have in common. */
  label: string
  /** All of it. */
  full: string
  metric: Record<string, string>
  values: (number | null)[]
  last: number | null
  least: number | null
  most: number | null
}

/** A chart with more lines says nothing. */
export const mostLines = 30
const leastStepSeconds = 15
const usualPoints = 240

export function stepFor(lengthMs: number): number {
  return Math.max(leastStepSeconds, Math.ceil(lengthMs / 1000 / usualPoints))
}

export function labelText(metric: Record<string, string>, left: ReadonlySet<string> = new Set()): string {
  const { __name__: name = '' } = metric
  const labels = Object.keys(metric).filter((label) => label !== '__name__' && !left.has(label)).sort().map((label) => `${label}="${metric[label]}"`)
  const shown = left.has('__name__') ? '' : name
  return labels.length === 0 ? shown || name || 'value' : `${shown}{${labels.join(', ')}}`
}

/** Labels with the same value in every series tell nothing apart. */
function common(series: readonly RangeSeries[]): Set<string> {
  const [first, ...others] = series
  if (!first || others.length === 0) return new Set()
  return new Set(Object.keys(first.metric).filter((label) => others.every(({ metric }) => metric[label] === first.metric[label])))
}

/** One value for each time from `start` on; null where there is none, or none that can be drawn. */
export function rowsOf(series: readonly RangeSeries[], start: number, step: number, count: number): SeriesRow[] {
  const shared = common(series)
  return series.map(({ metric, values }) => {
    const drawn = new Array<number | null>(count).fill(null)
    for (const [time, text] of values) {
      const value = Number(text)
      const index = Math.round((time - start) / step)
      if (Number.isFinite(value) && index >= 0 && index < count) drawn[index] = value
    }
    const known = drawn.filter((value) => value !== null)
    const none = known.length === 0
    return { label: labelText(metric, shared), full: labelText(metric), metric, values: drawn, last: known.at(-1) ?? null, least: none ? null : Math.min(...known), most: none ? null : Math.max(...known) }
  })
}

/** Every word must be found in the labels. */
export function filtered(rows: readonly SeriesRow[], words: string): SeriesRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter(({ full }) => wanted.every((word) => full.toLowerCase().includes(word)))
}

/** Of the numbers, as far as the expression tells: a rate of bytes is bytes too. */
export function unitOf(query: string): string {
  if (/_bytes\b|_bytes_total\b/.test(query) && !/\bcount\b/.test(query)) return 'bytes'
  return ''
}
