import { bodyOf, type Body } from './body.ts'
import type { ClientConnection } from './client.ts'
import type { RouteFault } from './faults.ts'
import { interimHeadFor, requestHeadFor, responseHeadFor, switchingHeadFor, type Origin, type RequestIds } from './forward.ts'
import { Pace } from './pace.ts'
import { notices, type Notice } from './pages.ts'
import type { Plane } from './plane.ts'
import { isIdempotent, needsOwnConnection } from './plan.ts'
import type { RequestHead } from './request-head.ts'
import type { CounterLabels } from './records.ts'
import { parseResponseHead, type ResponseHead } from './response-head.ts'
import type { EndedRequest } from './spans.ts'
import { chooseTarget, routeFor, type CompiledRoute } from './table.ts'
import { Tunnel } from './tunnel.ts'
import type { Upstream, UpstreamPool, UpstreamUser } from './upstream.ts'

const headEnd = Buffer.from('\r\n\r\n')
// Up to here head and body go out as one string: one system call and no memory of their own.
const oneWriteBytes = 14_000
// Nginx's number for a client that went away before its answer; it appears in the records only.
const clientGone = 499

/** One request and its answer, between a client's connection and an instance's. */
export class Exchange implements UpstreamUser {
  private readonly plane: Plane
  private readonly client: ClientConnection
  private readonly head: RequestHead
  private route: CompiledRoute
  private readonly ids: RequestIds
  private readonly origin: Origin
  private readonly startedAt: number
  private readonly requestBody: Body
  /** Of the request body; undefined where there is none. */
  private readonly pace: Pace | undefined
  /** Body bytes that arrived before the connection to the instance was there. */
  private held: Buffer | undefined
  private pool: UpstreamPool | undefined
  private upstream: Upstream | undefined
  private tries = 0
  private sent = false
  /** Its instances are asleep. */
  private isHeld = false
  private woke = false
  /** By a game day. */
  private struckBy: string | undefined
  /** When the instance last got something of the request. */
  private sentAt = 0
  private partialHead: Buffer | undefined
  private response: ResponseHead | undefined
  private responseBody: Body | undefined
  private respondedAt = 0
  private keepAlive: boolean
  private bytesIn = 0
  private bytesOut = 0
  private over = false

  constructor(plane: Plane, client: ClientConnection, head: RequestHead, route: CompiledRoute, ids: RequestIds, origin: Origin) {
    this.plane = plane
    this.client = client
    this.head = head
    this.route = route
    this.ids = ids
    this.origin = origin
    this.startedAt = plane.now()
    this.requestBody = bodyOf(head.framing, head.length)
    const { bodyMinBytesPerSecond, bodyPaceWindowMs } = plane.settings
    if (!this.requestBody.done) this.pace = new Pace(bodyMinBytesPerSecond, bodyPaceWindowMs, this.startedAt)
    this.keepAlive = head.keepAlive
  }

  /** Whether what the client sends next belongs to this request. */
  get wantsBody(): boolean {
    return !this.requestBody.done
  }

  /** Begins with what the client sent behind the head. */
  begin(rest: Buffer | undefined): void {
    if (rest && this.requestBody.done) this.client.giveBack(rest)
    else this.held = rest
    if (rest) this.pace?.took(rest.length)
    if (this.route.fault !== undefined && this.head.upgrade === undefined) this.suffer(this.route.fault)
    else this.connect()
  }

  /** A game day may hold it up, or answer it. */
  private suffer(fault: RouteFault): void {
    const strike = fault.strike(this.head.kept, this.startedAt)
    if (!strike) return this.connect()
    this.struckBy = fault.gameDay
    if ('status' in strike) return this.giveUp(notices.struck(this.route.addressee, strike.status, fault.gameDay))
    fault.holdUp(strike.delayMs, () => this.goOn())
  }

  /** The connection is to be closed behind this answer. */
  lastOnConnection(): void {
    this.keepAlive = false
  }

