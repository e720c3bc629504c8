/** What the service answers. It knows nothing of ports and signals, so that tests can call it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { jobs } from './jobs.js'

export interface Answer {
  status: number
  body: unknown
}

type Handler = (request: IncomingMessage) => Promise<Answer> | Answer

const routes: Record<string, Handler> = {
  'GET /': () => ({ status: 200, body: { service: '${{ values.name }}', release: process.env.PAVIOR_RELEASE ?? 'local' } }),
  'GET /healthz': () => ({ status: 200, body: { status: 'ok' } }),
  'GET /jobs': () => ({ status: 200, body: jobs.map(({ name, everyMs, timeoutMs }) => ({ name, everyMs, timeoutMs })) }),
}

/** Answers with JSON; an error of a handler becomes a plain 500 and is thrown on for the log. */
export async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const handler = routes[`${request.method} ${url.pathname}`]
  try {
    const { status, body } = handler ? await handler(request) : { status: 404, body: { error: `There is no ${request.method} ${url.pathname}.` } }
    send(response, status, body)
  } catch (error) {
    send(response, 500, { error: 'The request could not be answered.' })
    throw error
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
