import type { Socket } from 'node:net'
import type { Calls } from './callers.ts'
import { Exchange } from './exchange.ts'
import { idsFor, persistence, type RequestIds } from './forward.ts'
import { notices, pageFor, type Notice } from './pages.ts'
import { countError, type Plane } from './plane.ts'
import { plainAddress } from './plan.ts'
import { parseRequestHead, type RequestHead } from './request-head.ts'
import { routeFor } from './table.ts'
import type { Tunnel } from './tunnel.ts'

const headEnd = Buffer.from('\r\n\r\n')
// What is read of an upload behind its refusal; the rest waits at the client until the connection is closed.
const maxLingerBytes = 4_194_304
// A line break that is not CR LF, or NUL: nothing that follows can make such a head acceptable.
const hopeless = /\0|\r[^\n]|(^|[^\r])\n/

/** One connection of a client, from its first byte to its end. Requests on it are served one after the other. */
export class ClientConnection {
  readonly socket: Socket
  readonly address: string
  /** It is a proxy whose X-Forwarded-* are believed. */
  readonly trusted: boolean
  /** When the output first found the client not reading; 0 while it flows. */
  blockedSince = 0
  /** When the client closed its sending side or last took a byte after that; 0 while it is open. */
  halfClosedAt = 0
  lastByteAt: number
  readingPaused = false
  /** Requests by whom they come from; undefined for a client of another machine. */
  calls: Calls | undefined
  private readonly plane: Plane
  private exchange: Exchange | undefined
  private tunnel: Tunnel | undefined
  private pending: Buffer | undefined
  /** When the head that is arriving began, or when the connection became idle. */
  private waitingSince: number
  private served = false
  private lingeringSince = 0
  private lingerBytes = 0

  constructor(plane: Plane, socket: Socket) {
    this.plane = plane
    this.socket = socket
    this.address = plainAddress(socket.remoteAddress)
    this.trusted = plane.trusts(this.address)
    this.waitingSince = this.lastByteAt = plane.now()
    socket.on('data', (chunk: Buffer) => this.onData(chunk))
    socket.on('end', () => this.onEnd())
    socket.on('drain', () => this.onDrain())
    socket.on('error', () => { /* 'close' follows */ })
    socket.on('close', () => this.onClose())
  }

  private onData(chunk: Buffer): void {
    this.lastByteAt = this.plane.now()
    if (this.exchange?.wantsBody) return this.exchange.fromClient(chunk)
    if (this.tunnel) return this.tunnel.fromClient(chunk)
    if (this.lingeringSince > 0) return this.discard(chunk)
    if (!this.pending) this.waitingSince = this.exchange ? this.waitingSince : this.lastByteAt
    this.giveBack(chunk)
    if (this.exchange) this.pauseReading()
    else this.readHead()
  }

  private discard(chunk: Buffer): void {
    this.lingerBytes += chunk.length
    if (this.lingerBytes > maxLingerBytes) this.socket.pause()
  }

  /** Keeps bytes that belong to a later request. */
  giveBack(bytes: Buffer): void {
    this.pending = this.pending ? Buffer.concat([this.pending, bytes]) : bytes
  }

  /** Takes the bytes that were kept, for a connection that becomes a tunnel. */
  takePending(): Buffer | undefined {
    const pending = this.pending
    this.pending = undefined
    return pending
  }

  private readonly readHead = (): void => {
    const input = this.pending
    if (!input || this.exchange || this.tunnel || this.lingeringSince > 0) return
    // RFC 9112 §2.2: one empty line before the request line is overlooked.
    const start = input.length > 1 && input[0] === 13 && input[1] === 10 ? 2 : 0
    const end = input.indexOf(headEnd, start)
    if (end === -1) return this.judgeIncomplete(input.toString('latin1', start))
    if (end - start > this.plane.settings.maxHeadBytes) return this.refuse(431, 'its head is too large')
    const head = parseRequestHead(input.toString('latin1', start, end + 2), this.plane.settings.maxHeaderFields)
    if ('status' in head) return this.refuse(head.status, head.reason)
    this.pending = undefined
    this.serve(head, end + 4 < input.length ? input.subarray(end + 4) : undefined)
  }

  private judgeIncomplete(text: string): void {
    if (text.length > this.plane.settings.maxHeadBytes) return this.refuse(400, 'its head does not end')
    if (hopeless.test(text)) return this.refuse(400, 'it holds a bare line break or a NUL byte')
    const lineEnd = text.indexOf('\r\n')
    if (lineEnd === -1) return
    if (!text.slice(0, lineEnd).includes(' HTTP/1.')) return this.refuse(400, 'its protocol version is not HTTP/1')
  }

  private refuse(status: 400 | 431, reason: string): void {
    this.pending = undefined
    this.answer(notices.refused(status, reason), undefined, this.plane.randomHex(32), false)
  }