  private connect(avoid?: UpstreamPool): void {
    const { sleeper } = this.route
    if (sleeper?.asleep) return this.hold(sleeper.id)
    this.pool = chooseTarget(this.route, this.head.kept, this.startedAt, avoid)
    if (!this.pool) return this.giveUp(notices.unavailable(this.route.addressee, this.route.reason))
    this.tries++
    this.upstream = this.pool.acquire(this, this.tries > 1 ? 0 : this.longestIdleMs())
    if (this.upstream.connected) this.send()
  }

  /** Waits until the instances are thawed; then the table may be another. */
  private hold(set: string): void {
    this.isHeld = this.woke = true
    this.plane.held.hold(set, () => {
      this.isHeld = false
      this.goOn()
    })
  }

  private goOn(): void {
    if (this.over) return
    this.lookUpRoute()
    this.connect()
  }

  /** The table may have changed since, and with it the instances that are still there. */
  private lookUpRoute(): void {
    const entry = this.plane.table?.lookup(this.head.host)
    this.route = (entry && routeFor(entry, this.head.target)) ?? this.route
  }

  /** Whether sending it twice does no harm and is possible. */
  private isRepeatable(): boolean {
    return this.head.framing === 'none' && isIdempotent(this.head.method)
  }

  private longestIdleMs(): number {
    if (needsOwnConnection(this.head)) return 0
    return this.isRepeatable() ? Infinity : this.plane.settings.upstreamTrustedIdleMs
  }

  onReady(): void {
    this.send()
  }

  private send(): void {
    this.sent = true
    this.sentAt = this.plane.now()
    const text = requestHeadFor(this.head, this.ids, this.origin)
    this.bytesIn += text.length
    const held = this.held
    this.held = undefined
    if (!held) {
      this.upstream!.socket.write(text, 'latin1')
      return this.client.resumeReading()
    }
    this.upstream!.socket.cork()
    this.upstream!.socket.write(text, 'latin1')
    this.passRequestBody(held)
    this.upstream?.socket.uncork()
    if (this.upstream && !this.upstream.socket.writableNeedDrain) this.client.resumeReading()
  }

  /** Takes bytes of the request body. */
  fromClient(chunk: Buffer): void {
    this.pace?.took(chunk.length)
    if (this.sent) return this.passRequestBody(chunk)
    this.held = this.held ? Buffer.concat([this.held, chunk]) : chunk
    this.client.pauseReading()
  }

  private passRequestBody(chunk: Buffer): void {
    const output = this.requestBody.take(chunk, 0)
    if (this.requestBody.fault) return this.refuseBody()
    this.sentAt = this.plane.now()
    this.bytesIn += output.length
    if (output.length > 0 && !this.upstream!.socket.write(output)) this.client.pauseReading()
    if (this.requestBody.done && this.requestBody.position < chunk.length) {
      this.client.giveBack(chunk.subarray(this.requestBody.position))
      this.client.pauseReading()
    }
  }

  private refuseBody(): void {
    this.dropUpstream()
    if (this.response) return this.cut()
    this.record(400)
    this.client.answer(notices.badBody(), this.head, this.ids.requestId, false)
  }

  onDrain(): void {
    this.client.resumeReading()
  }

  onData(data: Buffer): boolean {
    if (this.response) this.passResponseBody(data, 0, '')
    else this.readResponseHead(data)
    // Over means that the connection is back in its pool, where reading has to go on.
    return this.over || this.client.blockedSince === 0
  }

  private readResponseHead(data: Buffer): void {
    let input = this.partialHead ? Buffer.concat([this.partialHead, data]) : data
    this.partialHead = undefined
    for (;;) {
      const end = input.indexOf(headEnd)
      if (end > this.plane.settings.maxHeadBytes) return this.badAnswer()
      if (end === -1) return this.keepPartialHead(input)
      const response = parseResponseHead(input.toString('latin1', 0, end + 2), this.head.method)
      if (!response) return this.badAnswer()
      if (response.status === 101) return this.switchProtocol(response, input.subarray(end + 4))
      if (response.status >= 200) return this.beginResponse(response, input, end + 4)
      // A client of HTTP/1.0 does not know interim answers.
      if (this.head.minor === 1) this.client.write(interimHeadFor(response))
      input = input.subarray(end + 4)
    }
  }

