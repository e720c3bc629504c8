import type { Socket } from 'node:net'
import { InstanceSocket } from './instance-socket.ts'
import { ejectionMs } from './plan.ts'
import type { Endpoint } from './protocol.ts'
import type { RequestCounter } from './records.ts'
import type { RouterSettings } from './settings.ts'

/** Who uses a connection to an instance. Its calls come from the connection's events. */
export interface UpstreamUser {
  onReady(): void
  onConnectFailed(): void
  /** Gets a view of memory that the next read overwrites. Returns false to stop reading until `resume()`. */
  onData(data: Buffer): boolean
  onDrain(): void
  /** The instance closed its sending side. */
  onEnd(): void
  /** The connection broke or was closed. */
  onLost(): void
}

/** Counters that the pools of a worker share. */
export interface UpstreamStats {
  connectFailures: number
  ejections: number
}

// All connections of the worker read into the same memory: whatever outlives the callback is copied there.
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** One connection to an instance. */
export class Upstream {
  readonly socket: Socket
  connected = false
  /** Whether it served a request before the present one. */
  reused = false
  /** When it may not be used any more, while idle. */
  idleUntil = 0
  idleSince = 0
  private readonly pool: UpstreamPool
  private readonly connectTimer: NodeJS.Timeout
  private user: UpstreamUser | undefined

  constructor(pool: UpstreamPool, user: UpstreamUser, connectTimeoutMs: number) {
    this.pool = pool
    this.user = user
    this.socket = new InstanceSocket(readBuffer, (length) => this.receive(length))
    this.socket.connect({ host: pool.endpoint.host, port: pool.endpoint.port, noDelay: true, keepAlive: true })
    this.connectTimer = setTimeout(() => this.socket.destroy(), connectTimeoutMs)
    this.socket.on('connect', () => this.onConnect())
    this.socket.on('drain', () => this.user?.onDrain())
    this.socket.on('end', () => (this.user ? this.user.onEnd() : this.socket.destroy()))
    this.socket.on('error', () => { /* 'close' follows and tells the user */ })
    this.socket.on('close', () => this.onClose())
  }

  /** Gives an idle connection to a new user. */
  assign(user: UpstreamUser): void {
    this.reused = true
    this.user = user
  }

  /** Hands the connection over to another user in the middle of its use. */
  handOver(user: UpstreamUser): void {
    this.user = user
  }

  resume(): void {
    this.socket.resume()
  }

  /** Ends the use: back into the pool for `idleMs`, or closed when that is 0. */
  release(idleMs: number): void {
    if (!this.user) return
    this.user = undefined
    this.pool.released(this, this.socket.destroyed ? 0 : idleMs)
  }

  private onConnect(): void {
    clearTimeout(this.connectTimer)
    this.connected = true
    this.pool.connectSucceeded()
    this.user?.onReady()
  }

  private receive(length: number): boolean {
    if (this.user) return this.user.onData(readBuffer.subarray(0, length))
    // Bytes that nobody asked for: whatever they are, they must not become the answer to somebody's next request.
    this.socket.destroy()
    return true
  }

  private onClose(): void {
    clearTimeout(this.connectTimer)
    const user = this.user
    if (!user) return this.pool.forget(this)
    if (!this.connected) this.pool.connectFailed()
    this.release(0)
    if (this.connected) user.onLost()
    else user.onConnectFailed()
  }
}

/** The connections to one instance. */
export class UpstreamPool {
  readonly endpoint: Endpoint
  /** Counts the requests that the instance got. */
  readonly counter: RequestCounter
  /** Requests and upgraded connections that are under way, connecting ones included. */
  inFlight = 0
  ejectedUntil = 0
  private readonly settings: RouterSettings
  private readonly stats: UpstreamStats
  private readonly now: () => number
  private readonly idle: Upstream[] = []
  private readonly waiting: (() => void)[] = []
  private failures = 0
  private retired = false

  constructor(endpoint: Endpoint, counter: RequestCounter, settings: RouterSettings, stats: UpstreamStats, now: () => number) {
    this.endpoint = endpoint
    this.counter = counter
    this.settings = settings
    this.stats = stats
    this.now = now
  }

  get hasIdle(): boolean {
    return this.idle.length > 0
  }

  /** The instance is not in the table any more. */
  get isRetired(): boolean {
    return this.retired
  }

  get isUnused(): boolean {
    return this.inFlight === 0 && this.idle.length === 0
  }

  /** Takes the connection used last, unless it was idle for longer than `maxIdleMs`, or opens one. */
  acquire(user: UpstreamUser, maxIdleMs: number): Upstream {
    this.inFlight++
    const last = this.idle.at(-1)
    if (last && maxIdleMs > 0 && this.now() - last.idleSince <= maxIdleMs) {
      this.idle.pop()
      last.assign(user)
      return last
    }
    return new Upstream(this, user, this.settings.connectTimeoutMs)
  }

  released(upstream: Upstream, idleMs: number): void {
    this.inFlight--
    if (idleMs > 0 && !this.retired && this.idle.length < this.settings.maxIdlePerInstance) {
      upstream.idleSince = this.now()
      upstream.idleUntil = upstream.idleSince + idleMs
      this.idle.push(upstream)
    } else {
      upstream.socket.destroy()
    }
    if (this.inFlight === 0) this.waiting.splice(0).forEach((resolve) => resolve())
  }

  forget(upstream: Upstream): void {
    const index = this.idle.indexOf(upstream)
    if (index !== -1) this.idle.splice(index, 1)
  }

  connectSucceeded(): void {
    this.failures = 0
    this.ejectedUntil = 0
  }

  /** Passes the instance over for a while, longer with every failure in a row. */
  connectFailed(): void {
    this.failures++
    this.stats.connectFailures++
    this.stats.ejections++
    this.ejectedUntil = this.now() + ejectionMs(this.failures, this.settings.ejectMs, this.settings.ejectMaxMs)
  }

  /** Closes connections whose idle time is over. */
  expireIdle(now: number): void {
    for (const upstream of this.idle.filter((candidate) => candidate.idleUntil <= now)) {
      this.forget(upstream)
      upstream.socket.destroy()
    }
  }

  /** The instance left the table: no connection is kept for a next request. */
  retire(): void {
    this.retired = true
    this.closeIdle()
  }

  closeIdle(): void {
    this.idle.splice(0).forEach((upstream) => upstream.socket.destroy())
  }

  /** The instance is in the table again. */
  restore(): void {
    this.retired = false
  }

  /** Resolves when nothing is in flight any more, or after `timeoutMs`; returns what still is. */
  async whenUnused(timeoutMs: number): Promise<number> {
    if (this.inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return this.inFlight
  }
}
