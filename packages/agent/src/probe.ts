/** Asks an instance whether it serves: an open port, or an HTTP path that answers with success. */
import { connect, type Socket } from 'node:net'
import type { Probe } from '@pavior/contract'

export type ProbeResult =
  | { ok: true }
  /** `refused` nothing listens · `silent` no answer in time · `status` the answer was no success · `broken` no HTTP answer. */
  | { ok: false; why: 'refused' | 'silent' | 'status' | 'broken'; status?: number }

/** How long a well-behaved answer is read after its status is known, so that the app sees no broken connection. */
const lingerMs = 1000
const statusLineMaxBytes = 4096

/** One check. Never throws. */
export function checkOnce(port: number, probe: Pick<Probe, 'path' | 'timeoutMs'>): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let head = ''
    const settle = (result: ProbeResult) => {
      clearTimeout(timer)
      resolve(result)
      letGo(socket)
    }
    const timer = setTimeout(() => settle({ ok: false, why: 'silent' }), probe.timeoutMs)
    socket.on('error', (error: NodeJS.ErrnoException) => settle({ ok: false, why: error.code === 'ECONNREFUSED' ? 'refused' : 'broken' }))
    socket.on('close', () => settle({ ok: false, why: 'broken' }))
    socket.on('connect', () => {
      if (probe.path === undefined) return settle({ ok: true })
      socket.write(
        `GET ${probe.path} HTTP/1.1\r\nHost: localhost:${port}\r\nUser-Agent: pavior-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
      )
    })
    socket.on('data', (bytes: Buffer) => {
      if (head.includes('\n')) return
      head += bytes.toString('latin1')
      if (head.includes('\n') || head.length > statusLineMaxBytes) settle(judgeStatusLine(head))
    })
  })
}

/** Reads the rest of the answer and closes; takes the connection away when that takes long. */
function letGo(socket: Socket): void {
  if (socket.destroyed) return
  socket.end()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
}

/** A status line is `HTTP/1.1 200 OK`, RFC 9112 section 4. */
export function judgeStatusLine(head: string): ProbeResult {
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1])
  if (!Number.isInteger(status)) return { ok: false, why: 'broken' }
  return status >= 200 && status < 400 ? { ok: true } : { ok: false, why: 'status', status }
}

export interface WatchOptions {
  port: number
  probe: () => Probe
  startProbeMinMs: number
  startProbeMaxMs: number
  /** Spreads the checks of many instances: 0 … 1. */
  random: () => number
  onHealthy: () => void
  onFailing: (result: ProbeResult) => void
  /** Whether it is known to be healthy already, because an earlier agent saw it so. */
  healthy: boolean
}

/** Checks an instance until it is closed: quickly until it is first healthy, then at its interval. */
export class HealthWatch {
  /** What the last check said. */
  last: ProbeResult | undefined
  readonly #options: WatchOptions
  readonly #begunMs = Date.now()
  #timer?: NodeJS.Timeout
  #closed = false
  /** Counts pauses: what a check says that began before one is not listened to. */
  #round = 0

  constructor(options: WatchOptions) {
    this.#options = options
    if (options.healthy) this.#wait(options.probe().intervalMs * options.random(), () => this.#checkAgain(0))
    else void this.#checkFirst()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Asks nothing until `resume()`: what is frozen cannot answer. */
  pause(): void {
    this.#round++
    clearTimeout(this.#timer)
  }

  /** Goes on after a whole interval, with earlier failures forgiven. */
  resume(): void {
    this.pause()
    this.#wait(this.#options.probe().intervalMs, () => this.#checkAgain(0))
  }

  async #checkFirst(): Promise<void> {
    const { startProbeMinMs, startProbeMaxMs } = this.#options
    const result = await this.#check()
    if (this.#closed) return
    if (result.ok) {
      this.#options.onHealthy()
      // The first interval is cut short at random, so that instances that start together are not checked together.
      this.#wait(this.#options.probe().intervalMs * (0.5 + this.#options.random() / 2), () => this.#checkAgain(0))
    } else {
      const waitMs = Math.min(startProbeMaxMs, Math.max(startProbeMinMs, (Date.now() - this.#begunMs) / 10))
      this.#wait(waitMs, () => this.#checkFirst())
    }
  }

  async #checkAgain(failuresBefore: number): Promise<void> {
    const round = this.#round
    const result = await this.#check()
    if (this.#closed || round !== this.#round) return
    const failures = result.ok ? 0 : failuresBefore + 1
    if (failures >= this.#options.probe().failureThreshold) return this.#options.onFailing(result)
    this.#wait(this.#options.probe().intervalMs, () => this.#checkAgain(failures))
  }

  async #check(): Promise<ProbeResult> {
    this.last = await checkOnce(this.#options.port, this.#options.probe())
    return this.last
  }

  #wait(waitMs: number, then: () => Promise<void> | void): void {
    if (!this.#closed) this.#timer = setTimeout(() => void then(), waitMs)
  }
}
