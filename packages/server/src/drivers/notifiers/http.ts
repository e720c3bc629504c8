/** One request to the other side: no redirections, a bounded answer, failures in the words of deliveries. */
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

/** Throws NOTIFICATION_FAILED for what is no address, for redirections and for every status but 2xx. */
export async function send({ url, method = 'POST', headers = {}, body }: Sent, signal: AbortSignal, secrets: readonly string[] = []): Promise<Answer> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw undelivered('The address is none of http or https.', { final: true })
  const response = await fetch(url, { method, headers: { 'user-agent': 'Pavior', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(body === undefined ? {} : { body }), redirect: 'manual', signal })
  const text = await beginningOf(response)
  if (response.ok) return { status: response.status, text }
  const said = without(text, secrets.flatMap(partsOf)).replaceAll(/\s+/g, ' ').trim().slice(0, shownCharacters)
  const answer = `It answered ${response.status}${said === '' ? '' : `: ${said}`}.`
  throw undelivered(answer, { final: response.status >= 300 && response.status < 500 && !temporary.has(response.status), ...retryAfter(response.headers.get('retry-after')) })
}

/** The rest is not read. */
async function beginningOf(response: Response): Promise<string> {
  if (!response.body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
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

function retryAfter(header: string | null): { retryAfterMs?: number } {
  if (header === null) return {}
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? { retryAfterMs: ms } : {}
}