  private keepPartialHead(input: Buffer): void {
    if (input.length > this.plane.settings.maxHeadBytes) return this.badAnswer()
    if (input.length > 0) this.partialHead = Buffer.from(input)
  }

  private switchProtocol(response: ResponseHead, rest: Buffer): void {
    if (this.head.upgrade === undefined || response.upgrade === '') return this.badAnswer()
    this.response = response
    this.respondedAt = this.plane.now()
    const upstream = this.upstream!
    this.client.write(switchingHeadFor(response, this.ids.requestId))
    this.record(101)
    const tunnel = new Tunnel(this.client, upstream, this.plane.stats)
    const early = this.client.takePending()
    this.client.becomeTunnel(tunnel)
    tunnel.start(rest, early)
  }

  private beginResponse(response: ResponseHead, input: Buffer, bodyStart: number): void {
    const decode = response.framing === 'chunked' && this.head.minor === 0
    if (decode && response.codings !== 'chunked') return this.badAnswer()
    this.response = response
    this.respondedAt = this.plane.now()
    this.responseBody = bodyOf(response.framing, response.length, decode)
    const refusesBody = !this.requestBody.done && !response.keepAlive
    const endsByClose = decode || response.framing === 'until-close' || refusesBody
    this.keepAlive &&= !endsByClose && !this.plane.closing
    const head = responseHeadFor(response, this.head, this.ids.requestId, this.keepAlive, this.plane.date(), decode)
    this.passResponseBody(input, bodyStart, head)
  }

  /** Passes on body bytes from `input`, behind the head when that has not gone out yet. */
  private passResponseBody(input: Buffer, start: number, head: string): void {
    const body = this.responseBody!
    const output = body.take(input, start)
    if (body.fault) return this.cutShort()
    this.bytesOut += head.length + output.length
    if (head.length + output.length <= oneWriteBytes) {
      this.client.write(output.length > 0 ? head + output.toString('latin1') : head)
    } else {
      if (head !== '') this.client.write(head)
      this.client.write(body.ownsOutput ? output : Buffer.from(output))
    }
    if (body.done) this.complete(body.position === input.length)
  }

  /** The answer is out. `clean`: the instance sent nothing behind it. */
  private complete(clean: boolean): void {
    const response = this.response!
    const reusable = clean && response.keepAlive && this.requestBody.done && !needsOwnConnection(this.head)
    const upstream = this.upstream!
    this.upstream = undefined
    this.record(response.status)
    upstream.release(reusable ? this.idleMsFor(response) : 0)
    this.client.finished(this.keepAlive && this.requestBody.done)
  }

  private idleMsFor(response: ResponseHead): number {
    const { upstreamIdleMs, upstreamIdleMaxMs } = this.plane.settings
    if (response.keepAliveSeconds === undefined) return upstreamIdleMs
    // A second less than the instance allows, so that it does not close while a request is on its way.
    return Math.min(upstreamIdleMaxMs, (response.keepAliveSeconds - 1) * 1_000)
  }

  onClientDrain(): void {
    this.upstream?.resume()
  }

  onConnectFailed(): void {
    this.upstream = undefined
    if (this.tries === 1) return this.retry()
    this.giveUp(notices.unreachable(this.route.addressee))
  }

  private retry(): void {
    this.plane.stats.retries++
    this.sent = false
    this.lookUpRoute()
    this.connect(this.pool)
  }

  onEnd(): void {
    if (this.response?.framing === 'until-close') return this.complete(false)
    this.onLost()
  }

