/** Calls of the API in the name of who is signed in. The cookie goes by itself; changes carry the value that proves they come from here. */
import type { ErrorObject, Resource } from '@pavior/contract'

/** As the catalogue of errors has it; the portal adds codes of its own for what never reached the server. */
export type Details = Omit<ErrorObject, 'code'> & { code: string }

/** A refusal or failure as the API tells it: code, what happened, why, what to do. */
export class ApiError extends Error {
  readonly status: number
  readonly details: Details

  constructor(status: number, { message, reason, details }: StatusBody) {
    super(message ?? `The server answered ${status}.`)
    this.status = status
    this.details = details?.pavior ?? { code: reason ?? String(status), message: this.message, fix: '' }
  }

  get code(): string {
    return this.details.code
  }
}

interface StatusBody {
  message?: string
  reason?: string
  details?: { pavior?: Details }
}

let csrf = ''
let signedOut: () => void = () => {}

/** From the session, before the first change. */
export function setCsrf(value: string): void {
  csrf = value
}

/** What to do when the session has ended. */
export function onSignedOut(handle: () => void): void {
  signedOut = handle
}

export interface CallOptions {
  body?: unknown
  type?: string
  /** Another form of the answer, for example a Table. */
  accept?: string
  signal?: AbortSignal
}

export async function call<T>(method: string, path: string, { body, type = 'application/json', accept = 'application/json', signal }: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { accept }
  if (method !== 'GET') headers['x-csrf-token'] = csrf
  if (body !== undefined) headers['content-type'] = type
  const payload = body === undefined ? undefined : typeof body === 'string' || body instanceof Blob ? body : JSON.stringify(body)
  const response = await fetch(path, { method, headers, ...(payload === undefined ? {} : { body: payload }), signal: signal ?? null }).catch((error: Error) => {
    if (error.name === 'AbortError') throw error
    const message = 'The server does not answer.'
    throw new ApiError(0, { message, details: { pavior: { code: 'UNREACHABLE', message, why: error.message, fix: 'Wait a moment; the page goes on by itself when the server is back.' } } })
  })
  const text = await response.text()
  const parsed = parse(text)
  if (response.ok) return parsed as T
  if (response.status === 401 && path !== '/v1/session') signedOut()
  throw new ApiError(response.status, (parsed ?? {}) as StatusBody)
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>('GET', path, signal ? { signal } : {})
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>('POST', path, { body })
export const put = <T>(path: string, body?: unknown): Promise<T> => call<T>('PUT', path, { body })
export const remove = <T>(path: string, body?: unknown): Promise<T> => call<T>('DELETE', path, { body })
/** JSON merge patch (RFC 7396) of a resource. */
export const patch = <T = Resource>(path: string, body: unknown): Promise<T> => call<T>('PATCH', path, { body, type: 'application/merge-patch+json' })

/** Sends JSON and hands over each line of the answer as it comes. */
export async function postLines<T>(path: string, body: unknown, take: (line: T) => void, signal: AbortSignal): Promise<void> {
  const response = await fetch(path, { method: 'POST', headers: { accept: 'application/json', 'content-type': 'application/json', 'x-csrf-token': csrf }, body: JSON.stringify(body), signal })
  if (!response.ok || !response.body) throw new ApiError(response.status, (parse(await response.text()) ?? {}) as StatusBody)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line !== '') take(JSON.parse(line) as T)
  }
}

/** Path of a collection or of one resource; `team` undefined is every team, or a kind without one. */
export function resourcePath(plural: string, team?: string, name?: string, subresource?: string): string {
  const parts = ['/apis/pavior.dev/v1', ...(team === undefined ? [] : ['namespaces', team]), plural, ...(name === undefined ? [] : [name]), ...(subresource === undefined ? [] : [subresource])]
  return parts.map((part, index) => (index === 0 ? part : encodeURIComponent(part))).join('/')
}
