import { STATUS_CODES } from 'node:http'
import { faultHeader, type ErrorCode } from '@pavior/contract'

/** What the router says when it answers by itself. Everybody can read it, so it names the app and nothing behind it. */
export interface Notice {
  status: number
  code: ErrorCode
  message: string
  why?: string
  fix: string
  /** Game day that wanted this answer. */
  gameDay?: string
}

/** The app that a request was meant for. */
export interface Addressee {
  team: string
  app: string
  environment: string
}

const longestReason = 240
const nameOf = (to: Addressee): string => `${to.app} (${to.team}/${to.environment})`

/** Why a release cannot serve, as the supervisor says it: a public sentence, cut to a length that fits a page. */
const publicReason = (reason: string): string => (reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason)

export const notices = {
  refused: (status: 400 | 431, reason: string): Notice => ({
    status, code: status === 431 ? 'REQUEST_HEAD_TOO_LARGE' : 'REQUEST_REFUSED',
    message: `The request was refused because ${reason}.`, fix: 'Send a request that keeps to RFC 9112.',
  }),
  badBody: (): Notice => ({
    status: 400, code: 'REQUEST_REFUSED', message: 'The request was refused because its body does not keep to its framing.',
    fix: 'Send a request that keeps to RFC 9112.',
  }),
  slowClient: (): Notice => ({
    status: 408, code: 'REQUEST_TOO_SLOW', message: 'The request did not arrive in time.', fix: 'Send the request again.',
  }),
  unknownHost: (host: string): Notice => ({
    status: 404, code: 'ROUTE_NOT_FOUND', message: `No app is reachable at ${host}.`,
    fix: 'Check the address; `pavior apps` lists the apps and their addresses.',
  }),
  unknownPath: (host: string, path: string): Notice => ({
    status: 404, code: 'ROUTE_NOT_FOUND', message: `No app is reachable at ${path} of ${host}.`,
    fix: 'Check the path; `pavior get routes` lists what is routed.',
  }),
  starting: (): Notice => ({
    status: 503, code: 'ROUTER_STARTING', message: 'The router has started and does not know its routes yet.',
    fix: 'Try again in a moment.',
  }),
  unavailable: (to: Addressee, reason?: string): Notice => ({
    status: 503, code: 'APP_UNAVAILABLE', message: `${nameOf(to)} has no instance that can answer.`,
    why: reason === undefined || reason === '' ? 'None of its instances is healthy at present.' : publicReason(reason),
    fix: 'Try again in a moment. Its team sees the cause with `pavior ps` and `pavior logs`.',
  }),
  unreachable: (to: Addressee): Notice => ({
    status: 502, code: 'APP_UNREACHABLE', message: `${nameOf(to)} does not accept connections.`,
    why: 'The instance that should answer refuses connections, so it has probably just stopped.',
    fix: 'Try again in a moment. Its team sees the cause with `pavior ps` and `pavior logs`.',
  }),
  brokeOff: (to: Addressee): Notice => ({
    status: 502, code: 'APP_BROKE_OFF', message: `${nameOf(to)} closed the connection without an answer.`,
    why: 'The instance took the request and ended the connection before it answered.',
    fix: 'Try again if the request may be repeated. Its team sees the cause with `pavior logs`.',
  }),
  badAnswer: (to: Addressee): Notice => ({
    status: 502, code: 'APP_BAD_ANSWER', message: `${nameOf(to)} gave an answer that is not valid HTTP.`,
    why: 'The head or the framing of the answer does not keep to RFC 9112.',
    fix: 'Its team corrects the answer; `pavior logs` shows what the app did.',
  }),
  struck: (to: Addressee, status: number, gameDay: string): Notice => ({
    status, code: 'FAULT_INJECTED', gameDay, message: `${nameOf(to)} is put to the test, and this request was answered with an error on purpose.`,
    why: `The game day ${gameDay} injects errors.`, fix: 'Try again in a moment. Its team ends it with `pavior gameday stop`.',
  }),
  timeout: (to: Addressee, timeoutMs: number): Notice => ({
    status: 504, code: 'APP_TIMEOUT', message: `${nameOf(to)} did not answer within ${timeoutMs / 1000} s.`,
    why: 'The instance took the request and sent no response head in time.',
    fix: 'Try again. Its team makes the answer faster, or raises the time limit of the route.',
  }),
}

const titleOf = (status: number): string => STATUS_CODES[status] ?? 'Error'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (value: string): string => value.replace(/[&<>"']/g, (char) => escapes[char]!)
const asCode = (html: string): string => html.replace(/`([^`]*)`/g, '<code>$1</code>')

function asHtml(notice: Notice, requestId: string): string {
  const line = (text: string | undefined): string => (text === undefined ? '' : `<p>${asCode(escapeHtml(text))}</p>\n`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${notice.status} ${titleOf(notice.status)}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem;color:#1d2026;background:#fff}
h1{font-size:1.25rem}small,code{font-family:ui-monospace,monospace;color:#5b6270}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#16181c}small,code{color:#9aa1ad}}
</style>
<h1>${escapeHtml(notice.message)}</h1>
${line(notice.why)}${line(notice.fix)}<small>${notice.status} ${notice.code} · request ${escapeHtml(requestId)}</small>
`
}

function asText(notice: Notice, requestId: string): string {
  const why = notice.why === undefined ? '' : `  why      ${notice.why}\n`
  return `${notice.code}   ${notice.message}\n${why}  fix      ${notice.fix}\n  request  ${requestId}\n`
}

function asJson(notice: Notice, requestId: string): string {
  const { status: _, gameDay: __, ...error } = notice
  return `${JSON.stringify({ error: { ...error, facts: { requestId } } })}\n`
}

/** Picks the form by what the client accepts: HTML for browsers, JSON for programs that ask for it, text for the rest. */
function bodyFor(notice: Notice, accept: string, requestId: string): { type: string; body: string } {
  const wanted = accept.toLowerCase()
  if (wanted.includes('text/html')) return { type: 'text/html; charset=utf-8', body: asHtml(notice, requestId) }
  if (/application\/([a-z.+-]+\+)?json/.test(wanted)) return { type: 'application/json', body: asJson(notice, requestId) }
  return { type: 'text/plain; charset=utf-8', body: asText(notice, requestId) }
}

export interface PageRequest {
  method: string
  accept: string
  requestId: string
  /** Line break included; empty when the version's default says it. */
  connectionLine: string
  /** Value of Date. */
  date: string
}

/** A whole response, ready to be written as UTF-8. */
export function pageFor(notice: Notice, to: PageRequest): string {
  const { type, body } = bodyFor(notice, to.accept, to.requestId)
  const retry = notice.status === 503 ? 'retry-after: 1\r\n' : ''
  const struck = notice.gameDay === undefined ? '' : `${faultHeader}: ${notice.gameDay}\r\n`
  return `HTTP/1.1 ${notice.status} ${titleOf(notice.status)}\r\ndate: ${to.date}\r\ncontent-type: ${type}\r\n`
    + `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n${retry}${struck}`
    + `x-request-id: ${to.requestId}\r\n${to.connectionLine}\r\n${to.method === 'HEAD' ? '' : body}`
}
