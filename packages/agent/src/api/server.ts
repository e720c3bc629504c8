/** The agent's HTTP interface on its unix socket. The protocol is described in `contract/src/agent.ts`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { fail, type AgentEvent, type ObservedState, type RequestRecords, type RequestSpans } from '@pavior/contract'
import type { EventHub } from '../events.ts'
import type { LogCollector } from '../logs/collector.ts'
import { readLines } from '../logs/reader.ts'
import type { LogStore } from '../logs/store.ts'
import type { AgentSettings } from '../settings.ts'
import type { Supervisor } from '../supervisor.ts'
import { askInTurn } from '../synthetic.ts'
import type { Tasks } from '../tasks.ts'
import { attach, attachProtocol, refuseUpgrade } from './attach.ts'
import { checkDesired, checkFaults, checkId, checkLogsWanted, checkTask } from './body.ts'
import { readCount, readFlag, readJson, sendError, sendJson, sendText, startLines, writeFully } from './http.ts'

export interface ApiParts {
  settings: AgentSettings
  supervisor: Supervisor
  tasks: Tasks
  logs: LogStore
  collector: LogCollector
  events: EventHub
  log: Logger
  observed: () => ObservedState
  metrics: () => string
  requests: (after: number) => RequestRecords
  spans: (after: number) => RequestSpans
  /** Ends the agent. */
  stop: (options: { instances: boolean }) => Promise<void>
}

interface Call {
  request: IncomingMessage
  response: ServerResponse
  query: URLSearchParams
  id: string
}

type Handler = (call: Call) => void | Promise<void>

/** Between SIGTERM and SIGKILL when a cancel does not say. */
const defaultCancelGraceMs = 5000
/** Of one call. */
const syntheticRequestsMax = 10_000
const syntheticTimeoutMs = 5000

export interface Api {
  /** Does not listen yet. */
  server: Server
  /** Ends every connection, those included that were upgraded and that the server does not count any more. */
  closeAllConnections: () => void
}

/** Builds the server. */
export function createApi(parts: ApiParts): Api {
  const handlers = createHandlers(parts)
  const attached = new Set<Duplex>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://agent')
    const [, first = '', id = '', ...rest] = pathname.split('/').map(decodeURIComponent)
    const name = `${request.method} /${[first, id && ':id', ...rest].filter(Boolean).join('/')}`
    const handler = handlers[name]
    Promise.resolve()
      .then(() => {
        if (!handler)
          throw fail('NOT_FOUND', {
            message: `There is no ${request.method} ${pathname} here.`,
            fix: 'Use a server of the same version as the agent.',
          })
        return handler({ request, response, query: searchParams, id: id && checkId(id) })
      })
      .catch((error: unknown) => {
        parts.log.debug({ call: name, error: String(error) }, 'request failed')
        sendError(response, error)
      })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    attached.add(socket)
    socket.once('close', () => attached.delete(socket))
    upgrade(parts, request, socket as Socket, head)
  })
  // Watches and logs may be silent for as long as they like.
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  return {
    server,
    closeAllConnections: () => {
      server.closeAllConnections()
      attached.forEach((socket) => socket.destroy())
    },
  }
}

