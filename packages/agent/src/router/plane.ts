import type { ErrorCode } from '@pavior/contract'
import type { RandomHex } from './forward.ts'
import type { WorkerStats } from './protocol.ts'
import type { RouterSettings } from './settings.ts'
import type { HeldRequests } from './held-requests.ts'
import type { SpanRecorder } from './spans.ts'
import type { Table } from './table.ts'

/** What every connection of a worker shares. */
export interface Plane {
  readonly settings: RouterSettings
  readonly stats: WorkerStats
  readonly randomHex: RandomHex
  /** Whether what this peer says about whom it speaks for is believed. */
  trusts(address: string): boolean
  /** Undefined until the first table arrived. */
  table: Table | undefined
  /** The worker ends: connections are closed behind their present request. */
  closing: boolean
  /** Requests that wait for instances to be thawed. */
  readonly held: HeldRequests
  readonly spans: SpanRecorder
  /** Milliseconds on a clock that never goes back. */
  now(): number
  /** Value of a Date field, exact to the second. */
  date(): string
}

/** Counts an answer that the router gave by itself. */
export function countError(stats: WorkerStats, status: number, code: ErrorCode): void {
  stats.responses[(status / 100 | 0) - 1]!++
  stats.errors[code] = (stats.errors[code] ?? 0) + 1
}

/** Makes the source of Date values, which formats at most once a second. */
export function createDateSource(wallClock: () => number): () => string {
  let second = -1
  let text = ''
  return () => {
    const now = wallClock()
    const current = Math.floor(now / 1_000)
    if (current !== second) {
      second = current
      text = new Date(now).toUTCString()
    }
    return text
  }
}
