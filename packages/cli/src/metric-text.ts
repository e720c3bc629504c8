/** Metrics as text on a terminal. Pure. */
import { size } from './output.ts'

/** As Prometheus' API gives it. */
export interface Series {
  metric: Record<string, string>
  /** Seconds since the epoch, and the number as text. */
  value?: [number, string]
  values?: [number, string][]
}

export interface TopRow {
  team: string
  app: string
  environment: string
  /** Cores. */
  cpu?: number
  /** Bytes. */
  memory?: number
  /** A second. */
  requests?: number
  /** Share, 0 to 1. */
  errors?: number
  /** Seconds. */
  p95?: number
}

const bars = '▁▂▃▄▅▆▇█'

export function nameOf(metric: Record<string, string>): string {
  return metric.__name__ ?? ''
}

/** `name{a="b"}`, labels in order. */
export function labelsText(metric: Record<string, string>): string {
  const labels = Object.keys(metric).filter((name) => name !== '__name__').sort().map((name) => `${name}=${JSON.stringify(metric[name])}`)
  return labels.length === 0 && nameOf(metric) !== '' ? nameOf(metric) : `${nameOf(metric)}{${labels.join(', ')}}`
}

/** Four figures, and bytes as people count them. */
export function figure(value: number, name: string): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  if (name.endsWith('_bytes') && value >= 0) return size(Math.round(value))
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value)
  return String(Number(value.toPrecision(4)))
}

/** One bar a number, the highest for the most; a space where there is none. */
export function sparkline(numbers: readonly number[]): string {
  const known = numbers.filter((value) => Number.isFinite(value))
  const least = Math.min(0, ...known)
  const span = Math.max(...known, 0) - least
  return numbers.map((value) => (Number.isFinite(value) ? bars[span === 0 ? 0 : Math.min(bars.length - 1, Math.floor(((value - least) / span) * bars.length))]! : ' ')).join('')
}

/** One row an app and environment, the most first. */
export function topRows(columns: ReadonlyMap<string, readonly Series[]>, by: string): TopRow[] {
  const rows = new Map<string, TopRow>()
  for (const [column, series] of columns) {
    for (const { metric, value } of series) {
      const { team = '', app = '', environment = '' } = metric
      if (app === '') continue
      const key = JSON.stringify([team, app, environment])
      const row = rows.get(key) ?? { team, app, environment }
      rows.set(key, { ...row, [column]: Number(value?.[1]) })
    }
  }
  const rank = (row: TopRow): number => row[by as 'cpu'] || 0
  return [...rows.values()].toSorted((one, other) => rank(other) - rank(one) || (one.app < other.app ? -1 : 1))
}
