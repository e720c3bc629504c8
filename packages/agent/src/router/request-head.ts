import { isToken, isVisible, listOf, parseLength, scanFields, withoutFields, type FieldHandlers, type Verdict } from './fields.ts'

/** Why a request is refused before it is routed. The connection is closed after the answer. */
export interface Refusal {
  status: 400 | 431
  /** Continues the sentence "The request was refused because …". */
  reason: string
}

/** How the body of a message ends. `until-close` exists in responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close'

/** A request head that is beyond doubt. */
export interface RequestHead {
  method: string
  target: string
  /** Minor version of HTTP/1; 0 for anything older, too. */
  minor: 0 | 1
  /** Value of the one Host field. */
  host: string
  framing: Framing
  /** Bytes of the body when `framing` is `length`. */
  length: number
  /** Transfer codings to pass on, normalised; `chunked` last. */
  codings: string
  keepAlive: boolean
  /** Value of Upgrade, when the client asked for one that may be passed on. */
  upgrade?: string
  acceptsTrailers: boolean
  accept: string
  /** What the client says about whom it speaks for; empty where it says nothing. Believed of trusted proxies only. */
  forwardedFor: string
  forwardedProto: string
  forwardedHost: string
  forwardedPort: string
  requestId: string
  traceparent: string
  /** Lines of `tracestate`; they are worth nothing without the `traceparent` that they came with. */
  tracestate: string
  /** Every other field line that goes on, each with its line break. */
  kept: string
}

interface Draft {
  hosts: string[]
  length?: number
  codings?: string
  connection: string
  upgrade: string
  te: string
  accept: string
  forwardedFor: string
  forwardedProto: string
  forwardedHost: string
  forwardedPort: string
  requestIds: string[]
  traceparents: string[]
  tracestate: string
}

const drop = (): Verdict => 'drop'
const joined = (before: string, value: string): string => (before === '' ? value : `${before}, ${value}`)

const handlers: FieldHandlers<Draft> = new Map<string, (draft: Draft, value: string) => Verdict>([
  ['host', (draft, value) => (draft.hosts.push(value) === 1 ? 'keep' : 'refuse')],
  ['content-length', (draft, value) => {
    if (draft.length !== undefined) return 'refuse'
    draft.length = parseLength(value)
    return draft.length === undefined ? 'refuse' : 'drop'
  }],
  ['transfer-encoding', (draft, value) => {
    draft.codings = draft.codings === undefined ? value : `${draft.codings},${value}`
    return 'drop'
  }],
  ['connection', (draft, value) => {
    draft.connection = joined(draft.connection, value)
    return 'drop'
  }],
  ['upgrade', (draft, value) => {
    draft.upgrade = joined(draft.upgrade, value)
    return 'drop'
  }],
  ['te', (draft, value) => {
    draft.te = joined(draft.te, value)
    return 'drop'
  }],
  ['accept', (draft, value) => {
    draft.accept = joined(draft.accept, value)
    return 'keep'
  }],
  ['x-forwarded-for', (draft, value) => {
    draft.forwardedFor = joined(draft.forwardedFor, value)
    return 'drop'
  }],
  ['x-forwarded-proto', (draft, value) => {
    draft.forwardedProto = joined(draft.forwardedProto, value)
    return 'drop'
  }],
  ['x-forwarded-host', (draft, value) => {
    draft.forwardedHost = joined(draft.forwardedHost, value)
    return 'drop'
  }],
  ['x-forwarded-port', (draft, value) => {
    draft.forwardedPort = joined(draft.forwardedPort, value)
    return 'drop'
  }],
  ['x-request-id', (draft, value) => {
    draft.requestIds.push(value)
    return 'drop'
  }],
  ['traceparent', (draft, value) => {
    draft.traceparents.push(value)
    return 'drop'
  }],
  ['tracestate', (draft, value) => {
    draft.tracestate += `tracestate: ${value}\r\n`
    return 'drop'
  }],
  // Meant for this hop, or said by the client about itself where only the router may say it.
  ...['keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'http2-settings', 'forwarded', 'x-real-ip',
    'x-forwarded-server', 'x-forwarded-scheme', 'x-forwarded-ssl', 'x-forwarded-prefix'].map((name): [string, () => Verdict] => [name, drop]),
])

// `identity` and parameters are out of date but unambiguous, as long as `chunked` ends the list.
const innerCodings = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress', 'identity'])

/** Normalises transfer codings; undefined unless they are known ones with one `chunked` at the end. */
export function normaliseCodings(value: string): string | undefined {
  const codings = value.toLowerCase().split(',').map((item) => item.split(';', 1)[0]!.replace(/^[ \t]+|[ \t]+$/g, ''))
  if (codings.pop() !== 'chunked') return undefined
  if (!codings.every((coding) => innerCodings.has(coding))) return undefined
  return [...codings, 'chunked'].join(', ')
}

