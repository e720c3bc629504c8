import type { LogLevel } from './log-level.ts'

/** A line of an app's log as the API gives it. */
export interface LogEntry {
  /** ISO 8601: when it was written, as far as it is known. */
  time: string
  /** As it was written, without colours; several lines when they belong together, as a stack trace does. */
  line: string
  level?: LogLevel
  environment: string
  release?: number
  process?: string
  instance?: string
  /** What a sender calls itself, when it is no instance of the platform. */
  sender?: string
  traceId?: string
  requestId?: string
  /** Of a line of JSON its message; absent when it is the line itself. */
  message?: string
  /** What a line of JSON or a record of OpenTelemetry says beside its message. */
  attributes?: Record<string, unknown>
}

/** Newest first. */
export interface LogPage {
  lines: LogEntry[]
  /** To ask for what is older: `before`. Absent at the end. */
  next?: string
  /** The search was given up here, because it takes too long: `next` goes on from here. ISO 8601. */
  searchedTo?: string
}

export interface LogHistogram {
  /** ISO 8601. */
  from: string
  until: string
  stepSeconds: number
  /** Steps that have lines, in order; `other`: without a level. */
  steps: { at: string; counts: Partial<Record<LogLevel | 'other', number>> }[]
}
