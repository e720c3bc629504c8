import { withoutFields } from './fields.ts'
import { isSaneRequestId, isTraceparent, parseHost } from './plan.ts'
import type { RequestHead } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'

const plainPort = /^[0-9]{1,5}$/

/** What the router knows about a request beyond its head. */
export interface Origin {
  /** Address of the client's end of the connection. */
  address: string
  /** Port that the client asked for by its Host field; empty when it named none. */
  port: string
  /** The client is a proxy whose X-Forwarded-* are believed. */
  trusted: boolean
}

/** Ids that go with a request to the instance and back. */
export interface RequestIds {
  requestId: string
  traceparent: string
}

/** Random lower-case hexadecimal digits. */
export type RandomHex = (digits: number) => string

/**
 * Keeps the client's request id and trace when they are sane. The router is a part of the trace: what the instance gets as its
 * parent is the router's own span. A new trace is marked as sampled, so that apps decide about it.
 */
export function idsFor(head: RequestHead, randomHex: RandomHex): RequestIds {
  return {
    requestId: isSaneRequestId(head.requestId) ? head.requestId : randomHex(32),
    traceparent: isTraceparent(head.traceparent)
      ? `00-${head.traceparent.slice(3, 35)}-${randomHex(16)}-${head.traceparent.slice(53, 55)}`
      : `00-${randomHex(32)}-${randomHex(16)}-01`,
  }
}

/** The head that the instance gets. Host is as the client sent it; every other statement about the client is the router's. */
export function requestHeadFor(head: RequestHead, ids: RequestIds, origin: Origin): string {
  const trace = head.tracestate !== '' && isTraceparent(head.traceparent) ? head.tracestate : ''
  return `${head.method} ${head.target} HTTP/1.1\r\n${head.kept}${framingLines(head)}${connectionLines(head)}`
    + `${origin.trusted ? believedLines(head, origin) : ownLines(head, origin)}x-request-id: ${ids.requestId}\r\n`
    + `traceparent: ${ids.traceparent}\r\n${trace}via: 1.1 pavior\r\n\r\n`
}

/** What the router sees itself. */
function ownLines(head: RequestHead, { address, port }: Origin): string {
  return `x-forwarded-for: ${address}\r\nx-forwarded-proto: http\r\nx-forwarded-host: ${head.host}\r\n`
    + `x-forwarded-port: ${port === '' ? '80' : port}\r\n`
}

/** What a trusted proxy saw, where it says so and as far as it is one plain value; the proxy's own address goes behind the others. */
function believedLines(head: RequestHead, { address, port }: Origin): string {
  const forwardedFor = head.forwardedFor === '' ? address : `${head.forwardedFor}, ${address}`
  const proto = head.forwardedProto === 'https' ? 'https' : 'http'
  const asked = head.forwardedHost === '' ? undefined : parseHost(head.forwardedHost)
  const said = plainPort.test(head.forwardedPort) ? head.forwardedPort : (asked?.port ?? port)
  const usual = proto === 'https' ? '443' : '80'
  return `x-forwarded-for: ${forwardedFor}\r\nx-forwarded-proto: ${proto}\r\nx-forwarded-host: ${asked ? head.forwardedHost : head.host}\r\n`
    + `x-forwarded-port: ${said === '' ? usual : said}\r\n`
}

function framingLines(head: { framing: string; length: number; codings: string }): string {
  if (head.framing === 'length') return `content-length: ${head.length}\r\n`
  return head.codings === '' ? '' : `transfer-encoding: ${head.codings}\r\n`
}

function connectionLines(head: RequestHead): string {
  if (head.upgrade !== undefined) return `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`
  return head.acceptsTrailers ? 'connection: te\r\nte: trailers\r\n' : ''
}

/** The head that the client gets. `decoded` says that the chunk framing was taken off for an HTTP/1.0 client. */
export function responseHeadFor(
  response: ResponseHead, request: RequestHead, requestId: string, keepAlive: boolean, date: string, decoded: boolean,
): string {
  const coding = response.codings === '' || decoded ? '' : `transfer-encoding: ${response.codings}\r\n`
  const dated = response.hasDate ? '' : `date: ${date}\r\n`
  return `HTTP/1.1 ${response.status} ${response.reason}\r\n${response.kept}${coding}${dated}x-request-id: ${requestId}\r\n`
    + `${persistence(request.minor, keepAlive)}\r\n`
}

/** The Connection line of an answer, where the default of the client's version does not say it already. */
export function persistence(minor: 0 | 1, keepAlive: boolean): string {
  if (!keepAlive) return 'connection: close\r\n'
  return minor === 0 ? 'connection: keep-alive\r\n' : ''
}

/** The head of a 1xx answer, which carries no framing. */
export function interimHeadFor(response: ResponseHead): string {
  return `HTTP/1.1 ${response.status} ${response.reason}\r\n${withoutFields(response.kept, ['content-length'])}\r\n`
}

/** The head of a 101 answer. */
export function switchingHeadFor(response: ResponseHead, requestId: string): string {
  return `HTTP/1.1 101 ${response.reason}\r\n${response.kept}connection: upgrade\r\nupgrade: ${response.upgrade}\r\n`
    + `x-request-id: ${requestId}\r\n\r\n`
}
