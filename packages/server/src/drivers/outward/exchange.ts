/** One request to a server that a team named: guarded, without redirections, with a bounded answer. */
import { request as requestPlain, type Agent, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'
import { outwardLookup } from '../../kernel/outward.ts'

const shownCharacters = 200
const shortestSecret = 4
const shortestPart = 8

export interface Sent {
  url: string
  method?: 'POST' | 'PATCH' | 'GET'
  headers?: Record<string, string>
  /** JSON, unless the headers say otherwise. */
  body?: string | Buffer
  /** Keeps connections; default: one for each request. */
  agent?: Agent
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  /** There was more than was read. */
  cut: boolean
}

/** Literal addresses need `addressProblem` before. Rejects with what `refusalIn` knows for a name that leads nowhere we go. */
export async function exchange({ url, method = 'POST', headers = {}, body, agent }: Sent, signal: AbortSignal, mostBytes: number): Promise<Answer> {
  const all = { 'user-agent': 'Pavior', ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }), ...headers }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = new URL(url).protocol === 'https:' ? requestSecure : requestPlain
    // node:http follows no redirections.
    request(new URL(url), { method, headers: all, agent: agent ?? false, lookup: outwardLookup, signal }, resolve).on('error', reject).end(body)
  })
  return { status: response.statusCode ?? 0, headers: response.headers, ...(await beginningOf(response, mostBytes)) }
}

/** The rest is not read. */
async function beginningOf(response: IncomingMessage, mostBytes: number): Promise<{ body: Buffer; cut: boolean }> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > mostBytes) break
  }
  return { body: Buffer.concat(chunks).subarray(0, mostBytes), cut: size > mostBytes }
}

/** Of an address that is a secret, every long part is one. */
function partsOf(secret: string): string[] {
  if (!URL.canParse(secret)) return [secret]
  const { pathname, search } = new URL(secret)
  return [secret, pathname + search, pathname, ...pathname.split('/').filter((part) => part.length >= shortestPart), ...search.split(/[?&=]/).filter((part) => part.length >= shortestPart)]
}

/** The beginning of an answer, in one line. It may repeat what it was sent, and no secret is shown. */
export function saidIn(body: Buffer, secrets: readonly string[]): string {
  const hidden = secrets.flatMap(partsOf).filter((secret) => secret.length >= shortestSecret)
  return hidden.reduce((said, secret) => said.replaceAll(secret, '[redacted]'), body.toString('utf8')).replaceAll(/\s+/g, ' ').trim().slice(0, shownCharacters)
}

/** In milliseconds from now. */
export function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? ms : undefined
}
