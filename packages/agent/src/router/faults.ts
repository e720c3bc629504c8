/** Faults of game days as a worker injects them: requests that are held up, or answered with an error. */
import type { Fault } from '@pavior/contract'
import { bearsMark, markOf, type TestersMark } from './testers.ts'

/** What one fault did in one worker. */
export interface FaultCounts {
  seen: number
  delayed: number
  failed: number
}

/** What happens to a request: it waits, or it gets this status. */
export type Strike = { delayMs: number } | { status: number }

// Counts of faults that are over are told for a while; made-up ids must not fill the memory.
const keptCounts = 100

export class RouteFault {
  readonly gameDay: string
  private readonly effect: Pick<Fault, 'latency' | 'errors'>
  private readonly mark: TestersMark | undefined
  private readonly percent: number
  private readonly endsAt: number
  private readonly counts: FaultCounts
  private readonly random: () => number
  private readonly waiting = new Map<() => void, NodeJS.Timeout>()

  constructor({ gameDay, latency, errors }: Fault, endsAt: number, counts: FaultCounts, random: () => number) {
    const share = latency ?? errors
    this.gameDay = gameDay
    this.effect = { latency, errors }
    this.mark = share?.match && markOf({ set: '', ...share.match })
    this.percent = share?.percent ?? 0
    this.endsAt = endsAt
    this.counts = counts
    this.random = random
  }

  /** What becomes of a request; undefined when it is left alone. `fields`: lines of its head. */
  strike(fields: string, now: number): Strike | undefined {
    if (now >= this.endsAt || (this.mark && !bearsMark(fields, this.mark))) return undefined
    this.counts.seen++
    if (this.random() * 100 >= this.percent) return undefined
    const { latency, errors } = this.effect
    if (errors) {
      this.counts.failed++
      return { status: errors.status }
    }
    this.counts.delayed++
    const { ms, jitterMs = 0 } = latency!
    const wanted = ms + jitterMs * (2 * this.random() - 1)
    return { delayMs: Math.max(0, Math.min(wanted, this.endsAt - now)) }
  }

  /** Goes on after the delay, or when the fault is taken back. */
  holdUp(delayMs: number, goOn: () => void): void {
    const timer = setTimeout(() => {
      this.waiting.delete(goOn)
      goOn()
    }, delayMs)
    this.waiting.set(goOn, timer)
  }

  /** Nobody waits for it any more. */
  end(): void {
    for (const [goOn, timer] of this.waiting) {
      clearTimeout(timer)
      goOn()
    }
    this.waiting.clear()
  }
}

export interface FaultClocks {
  /** Milliseconds on a clock that never goes back. */
  now(): number
  /** Milliseconds since the epoch. */
  wallClock(): number
  /** 0 … 1. */
  random(): number
}

/** The faults in force, kept over changes of the table. */
export class RouteFaults {
  private readonly clocks: FaultClocks
  private readonly counts: Record<string, FaultCounts>
  private byId = new Map<string, { fault: RouteFault; key: string }>()

  constructor(counts: Record<string, FaultCounts>, clocks: FaultClocks) {
    this.counts = counts
    this.clocks = clocks
  }

  /** Takes what is to be in force; what is not named any more has ended. */
  take(faults: readonly Fault[]): void {
    const before = this.byId
    this.byId = new Map(faults.map((fault) => [fault.id, before.get(fault.id) ?? { fault: this.begin(fault), key: placeOf(fault) }]))
    for (const [id, { fault }] of before) if (!this.byId.has(id)) fault.end()
  }

  /** The fault that a route suffers from; undefined for nearly all of them, always. */
  of(place: { team: string; app: string; environment: string }): RouteFault | undefined {
    if (this.byId.size === 0) return undefined
    for (const { fault, key } of this.byId.values()) if (key === placeOf(place)) return fault
    return undefined
  }

  private begin(fault: Fault): RouteFault {
    const { now, wallClock, random } = this.clocks
    const counts = (this.counts[fault.id] ??= { seen: 0, delayed: 0, failed: 0 })
    for (const id of Object.keys(this.counts).slice(0, -keptCounts)) delete this.counts[id]
    return new RouteFault(fault, now() + Date.parse(fault.until) - wallClock(), counts, random)
  }
}

function placeOf({ team, app, environment }: { team: string; app: string; environment: string }): string {
  return `${team}/${app}/${environment}`
}

/** Adds up what several workers counted. */
export function addFaultCounts(sum: Record<string, FaultCounts>, more: Readonly<Record<string, FaultCounts>>): void {
  for (const [id, { seen, delayed, failed }] of Object.entries(more)) {
    const before = (sum[id] ??= { seen: 0, delayed: 0, failed: 0 })
    before.seen += seen
    before.delayed += delayed
    before.failed += failed
  }
}
