/** HTTP over the agent's unix socket. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { fail, PaviorError, type ErrorObject } from '@pavior/contract'
import { deadline } from '../../kernel/deadline.ts'

const requestTimeoutMs = 30_000
const goneCodes = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'])

export interface AgentCall {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  path: string
  body?: unknown
  /** Streams have no timeout of their own. */
  signal?: AbortSignal
}

export function unavailable(cause: Error): PaviorError {
  return fail('AGENT_UNAVAILABLE', { message: 'The agent on this machine does not answer.', why: cause.message }, { cause })
}

function translate(error: Error): Error {
  return goneCodes.has((error as { code?: string }).code ?? '') || error.name === 'TimeoutError' ? unavailable(error) : error
}

/** The response as it arrives; error statuses become the coded error that the agent sent. */
export function openStream(socketPath: string, { method, path, body, signal }: AgentCall): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    const request = httpRequest({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      if ((response.statusCode ?? 500) < 400) resolve(response)
      else readText(response).then((text) => reject(remoteError(text, response.statusCode ?? 500)), reject)
    })
    request.on('error', (error) => reject(translate(error)))
    request.end(payload)
  })
}

export async function callAgent<T>(socketPath: string, call: AgentCall): Promise<T> {
  const { signal, clear } = deadline(requestTimeoutMs, call.signal)
  try {
    const text = await readText(await openStream(socketPath, { ...call, signal })).catch((error: Error) => {
      throw translate(error)
    })
    return (text ? JSON.parse(text) : undefined) as T
  } finally {
    clear()
  }
}

/** Switches the connection over to raw bytes. */
export function upgradeTo(socketPath: string, path: string, protocol: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method: 'POST', path, headers: { connection: 'Upgrade', upgrade: protocol }, agent: false })
    request.on('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    request.on('response', (response) => {
      readText(response).then((text) => reject(remoteError(text, response.statusCode ?? 500)), reject)
    })
    request.on('error', (error) => reject(translate(error)))
    request.end()
  })
}

/** Splits a stream into JSON documents, one a line. */
export async function* jsonLines<T>(stream: IncomingMessage): AsyncGenerator<T> {
  let rest = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line) yield JSON.parse(line) as T
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function remoteError(text: string, status: number): Error {
  try {
    const { error } = JSON.parse(text) as { error: ErrorObject }
    const { code, ...details } = error
    return new PaviorError(code, details)
  } catch {
    return fail('AGENT_UNAVAILABLE', { message: `The agent answered ${status}.`, why: text.slice(0, 300) })
  }
}