// Protocols whose start would hide further requests from the router.
const refusedUpgrades = /(^|[ ,])(h2c?|tls\/)/i

interface RequestLine {
  method: string
  target: string
  version: string
  end: number
}

function readRequestLine(text: string): RequestLine | undefined {
  let position = 0
  while (isToken(text.charCodeAt(position))) position++
  const method = text.slice(0, position)
  if (method === '' || method.length > 32 || text.charCodeAt(position) !== 32) return undefined
  const targetStart = ++position
  while (isVisible(text.charCodeAt(position))) position++
  const target = text.slice(targetStart, position)
  const end = text.indexOf('\r\n', position)
  if (end === -1 || (end !== position && text.charCodeAt(position) !== 32)) return undefined
  return { method, target: plainTarget(target), version: text.slice(position + 1, end), end: end + 2 }
}

/** Bytes above 0x7f in percent-encoding: it means the same, and many application servers refuse the bytes themselves. */
function plainTarget(target: string): string {
  return target.replace(/[\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

// HTTP/1.2 is served as 1.1; HTTP/0.9 and no version at all are served as 1.0, and only with a complete head.
const versions = new Map<string, 0 | 1>([['HTTP/1.1', 1], ['HTTP/1.0', 0], ['HTTP/0.9', 0], ['', 0]])
const laterMinor = /^HTTP\/1\.[2-9]$/

const refuse = (reason: string): Refusal => ({ status: 400, reason })

/**
 * Parses a request head: request line and field lines, each with its CR LF, without the empty line. `text` holds one
 * character per byte. What two programs could read differently is refused, except slips that the router repairs by
 * leaving a field out (see fields.ts).
 */
export function parseRequestHead(text: string, maxFields: number): RequestHead | Refusal {
  const line = readRequestLine(text)
  if (!line) return refuse('its request line is malformed')
  const minor = versions.get(line.version) ?? (laterMinor.test(line.version) ? 1 : undefined)
  if (minor === undefined) return refuse('its protocol version is not HTTP/1')
  const target = line.target === '' ? '/' : line.target
  if (target[0] !== '/' && !(target === '*' && line.method === 'OPTIONS')) return refuse('its target is not a path')
  const draft: Draft = {
    hosts: [], connection: '', upgrade: '', te: '', accept: '', forwardedFor: '', forwardedProto: '', forwardedHost: '',
    forwardedPort: '', requestIds: [], traceparents: [], tracestate: '',
  }
  const fields = scanFields(text, line.end, handlers, draft)
  if (fields.fault) return refuse(fields.fault)
  if (fields.count > maxFields) return { status: 431, reason: 'it has too many header fields' }
  if (draft.hosts.length !== 1 || draft.hosts[0] === '') return refuse('it does not name exactly one host')
  if (draft.codings !== undefined && (draft.length !== undefined || minor === 0)) return refuse('the length of its body is ambiguous')
  const codings = draft.codings === undefined ? '' : normaliseCodings(draft.codings)
  if (codings === undefined) return refuse('its transfer coding is not supported')
  return complete(line.method, target, minor, draft, codings, fields.kept)
}

function complete(method: string, target: string, minor: 0 | 1, draft: Draft, codings: string, kept: string): RequestHead {
  const length = draft.length ?? 0
  const head: RequestHead = {
    method, target, minor, host: draft.hosts[0]!, length, codings,
    framing: codings !== '' ? 'chunked' : length > 0 ? 'length' : 'none',
    keepAlive: minor === 1,
    acceptsTrailers: draft.te !== '' && listOf(draft.te).includes('trailers'),
    accept: draft.accept,
    forwardedFor: draft.forwardedFor, forwardedProto: draft.forwardedProto, forwardedHost: draft.forwardedHost,
    forwardedPort: draft.forwardedPort,
    requestId: draft.requestIds.length === 1 ? draft.requestIds[0]! : '',
    traceparent: draft.traceparents.length === 1 ? draft.traceparents[0]! : '',
    tracestate: draft.tracestate,
    kept: draft.length === 0 ? `${kept}content-length: 0\r\n` : kept,
  }
  if (draft.connection !== '') applyConnection(head, draft)
  return head
}

const connectionOptions = new Set(['close', 'keep-alive', 'upgrade', 'te'])

/** Connection says whether to go on, whether to switch the protocol, and which fields end at this hop. */
function applyConnection(head: RequestHead, draft: Draft): void {
  const options = listOf(draft.connection)
  head.keepAlive = !options.includes('close') && (head.minor === 1 || options.includes('keep-alive'))
  const mayUpgrade = head.minor === 1 && head.framing === 'none' && draft.upgrade !== '' && !refusedUpgrades.test(draft.upgrade)
  if (mayUpgrade && options.includes('upgrade')) head.upgrade = draft.upgrade
  const named = options.filter((option) => !connectionOptions.has(option) && option !== 'host' && option !== 'content-length')
  if (named.length > 0) head.kept = withoutFields(head.kept, named)
}
