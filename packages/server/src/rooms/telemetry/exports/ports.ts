/** What room telemetry needs drivers for: to send telemetry on, and to ask a Prometheus elsewhere. */
import { fail, type ExportSignal, type PaviorError, type Span, type TelemetryExportSpec } from '@pavior/contract'
import type { StoredLine } from '../logs/select.ts'
import type { MetricMetadata } from '../metrics/series.ts'

/** The messages of OTLP and of remote write are the same on the way out as on the way in. */
export { decode, encode } from '../otlp/protobuf.ts'
export { isStale } from '../metrics/encoding.ts'
export type { MetricMetadata } from '../metrics/series.ts'

export interface SentSeries {
  /** With `__name__`. */
  labels: Record<string, string>
  metadata?: MetricMetadata
  /** Milliseconds since the epoch, rising. Bits of values are kept, because those of a NaN say that a series ended. */
  times: Float64Array
  values: Float64Array
}

export type SentLine = StoredLine

export type ExportBatch = { signal: 'metrics'; series: readonly SentSeries[] } | { signal: 'logs'; lines: readonly SentLine[] } | { signal: 'traces'; spans: readonly Span[] }

/** What an empty request is made of: the other side says whether it would take one. */
export function emptyBatch(signal: ExportSignal): ExportBatch {
  return signal === 'metrics' ? { signal, series: [] } : signal === 'logs' ? { signal, lines: [] } : { signal, spans: [] }
}

export interface ExportTarget {
  spec: TelemetryExportSpec
  /** With those that are secrets. */
  headers: Record<string, string>
  /** Values that must not be shown. */
  secrets: readonly string[]
}

export interface ExportAnswer {
  /** What the other side said, in a few words; never a secret. */
  answer: string
  /** How many of it the other side did not take, and never will. */
  rejected: number
}

/** Throws EXPORT_FAILED. */
export type Exporter = (target: ExportTarget, batch: ExportBatch, signal: AbortSignal) => Promise<ExportAnswer>

/** By the type of export; what is needed for one is loaded with its first batch. */
export type Exporters = Record<string, () => Promise<Exporter>>

/** `refused`: the other side will never take this. `large`: nor this much at once. */
export interface UnsentFacts {
  refused?: boolean
  large?: boolean
  retryAfterMs?: number
}

export function unsent(answer: string, facts: UnsentFacts = {}): PaviorError {
  return fail('EXPORT_FAILED', { message: answer, facts: { ...facts } })
}