  private serve(head: RequestHead, rest: Buffer | undefined): void {
    const ids = idsFor(head, this.plane.randomHex)
    const { table } = this.plane
    if (!table) return this.answerInstead(notices.starting(), head, ids, rest)
    const entry = table.lookup(head.host)
    if (!entry) return this.refuse(400, 'it does not name a valid host')
    const route = routeFor(entry, head.target)
    if (!route) {
      const notice = entry.routes.length === 0 ? notices.unknownHost(entry.host.name) : notices.unknownPath(entry.host.name, head.target)
      return this.answerInstead(notice, head, ids, rest)
    }
    if (this.plane.closing) head.keepAlive = false
    this.exchange = new Exchange(this.plane, this, head, route, ids, { address: this.address, port: entry.host.port, trusted: this.trusted })
    this.exchange.begin(rest)
  }

  /** Answers a request that goes to no app. A body that is still to come ends the connection. */
  private answerInstead(notice: Notice, head: RequestHead, ids: RequestIds, rest: Buffer | undefined): void {
    if (rest) this.giveBack(rest)
    this.answer(notice, head, ids.requestId, head.keepAlive && head.framing === 'none' && !this.plane.closing)
  }

  /** Writes an answer of the router itself and goes on, or closes the connection. */
  answer(notice: Notice, head: RequestHead | undefined, requestId: string, keepAlive: boolean): void {
    countError(this.plane.stats, notice.status, notice.code)
    this.write(Buffer.from(pageFor(notice, {
      method: head?.method ?? '', accept: head?.accept ?? '', requestId,
      connectionLine: persistence(head?.minor ?? 1, keepAlive), date: this.plane.date(),
    })))
    this.finished(keepAlive)
  }

  /** Writes to the client. Returns false when it does not keep up; `onClientDrain` of the exchange follows. */
  write(data: string | Buffer): boolean {
    const flows = this.socket.write(data as string, 'latin1')
    if (!flows && this.blockedSince === 0) this.blockedSince = this.plane.now()
    if (this.halfClosedAt > 0) this.halfClosedAt = this.plane.now()
    return flows
  }

  pauseReading(): void {
    this.readingPaused = true
    this.socket.pause()
  }

  resumeReading(): void {
    if (!this.readingPaused) return
    this.readingPaused = false
    this.lastByteAt = this.plane.now()
    this.socket.resume()
  }

  /** The present request is over. */
  finished(keepAlive: boolean): void {
    this.exchange = undefined
    this.served = true
    this.waitingSince = this.plane.now()
    this.resumeReading()
    if (!keepAlive || this.halfClosedAt > 0) return this.closeGently()
    if (this.pending) process.nextTick(this.readHead)
  }

  /** The present request became a tunnel, which owns the connection from now on. */
  becomeTunnel(tunnel: Tunnel): void {
    this.exchange = undefined
    this.tunnel = tunnel
    this.resumeReading()
  }

  /** Ends the answer so that the client notices that it is incomplete. */
  cut(): void {
    this.exchange = undefined
    this.socket.resetAndDestroy()
  }

  /** Sends what is written, then the end; reads on for a while, since a reset could take the answer away from the client. */
  private closeGently(): void {
    this.pending = undefined
    this.lingeringSince = this.plane.now()
    this.socket.end()
  }

  /** Closes the connection now when it is idle, or behind the present request. */
  closeSoon(): void {
    if (this.exchange) this.exchange.lastOnConnection()
    else if (!this.tunnel && this.lingeringSince === 0) this.closeGently()
  }

  /** Ends what takes too long. */
  check(now: number): void {
    if (this.exchange) return this.exchange.check(now)
    if (this.tunnel) return
    const { headersTimeoutMs, keepAliveTimeoutMs, lingerMs, clientStallTimeoutMs } = this.plane.settings
    if (this.lingeringSince > 0) {
      const patience = this.blockedSince > 0 ? clientStallTimeoutMs : lingerMs
      if (now - Math.max(this.lingeringSince, this.blockedSince) > patience) this.socket.destroy()
      return
    }
    const waited = now - this.waitingSince
    if (this.pending && waited > headersTimeoutMs) return this.answer(notices.slowClient(), undefined, this.plane.randomHex(32), false)
    if (waited > (this.served ? keepAliveTimeoutMs : headersTimeoutMs)) this.socket.destroy()
  }

  private onEnd(): void {
    this.halfClosedAt = this.plane.now()
    if (this.tunnel) return this.tunnel.clientEnded()
    if (this.exchange) return this.exchange.clientEnded()
    this.socket.end()
  }

  private onDrain(): void {
    this.blockedSince = 0
    if (this.exchange) this.exchange.onClientDrain()
    else if (this.tunnel) this.tunnel.onClientDrain()
  }

  private onClose(): void {
    this.exchange?.cancel()
    this.tunnel?.clientClosed()
  }
}
