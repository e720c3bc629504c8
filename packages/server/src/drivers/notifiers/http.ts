/** One request to the other side: no redirections, a bounded answer, failures in the words of deliveries. */
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'
import { addressProblem, outwardLookup, refusalIn } from '../../kernel/outward.ts'
import { undelivered } from '../../rooms/reliability/notify/ports.ts'

const longestAnswerBytes = 4096
const shownCharacters = 200
const shortestSecret = 4
const shortestPart = 8
/** Statuses that say: later. Every other one of 4xx says never. */
const temporary = new Set([408, 409, 423, 425, 429])

export interface Sent {
  url: string
  method?: 'POST' | 'PATCH' | 'GET'
  headers?: Record<string, string>
  body?: string
}

export interface Answer {
  status: number
  text: string
}

/** Throws NOTIFICATION_FAILED for an address that is refused, for redirections and for every status but 2xx. */
export async function send(sent: Sent, signal: AbortSignal, secrets: readonly string[] = []): Promise<Answer> {
  const problem = addressProblem(sent.url)
  if (problem !== undefined) throw refusal(problem)
  const response = await responseTo(sent, signal).catch((error: unknown) => {
    const reason = refusalIn(error)
    throw reason === undefined ? error : refusal(reason)
  })
  const status = response.statusCode ?? 0
  const text = await beginningOf(response)
  if (status >= 200 && status < 300) return { status, text }
  const said = without(text, secrets.flatMap(partsOf)).replaceAll(/\s+/g, ' ').trim().slice(0, shownCharacters)
  const answer = `It answered ${status}${said === '' ? '' : `: ${said}`}.`
  throw undelivered(answer, { final: status >= 300 && status < 500 && !temporary.has(status), ...retryAfter(response.headers['retry-after']) })
}

function refusal(problem: string): Error {
  return undelivered(`The address ${problem}.`, { final: true })
}

/** As far as the header. node:http follows no redirections. */
function responseTo({ url, method = 'POST', headers = {}, body }: Sent, signal: AbortSignal): Promise<IncomingMessage> {
  const all = { 'user-agent': 'Pavior', ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...headers }
  return new Promise((resolve, reject) => {
    const request = new URL(url).protocol === 'https:' ? requestSecure : requestPlain
    request(new URL(url), { method, headers: all, agent: false, lookup: outwardLookup, signal }, resolve).on('error', reject).end(body)
  })
}

/** The rest is not read. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= longestAnswerBytes) break
  }
  return Buffer.concat(chunks).subarray(0, longestAnswerBytes).toString('utf8')
}

/** Of an address that is a secret, every long part is one. */
function partsOf(secret: string): string[] {
  if (!URL.canParse(secret)) return [secret]
  const { pathname, search } = new URL(secret)
  return [secret, pathname + search, pathname, ...pathname.split('/').filter((part) => part.length >= shortestPart), ...search.split(/[?&=]/).filter((part) => part.length >= shortestPart)]
}

/** An answer may repeat what it was sent. */
function without(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.length >= shortestSecret).reduce((said, secret) => said.replaceAll(secret, '[redacted]'), text)
}

function retryAfter(header: string | undefined): { retryAfterMs?: number } {
  if (header === undefined) return {}
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? { retryAfterMs: ms } : {}
}
