/**
 * Which app a connection from this machine belongs to. A worker only notes its connections and counts; the agent, which knows
 * the processes, takes a look at the sockets of the machine at its own pace. No request ever waits for that.
 */
import type { RequestCounter } from './records.ts'
import type { RouterSettings } from './settings.ts'

/** What one look showed: who has a connection to the router, by the port of its end. `team/app`, or `outsider` for no app. */
export interface FoundCallers {
  callers: Record<number, string>
  /** Before this time has passed nobody looks again. */
  pauseMs: number
}

/** A process of this machine that is no app of ours. */
export const outsider = ''
/** It came from this machine, and nobody knows from whom: the connection was gone before anybody looked. */
export const escaped = '?'

/** Whether the peer can only be a process of this machine. `localAddress` is asked for when that is not plain. */
export function isOfThisMachine(address: string, localAddress: () => string): boolean {
  return address.startsWith('127.') || address === '::1' || address === localAddress()
}

/** What came over one connection: kept until it is known from whom, counted at once from then on. */
export class Calls {
  readonly port: number
  readonly begunAt: number
  closed = false
  caller: string | undefined
  private readonly kept = new Map<RequestCounter, { requests: number; errors: number }>()

  constructor(port: number, begunAt: number) {
    this.port = port
    this.begunAt = begunAt
  }

  add(counter: RequestCounter, status: number): void {
    const errors = status >= 500 ? 1 : 0
    if (this.caller !== undefined) return counter.addCall(this.caller, 1, errors)
    const kept = this.kept.get(counter)
    if (!kept) this.kept.set(counter, { requests: 1, errors })
    else {
      kept.requests++
      kept.errors += errors
    }
  }

  belongTo(caller: string): void {
    this.caller = caller
    for (const [counter, { requests, errors }] of this.kept) counter.addCall(caller, requests, errors)
    this.kept.clear()
  }
}

/** The connections of one worker whose owner is not known yet. */
export class Callers {
  private readonly settings: RouterSettings
  private readonly now: () => number
  private readonly look: (ports: number[]) => void
  private readonly unknown = new Set<Calls>()
  /** When a look was asked for that has not been answered. */
  private askedAt: number | undefined
  private mayAskAt = 0

  constructor(settings: RouterSettings, now: () => number, look: (ports: number[]) => void) {
    this.settings = settings
    this.now = now
    this.look = look
  }

  /** Begins to count a connection of this machine. */
  begin(port: number): Calls {
    const now = this.now()
    const calls = new Calls(port, now)
    if (this.unknown.size < this.settings.callersWaiting) this.unknown.add(calls)
    // A connection for one request is gone soon, so it is best looked at while it is young.
    this.ask(now)
    return calls
  }

  /** One that ends while somebody looks may still be seen. */
  end(calls: Calls): void {
    calls.closed = true
    if (calls.caller !== undefined || (this.askedAt !== undefined && this.unknown.has(calls))) return
    this.unknown.delete(calls)
    calls.belongTo(escaped)
  }

  /** Asks for a look when the pause is over and somebody is unknown. */
  ask(now: number): void {
    if (this.unknown.size === 0 || this.askedAt !== undefined || now < this.mayAskAt) return
    this.askedAt = now
    this.look([...this.unknown].map(({ port }) => port))
  }

  answer({ callers, pauseMs }: FoundCallers): void {
    const askedAt = this.askedAt ?? 0
    this.askedAt = undefined
    this.mayAskAt = this.now() + pauseMs
    for (const calls of this.unknown) {
      const caller = callers[calls.port] ?? (calls.closed ? escaped : undefined)
      // It was there all the time and nobody has it: a process that cannot be seen from here.
      const nobody = caller === undefined && calls.begunAt < askedAt
      if (caller === undefined && !nobody) continue
      this.unknown.delete(calls)
      calls.belongTo(caller ?? outsider)
    }
  }
}