  onLost(): void {
    const stale = this.upstream?.reused === true && this.tries === 1 && !this.partialHead
    this.dropUpstream()
    if (this.response) return this.cutShort()
    if (stale && this.isRepeatable()) return this.retry()
    this.giveUp(notices.brokeOff(this.route.addressee))
  }

  private badAnswer(): void {
    this.dropUpstream()
    this.giveUp(notices.badAnswer(this.route.addressee))
  }

  /** Answers with an error page in place of the instance. */
  private giveUp(notice: Notice): void {
    this.record(notice.status, notice.code)
    this.client.answer(notice, this.head, this.ids.requestId, this.keepAlive && this.requestBody.done && !this.plane.closing)
  }

  /** The instance broke off within its answer: the client must not take what it has for the whole. */
  private cutShort(): void {
    this.dropUpstream()
    this.cut()
  }

  private cut(): void {
    this.record(this.response!.status)
    this.client.cut()
  }

  private dropUpstream(): void {
    const upstream = this.upstream
    this.upstream = undefined
    upstream?.release(0)
  }

  /** The client closed its sending side. A request that is whole may still get its answer. */
  clientEnded(): void {
    this.keepAlive = false
    if (this.requestBody.done) return
    this.cancel()
    this.client.socket.destroy()
  }

  /** The client is gone: the instance need not go on. */
  cancel(): void {
    if (this.over) return
    this.plane.stats.canceled++
    this.dropUpstream()
    this.record(this.response?.status ?? clientGone)
  }

  /** Ends the request when a time limit has passed. */
  check(now: number): void {
    const { settings } = this.plane
    const { client } = this
    const gone = client.halfClosedAt > 0 && now - client.halfClosedAt > settings.halfCloseGraceMs
    const stalled = client.blockedSince > 0 && now - client.blockedSince > settings.clientStallTimeoutMs
    if (gone || stalled) {
      this.cancel()
      client.cut()
    } else if (this.isHeld && now - this.startedAt > settings.wakeTimeoutMs) {
      this.giveUp(notices.unavailable(this.route.addressee, 'It was asleep and did not wake.'))
    } else if (!this.response && this.sent) {
      this.checkWaiting(now)
    }
  }

  private checkWaiting(now: number): void {
    if (this.client.readingPaused) this.pace?.restart(now)
    const bodyPending = !this.requestBody.done && !this.client.readingPaused
    if (bodyPending && (now - this.client.lastByteAt > this.plane.settings.bodyIdleTimeoutMs || this.pace?.isTooSlow(now))) {
      this.dropUpstream()
      this.record(408)
      this.client.answer(notices.slowClient(), this.head, this.ids.requestId, false)
    } else if (now - this.sentAt > this.route.requestTimeoutMs) {
      this.dropUpstream()
      this.giveUp(notices.timeout(this.route.addressee, this.route.requestTimeoutMs))
    }
  }

  /** `error`: code of what the router answered in place of the instance. */
  private record(status: number, error?: string): void {
    if (this.over) return
    this.over = true
    if (error === undefined) this.plane.stats.responses[(Math.min(599, status) / 100 | 0) - 1]!++
    const until = this.response?.isEventStream ? this.respondedAt : this.plane.now()
    const counter = this.pool?.counter ?? this.route.unserved
    counter.add(status, until - this.startedAt, this.bytesIn, this.bytesOut, error !== undefined)
    this.client.calls?.add(counter, status)
    if (this.plane.spans.wants(counter.labels, status, error, until - this.startedAt)) this.plane.spans.add(this.asEnded(counter.labels, until, status, error))
  }

  private asEnded(labels: CounterLabels, until: number, status: number, error: string | undefined): EndedRequest {
    const { head, ids, startedAt, sentAt, respondedAt, tries, woke, struckBy, bytesIn, bytesOut } = this
    return { head, ids, labels, startedAt, until, sentAt, respondedAt, status, error, tries, woke, struckBy, bytesIn, bytesOut }
  }
}
