import type { RequestRecord } from '@pavior/contract'
import { callersOf, mergeCounted, type CountedRequests } from './records.ts'

// How long after the end of an interval a worker's share of it may arrive.
const lateMs = 1_000
// A supervisor that takes nothing for a long time must not make the agent grow without end.
const maxRecords = 50_000

/** Gathers what the workers counted and gives out one record per instance and interval. */
export class RequestLedger {
  private readonly intervalMs: number
  private readonly open = new Map<number, CountedRequests[][]>()
  private done: RequestRecord[] = []
  private sequence = 0

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs
  }

  add(intervalStart: number, counted: CountedRequests[]): void {
    this.open.set(intervalStart, [...(this.open.get(intervalStart) ?? []), counted])
  }

  /** Records of the intervals that are over at `now` (wall clock, ms); of all when `now` is Infinity. Each is given out once. */
  take(now: number): RequestRecord[] {
    for (const [start, lists] of [...this.open].sort(([a], [b]) => a - b)) {
      if (start + this.intervalMs + lateMs > now) continue
      this.open.delete(start)
      for (const { calls, ...counted } of mergeCounted(lists)) {
        const callers = callersOf(calls)
        const interval = { from: new Date(start).toISOString(), intervalMs: this.intervalMs }
        this.done.push({ sequence: ++this.sequence, ...interval, ...counted, ...(callers.length > 0 ? { callers } : {}) })
      }
    }
    const taken = this.done.slice(-maxRecords)
    this.done = []
    return taken
  }
}
