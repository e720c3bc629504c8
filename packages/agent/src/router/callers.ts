/**
 * Which app a connection from this machine belongs to. The worker only notes whose connection it was and counts; the agent,
 * which knows the processes, looks it up at its own pace. No request ever waits for that.
 */
import type { Socket } from 'node:net'
import type { RequestCounter } from './records.ts'
import type { RouterSettings } from './settings.ts'

/** A client connection whose owner is asked for. */
export interface Peer {
  id: number
  /** Its own address and port, as the router sees them. */
  address: string
  port: number
}

/** Connections by id: `team/app`, or `outsider` for a process that is no app. One that was not found is left out. */
export interface FoundCallers {
  callers: Record<number, string>
  /** Before this time has passed nothing is to be asked again. */
  pauseMs: number
}

/** A process of this machine that is no app of ours. */
export const outsider = ''
/** It came from this machine, and nobody knows from whom: the connection was gone before it was looked up. */
export const escaped = '?'

/** Whether the peer can only be a process of this machine. `localAddress` is asked for when that is not plain. */
export function isOfThisMachine(address: string, localAddress: () => string): boolean {
  return address.startsWith('127.') || address === '::1' || address === localAddress()
}

/** What came over one connection: kept until it is known from whom, counted at once from then on. */
export class Calls {
  readonly peer: Peer
  caller: string | undefined
  closed = false
  /** The agent was asked, and its answer will come. */
  asked = false
  private readonly kept = new Map<RequestCounter, { requests: number; errors: number }>()
  private readonly mayEscape: () => boolean
  private short = false
  private last: RequestCounter | undefined

  /** `mayEscape`: whether a connection that began then is gone before anybody looks, if it ends now. */
  constructor(peer: Peer, mayEscape: () => boolean) {
    this.peer = peer
    this.mayEscape = mayEscape
  }

  add(counter: RequestCounter, status: number): void {
    const errors = status >= 500 ? 1 : 0
    this.last = counter
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
    this.countEnd()
  }

  close(): void {
    this.closed = true
    this.short = this.mayEscape()
    if (this.caller !== undefined) this.countEnd()
    else if (!this.asked) this.belongTo(escaped)
  }

  /** Connections that could have escaped are what those that did are shared out by. */
  private countEnd(): void {
    if (this.short && this.caller !== escaped) this.last?.endCall(this.caller!)
  }
}

/** The connections of one worker whose owner is not known yet. */
export class Callers {
  private readonly settings: RouterSettings
  private readonly now: () => number
  private readonly ask: (peers: Peer[]) => void
  private readonly asked = new Map<number, Calls>()
  private waiting: Calls[] = []
  private mayAskAt = 0
  private pauseMs = 0
  private lastId = 0

  constructor(settings: RouterSettings, now: () => number, ask: (peers: Peer[]) => void) {
    this.settings = settings
    this.now = now
    this.ask = ask
  }

  /** Begins to count a connection of this machine; undefined for any other. */
  begin(socket: Socket, address: string, localAddress: () => string): Calls | undefined {
    if (!isOfThisMachine(address, localAddress)) return undefined
    const begunAt = this.now()
    const calls = new Calls({ id: ++this.lastId, address, port: socket.remotePort ?? 0 }, () => this.now() - begunAt < this.pauseMs)
    if (this.waiting.length < this.settings.callersWaiting) this.waiting.push(calls)
    // A connection for one request is gone soon, so it is looked up while it is young or never.
    this.askSome(begunAt)
    return calls
  }

  /** Asks for those that wait, when the pause is over. */
  askSome(now: number): void {
    if (this.waiting.length === 0 || this.asked.size > 0 || now < this.mayAskAt) return
    const open = this.waiting.filter(({ closed }) => !closed)
    const chosen = open.slice(-this.settings.callersPerLookup)
    this.waiting = open.slice(0, -this.settings.callersPerLookup)
    for (const calls of chosen) {
      calls.asked = true
      this.asked.set(calls.peer.id, calls)
    }
    if (chosen.length > 0) this.ask(chosen.map(({ peer }) => peer))
  }

  answer({ callers, pauseMs }: FoundCallers): void {
    this.pauseMs = pauseMs
    this.mayAskAt = this.now() + pauseMs
    for (const [id, calls] of this.asked) calls.belongTo(callers[id] ?? escaped)
    this.asked.clear()
  }
}
