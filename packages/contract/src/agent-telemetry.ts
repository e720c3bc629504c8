/** What the agent keeps for the server until it has taken it: logs, counts of requests, single requests. */
export interface LogLine {
  /** ISO 8601: when the agent saw it, within 100 ms. */
  time: string
  /** Without the line break; overlong lines are cut at 16 kB and go on in the next one. */
  line: string
  /** Byte offset behind this line: the `offset` to go on from. */
  next: number
}

/** Which instance wrote a log. */
export interface LogWriter {
  team: string
  app: string
  environment: string
  release: number
  process: string
}

/** What the server wants of all logs of instances. */
export interface LogsWanted {
  /** Of whoever takes. Another one than before begins with `whole`. */
  session: string
  /** `taken` is all there is to know. */
  whole: boolean
  /** Byte offsets up to which logs were taken, as far as they changed since the last call. */
  taken: Record<string, number>
  /** Most bytes of logs in an answer, roughly. */
  bytes: number
  /** Longest wait for a line. */
  waitMs: number
}

export interface CollectedLine extends LogLine {
  /** It goes on where the line before it was cut for its length. */
  continues?: true
}

export interface CollectedLog {
  log: string
  writer: LogWriter
  /** Offset behind the last line, or further when what was between was given up. */
  next: number
  lines: CollectedLine[]
  /** Lines that were given up before they were taken, beside those of them that are in `lines`. */
  lost: number
  /** Nobody writes to it any more, and this is its end. */
  ended: boolean
}

export interface LogsCollected {
  /** The agent knows nothing of this session: call again with `whole`. */
  resend: boolean
  logs: CollectedLog[]
  /** With `whole`: every log that there is. */
  known?: string[]
}

/** Requests of one instance in one interval. Buckets are those of `durationBucketsMs`. */
export interface RequestRecord {
  sequence: number
  /** ISO 8601, beginning of the interval. */
  from: string
  intervalMs: number
  team: string
  app: string
  environment: string
  release: number
  instance: string
  /** 1xx … 5xx at index 0 … 4. 502, 503 and 504 that the router itself answers are under `routerErrors` too. */
  statusClasses: [number, number, number, number, number]
  routerErrors: number
  durationBuckets: number[]
  durationSumMs: number
  bytesIn: number
  bytesOut: number
  /** Apps of the same machine that some of the requests came from, as far as the router knows. */
  callers?: CallerCounts[]
}

/** Requests of one app to another. Without a name: of apps of this machine whose connections were gone before anybody looked. */
export interface CallerCounts {
  team: string
  app: string
  requests: number
  /** Server errors (5xx). */
  errors: number
}

/** What waits with the agent until the server has taken it. */
export interface Spooled<Item extends { sequence: number }> {
  records: Item[]
  /** Sequence to acknowledge with the next call. */
  last: number
}

export type RequestRecords = Spooled<RequestRecord>

/** One request as the router saw it: a server span of its trace (https://www.w3.org/TR/trace-context/). */
export interface RequestSpan {
  sequence: number
  /** ISO 8601: when its head had arrived. */
  at: string
  durationMs: number
  /** Until all of it that came had gone to an instance; absent when it went to none. */
  sentMs?: number
  /** Until the head of the instance's answer was there; absent when none came. */
  answeredMs?: number
  /** 32 hexadecimal digits. */
  traceId: string
  /** 16 hexadecimal digits: what the instance got as its parent. */
  spanId: string
  /** Span that the client named as its own. */
  parentId?: string
  requestId: string
  method: string
  host: string
  /** Without the query, which may carry secrets; cut. */
  path: string
  status: number
  /** Code of the error that the router answered with in place of the instance. */
  error?: string
  team: string
  app: string
  environment: string
  release: number
  /** Empty when there was none. */
  instance: string
  /** Instances that it was sent to. */
  tries: number
  /** It waited for its app to be woken. */
  woke?: true
  /** Game day whose fault held it up, or answered it. */
  fault?: string
  bytesIn: number
  bytesOut: number
}

export type RequestSpans = Spooled<RequestSpan>

/** Upper bounds in milliseconds; one further bucket holds what is slower. */
export const durationBucketsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000] as const
