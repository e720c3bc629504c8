import { listOf, parseLength, scanFields, withoutFields, type FieldHandlers, type Verdict } from './fields.ts'
import { normaliseCodings, type Framing } from './request-head.ts'

/** What an instance answered, as far as the router acts on it. */
export interface ResponseHead {
  status: number
  reason: string
  framing: Framing
  /** Bytes of the body when `framing` is `length`. */
  length: number
  /** Normalised transfer codings when `framing` is `chunked`. */
  codings: string
  /** Whether the connection may serve another request afterwards. */
  keepAlive: boolean
  /** Seconds for which the instance keeps an idle connection open, when it says so. */
  keepAliveSeconds?: number
  upgrade: string
  hasDate: boolean
  /** `text/event-stream`, whose duration says nothing about the app's speed. */
  isEventStream: boolean
  /** Field lines that go on, each with its line break. */
  kept: string
}

interface Draft {
  length?: number
  codings?: string
  connection: string
  upgrade: string
  keepAlive: string
  hasDate: boolean
  isEventStream: boolean
}

const drop = (): Verdict => 'drop'

const handlers: FieldHandlers<Draft> = new Map<string, (draft: Draft, value: string) => Verdict>([
  ['content-length', (draft, value) => {
    const length = parseLength(value)
    if (length === undefined || (draft.length !== undefined && draft.length !== length)) return 'refuse'
    const first = draft.length === undefined
    draft.length = length
    return first ? 'keep' : 'drop'
  }],
  ['transfer-encoding', (draft, value) => {
    draft.codings = draft.codings === undefined ? value : `${draft.codings},${value}`
    return 'drop'
  }],
  ['connection', (draft, value) => {
    draft.connection += `${value},`
    return 'drop'
  }],
  ['keep-alive', (draft, value) => {
    draft.keepAlive = value
    return 'drop'
  }],
  ['upgrade', (draft, value) => {
    draft.upgrade = value
    return 'drop'
  }],
  ['date', (draft) => {
    draft.hasDate = true
    return 'keep'
  }],
  ['content-type', (draft, value) => {
    draft.isEventStream = value.toLowerCase().startsWith('text/event-stream')
    return 'keep'
  }],
  ...['proxy-connection', 'proxy-authenticate', 'te', 'x-request-id'].map((name): [string, () => Verdict] => [name, drop]),
])

const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const keepAliveTimeout = /timeout=([0-9]{1,6})/i

/**
 * Parses the head of an instance's answer (without its empty line, one character per byte). Undefined when it cannot be
 * understood beyond doubt; then nothing of it may be passed on.
 */
export function parseResponseHead(text: string, method: string): ResponseHead | undefined {
  const lineEnd = text.indexOf('\r\n')
  const line = statusLine.exec(text.slice(0, lineEnd))
  if (!line) return undefined
  const draft: Draft = { connection: '', upgrade: '', keepAlive: '', hasDate: false, isEventStream: false }
  const fields = scanFields(text, lineEnd + 2, handlers, draft)
  if (fields.fault !== undefined) return undefined
  const status = Number(line[2])
  const body = framingOf(method, status, draft)
  if (!body) return undefined
  const head: ResponseHead = {
    status, reason: line[3] ?? '', ...body,
    keepAlive: line[1] === '1' && body.framing !== 'until-close',
    upgrade: draft.upgrade, hasDate: draft.hasDate, isEventStream: draft.isEventStream, kept: fields.kept,
  }
  if (draft.connection !== '') applyConnection(head, draft)
  return head
}

/** RFC 9112 §6.3. Two contradicting lengths, or a coding that does not say where the body ends, are no answer. */
function framingOf(method: string, status: number, draft: Draft): { framing: Framing; length: number; codings: string } | undefined {
  const codings = draft.codings === undefined ? '' : normaliseCodings(draft.codings)
  if (codings === undefined || (codings !== '' && draft.length !== undefined)) return undefined
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  if (bodiless) return { framing: 'none', length: 0, codings: status >= 200 && status !== 204 ? codings : '' }
  if (codings !== '') return { framing: 'chunked', length: 0, codings }
  if (draft.length === undefined) return { framing: 'until-close', length: 0, codings: '' }
  return { framing: draft.length === 0 ? 'none' : 'length', length: draft.length, codings: '' }
}

const connectionOptions = new Set(['close', 'keep-alive', 'upgrade'])

function applyConnection(head: ResponseHead, draft: Draft): void {
  const options = listOf(draft.connection)
  if (options.includes('close')) head.keepAlive = false
  else if (options.includes('keep-alive') && head.framing !== 'until-close') head.keepAlive = true
  const seconds = keepAliveTimeout.exec(draft.keepAlive)
  if (seconds) head.keepAliveSeconds = Number(seconds[1])
  const named = options.filter((option) => !connectionOptions.has(option) && option !== 'content-length')
  if (named.length > 0) head.kept = withoutFields(head.kept, named)
}
