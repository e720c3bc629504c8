/** What room telemetry needs a driver for: to ask a Prometheus elsewhere. */

export interface SourceQuestion {
  url: string
  headers: Record<string, string>
  /** Values that must not be shown. */
  secrets: readonly string[]
  /** Behind /api/v1/. */
  path: string
  parameters: URLSearchParams
  mostBytes: number
}

export interface SourceAnswer {
  status: number
  isJson: boolean
  body: Buffer
  /** It was longer than it may be. */
  cut: boolean
  /** The beginning of it, without secrets. */
  said: string
}

/** Rejects with a sentence when no answer came: the address is refused, or nobody answers there. */
export type AskSource = (question: SourceQuestion, signal: AbortSignal) => Promise<SourceAnswer>
