/** Small pieces of HTTP: bodies in, JSON and lines out, errors with their code. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { errorCatalogue, fail, isPaviorError, type ErrorObject } from '@pavior/contract'

/** Reads a JSON body. Fails with TOO_LARGE or BAD_REQUEST. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw fail('TOO_LARGE', `The body is larger than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw fail('BAD_REQUEST', 'The body is not JSON.')
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

export function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
  response.end(text)
}

export function startLines(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.flushHeaders()
}

/** Writes and waits until the reader has kept up; false when it is gone. */
export async function writeFully(response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false
  if (!response.write(text)) await drained(response)
  return !response.destroyed
}

/** Resolves when the reader has kept up, or is gone. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

/** Any error in the form in which it travels. What has no code is a fault of ours. */
export function toErrorObject(error: unknown): ErrorObject {
  if (isPaviorError(error)) return error.toObject()
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC') return fail('DISK_FULL', 'The disk of the agent is full.').toObject()
  return fail('INTERNAL', {
    message: 'The agent failed at this request.',
    why: error instanceof Error ? error.message : String(error),
  }).toObject()
}

export function sendError(response: ServerResponse, error: unknown): void {
  const object = toErrorObject(error)
  if (response.headersSent) response.destroy()
  else sendJson(response, errorCatalogue[object.code].http, { error: object })
}

/** A whole number of a query, undefined when absent. Fails with BAD_REQUEST. */
export function readCount(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0)
    throw fail('BAD_REQUEST', `${name} must be a whole number that is not negative, not ${text}.`)
  return number
}

export function readFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name)
  return text !== null && text !== 'false' && text !== '0'
}
