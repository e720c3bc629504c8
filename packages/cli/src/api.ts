/** The server's API from the command line: JSON, streams of JSON lines, uploads. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable, Writable } from 'node:stream'
import { fail, PaviorError, type ErrorObject, type Resource, type ResourceList } from '@pavior/contract'
import type { Endpoint } from './context.ts'

export interface Call {
  method?: string
  path: string
  body?: unknown
  stream?: Readable
  type?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

const group = '/apis/pavior.dev/v1'

export class Api {
  readonly endpoint: Endpoint

  /** Percent-encoded, as headers carry only ASCII. */
  readonly #reason: string | undefined

  readonly #warned: (text: string) => void

  /** `reason`: why the caller does it, for the audit. `warned` hears what the server says of a write that it took. */
  constructor(endpoint: Endpoint, reason?: string, warned: (text: string) => void = () => {}) {
    this.endpoint = endpoint
    this.#warned = warned
    this.#reason = reason && encodeURIComponent(reason)
  }

  /** Path of a kind, `name` optional. `team` undefined: a cluster kind, or over all teams. */
  path(plural: string, team?: string, name?: string): string {
    const base = team === undefined ? `${group}/${plural}` : `${group}/namespaces/${encodeURIComponent(team)}/${plural}`
    return name === undefined ? base : `${base}/${encodeURIComponent(name)}`
  }

  async json<T>(call: Call): Promise<T> {
    const response = await this.open(call)
    return JSON.parse((await readText(response)) || 'null') as T
  }

  get<R = Resource>(plural: string, team: string | undefined, name: string): Promise<R> {
    return this.json<R>({ path: this.path(plural, team, name) })
  }

  async list<R = Resource>(plural: string, team: string | undefined, search = ''): Promise<R[]> {
    const list = await this.json<ResourceList<R>>({ path: `${this.path(plural, team)}${search}` })
    return list.items
  }

  /** JSON merge patch: `null` removes. */
  merge<R = Resource>(plural: string, team: string | undefined, name: string, patch: unknown): Promise<R> {
    return this.json<R>({ method: 'PATCH', path: this.path(plural, team, name), body: patch, type: 'application/merge-patch+json' })
  }

  async *lines<T>(call: Call): AsyncGenerator<T> {
    const response = await this.open(call)
    response.setEncoding('utf8')
    let rest = ''
    for await (const chunk of response as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop()!
      for (const part of parts) if (part) yield JSON.parse(part) as T
    }
  }

  /** The answer as it arrives; refusals become the coded error that the server sent. */
  open({ method = 'GET', path, body, stream, type, headers = {}, signal }: Call): Promise<IncomingMessage> {
    const { url, token } = this.endpoint
    const target = new URL(path, url)
    const payload = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const outgoing = send(target, {
        method,
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'user-agent': 'pavior-cli',
          ...(this.#reason ? { 'pavior-reason': this.#reason } : {}),
          ...(payload || stream ? { 'content-type': type ?? 'application/json' } : {}),
          ...(payload ? { 'content-length': payload.length } : {}),
          ...headers,
        },
      })
      let answered = false
      outgoing.on('response', (response) => {
        answered = true
        for (const text of warningsOf(response)) this.#warned(text)
        if ((response.statusCode ?? 500) < 400) return resolve(response)
        readText(response)
          .then((text) => reject(refusal(text, response.statusCode ?? 500)), reject)
          // What was refused half-way is not sent to its end.
          .finally(() => stream && outgoing.destroy())
      })
      outgoing.on('error', (error) => {
        if (!answered) reject(unreachable(url, error))
      })
      if (stream) {
        stream.on('error', (error) => outgoing.destroy(error))
        stream.pipe(outgoing)
      } else outgoing.end(payload)
    })
  }

  /** One request whose body and answer are open at the same time. */
  duplex(path: string): { input: Writable; output: Promise<IncomingMessage> } {
    const { url, token } = this.endpoint
    const target = new URL(path, url)
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = send(target, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' } })
    const output = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', (response) => {
        if ((response.statusCode ?? 500) < 400) resolve(response)
        else readText(response).then((text) => reject(refusal(text, response.statusCode ?? 500)), reject)
      })
      outgoing.on('error', (error) => reject(unreachable(url, error)))
    })
    outgoing.flushHeaders()
    return { input: outgoing, output }
  }
}

export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The server's Status carries our own error object. */
/** `299 - "text"`, as Kubernetes sends them. */
function warningsOf({ headers }: IncomingMessage): string[] {
  return [...(headers.warning ?? '').matchAll(/299 - "((?:[^"\\\\]|\\\\.)*)"/g)].map(([, text]) => text!.replaceAll(/\\(.)/g, '$1'))
}

function refusal(text: string, status: number): Error {
  try {
    const body = JSON.parse(text) as { message?: string; details?: { pavior?: ErrorObject } }
    const known = body.details?.pavior
    if (known) {
      const { code, ...details } = known
      return new PaviorError(code, details)
    }
    return fail('INTERNAL', { message: body.message ?? `The server answered ${status}.` })
  } catch {
    return fail('SERVER_UNREACHABLE', { message: `The server answered ${status} with something that is not Pavior's.`, why: text.slice(0, 200) })
  }
}

function unreachable(url: string, error: Error): Error {
  if (error.name === 'AbortError') return error
  return fail('SERVER_UNREACHABLE', { message: `The Pavior server at ${url} does not answer.`, why: error.message }, { cause: error })
}
