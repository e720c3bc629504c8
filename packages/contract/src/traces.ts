/** Traces and single requests, as the API gives them. */

export const spanKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
export type SpanKind = (typeof spanKinds)[number]

export interface SpanEvent {
  /** Milliseconds since the epoch. */
  atMs: number
  name: string
  attributes: Record<string, unknown>
}

/** Of what the router saw of a request. */
export interface RoutedRequest {
  requestId: string
  method: string
  host: string
  /** Without the query. */
  path: string
  status: number
  /** Code of the error that the router answered with in place of the instance. */
  error?: string
  tries: number
  woke: boolean
  /** Game day whose fault held it up, or answered it. */
  fault?: string
  /** From its beginning until all of it that came had gone to an instance. */
  sentMs?: number
  /** From its beginning until the head of the instance's answer was there. */
  answeredMs?: number
  bytesIn: number
  bytesOut: number
}

/** One piece of work of a trace. */
export interface Span {
  traceId: string
  spanId: string
  parentId?: string
  team: string
  app: string
  environment: string
  release?: number
  instance?: string
  name: string
  kind: SpanKind
  /** Milliseconds since the epoch. */
  atMs: number
  durationMs: number
  failed: boolean
  /** What its status says. */
  message?: string
  attributes: Record<string, unknown>
  events: SpanEvent[]
  /** Other spans that it has to do with. */
  links: { traceId: string; spanId: string }[]
  /** Only of a request that the router saw. */
  request?: RoutedRequest
}

export interface Trace {
  traceId: string
  spans: Span[]
  /** Spans of teams that the caller does not see. */
  hidden: number
  /** There are more than are shown. */
  cut: boolean
}

export interface TraceSummary {
  traceId: string
  atMs: number
  durationMs: number
  /** Of its earliest span. */
  name: string
  /** As `team/app`. */
  apps: string[]
  spans: number
  failed: boolean
  /** Of the first request of it that the router saw. */
  requestId?: string
  status?: number
}

/** Where the time of a request went. */
export interface TimeShare {
  what: string
  ms: number
  /** Of the whole, 0 … 1. */
  share: number
  spanId?: string
}

/** A line that some app wrote for a request. */
export interface RequestLogLine {
  at: string
  app: string
  level: string
  instance: string
  line: string
}

/** Everything that is known about one request. */
export interface Why {
  requestId: string
  traceId: string
  /** What happened, in sentences, the most telling first. */
  findings: string[]
  span: Span
  times: TimeShare[]
  trace: Trace
  logs: RequestLogLine[]
  release?: {
    version: number
    reason?: string
    commit?: string
    branch?: string
    message?: string
    author?: string
    build?: string
    artifact: string
    /** Deployment that brought it there. */
    deployment?: string
    deployedAt?: string
    deployedBy?: string
  }
}