function createHandlers(parts: ApiParts): Record<string, Handler> {
  const { supervisor, tasks, settings } = parts
  return {
    'PUT /desired': async ({ request, response }) => {
      supervisor.accept(checkDesired(await readJson(request, settings.bodyBytes)))
      sendJson(response, 200, { generation: supervisor.generation })
    },
    'GET /observed': ({ query, response }) => {
      if (readFlag(query, 'watch')) watch(parts, response)
      else sendJson(response, 200, parts.observed())
    },
    'PUT /tasks/:id': async ({ request, response, id }) =>
      sendJson(response, 200, tasks.start(id, checkTask(await readJson(request, settings.bodyBytes)))),
    'GET /tasks/:id': ({ response, id }) => sendJson(response, 200, tasks.get(id).status()),
    'POST /tasks/:id/cancel': ({ query, response, id }) => {
      const task = tasks.get(id)
      task.cancel(readCount(query, 'graceMs') ?? defaultCancelGraceMs)
      sendJson(response, 200, task.status())
    },
    'DELETE /tasks/:id': ({ response, id }) => {
      tasks.forget(id)
      sendJson(response, 200, {})
    },
    'POST /logs': async ({ request, response }) => {
      const wanted = checkLogsWanted(await readJson(request, settings.bodyBytes))
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      sendJson(response, 200, await parts.collector.collect(wanted, gone.signal))
    },
    'GET /logs/:id': (call) => sendLog(parts, call),
    'POST /sets/:id/requests': async ({ query, response, id }) => {
      const path = query.get('path') ?? '/'
      if (!/^\/[\x21-\x7e]*$/.test(path)) throw fail('BAD_REQUEST', 'path must begin with / and have no blanks.')
      const count = Math.min(readCount(query, 'count') ?? 1, syntheticRequestsMax)
      supervisor.sleepers.wakeFor(id)
      sendJson(response, 200, await askInTurn(supervisor.portsOf(id), path, count, syntheticTimeoutMs))
    },
    'POST /sets/:id/sleep': async ({ response, id }) => {
      await supervisor.sleepers.sleepNow(id)
      sendJson(response, 200, {})
    },
    'POST /sets/:id/wake': ({ response, id }) => {
      supervisor.sleepers.wakeNow(id)
      sendJson(response, 200, {})
    },
    'PUT /faults': async ({ request, response }) => {
      supervisor.faults.accept(checkFaults(await readJson(request, settings.bodyBytes)))
      sendJson(response, 200, supervisor.faults.reports())
    },
    'GET /faults': ({ response }) => sendJson(response, 200, supervisor.faults.reports()),
    'GET /requests': ({ query, response }) => sendJson(response, 200, parts.requests(readCount(query, 'after') ?? 0)),
    'GET /spans': ({ query, response }) => sendJson(response, 200, parts.spans(readCount(query, 'after') ?? 0)),
    'GET /healthz': ({ response }) =>
      sendJson(response, 200, { ok: true, generation: supervisor.generation, routedGeneration: supervisor.routedGeneration }),
    'GET /metrics': ({ response }) => sendText(response, parts.metrics()),
    'POST /stop': async ({ query, response }) => {
      await parts.stop({ instances: readFlag(query, 'instances') })
      sendJson(response, 200, {})
    },
  }
}

/** Sends the whole state, then every change. A watcher that does not keep up loses its connection and begins anew. */
function watch(parts: ApiParts, response: ServerResponse): void {
  const { events, settings } = parts
  startLines(response)
  const send = (event: AgentEvent) => {
    response.write(`${JSON.stringify(event)}\n`)
    if (response.writableLength > settings.watcherBufferBytes) response.destroy()
  }
  // What is pending is part of the state that is sent now.
  events.flush()
  send({ type: 'state', state: parts.observed() })
  const stopListening = events.listen(send)
  const alive = setInterval(() => send({ type: 'alive' }), settings.aliveIntervalMs)
  response.once('close', () => {
    stopListening()
    clearInterval(alive)
  })
}

async function sendLog(parts: ApiParts, { query, response, id }: Call): Promise<void> {
  const log = parts.logs.find(id)
  if (!log)
    throw fail('NOT_FOUND', { message: `There is no log of ${id}.`, fix: 'Logs of instances that are gone are deleted after a while.' })
  const since = query.get('since')
  const sinceMs = since === null ? undefined : Date.parse(since)
  if (Number.isNaN(sinceMs)) throw fail('BAD_REQUEST', 'since must be a time in ISO 8601.')
  const options = { offset: readCount(query, 'offset'), tail: readCount(query, 'tail'), sinceMs, follow: readFlag(query, 'follow') }
  startLines(response)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  for await (const lines of readLines(log, { ...options, signal: gone.signal })) {
    if (lines.length > 0 && !(await writeFully(response, lines.map((line) => `${JSON.stringify(line)}\n`).join('')))) return
  }
  response.end()
}

function upgrade(parts: ApiParts, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://agent')
  const id = /^\/tasks\/([^/]+)\/attach$/.exec(pathname)?.[1]
  Promise.resolve()
    .then(() => {
      if (id === undefined || request.method !== 'POST' || request.headers.upgrade !== attachProtocol)
        throw fail('NOT_FOUND', `There is nothing to attach to at ${pathname}.`)
      return attach(parts.tasks.get(checkId(decodeURIComponent(id))), parts.logs, socket, head, readCount(searchParams, 'offset') ?? 0)
    })
    .catch((error: unknown) => refuseUpgrade(socket, error))
}
