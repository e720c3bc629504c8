/**
 * Many streams over one WebSocket: a browser opens six connections to a host at most, and a page watches more than six things.
 *
 * The page asks `{ "open": 1, "path": "/apis/…?watch=1" }` and `{ "close": 1 }`; it gets `{ "id": 1, "lines": [ … ] }` for each
 * bundle of JSON lines, and `{ "id": 1, "end": true, "error"?: Status }` at the end. Every stream is a GET of this same
 * server in the name of whoever opened the socket, so what may be read, and how much, is decided where it always is.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Logger } from '../log.ts'

export const livePath = '/v1/live'
/** Streams of one page. */
const mostStreams = 64
const longestMessageBytes = 8192
/** Unsent bytes from which on a slow page is not given more. */
const highWaterBytes = 1024 * 1024
const pingIntervalMs = 25_000

/** Where this server listens. */
interface Place {
  host: string
  port: number
}

export interface LiveDeps {
  /** Whether this page may use the cookie that its browser sends along. */
  sameOrigin: (request: IncomingMessage) => boolean
  log: Logger
}

export function addLive(app: FastifyInstance, { sameOrigin, log }: LiveDeps): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: longestMessageBytes, perMessageDeflate: false })
  const own = (): Place => {
    const { address, port } = app.server.address() as AddressInfo
    return { host: address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address, port }
  }

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (request.url?.split('?', 1)[0] !== livePath) return refuse(socket, '404 Not Found')
    if (!sameOrigin(request)) return refuse(socket, '403 Forbidden')
    // The first look at who it is; every stream is looked at again.
    const probe = get(own(), '/v1/whoami', request, (response) => {
      response.resume()
      if (response.statusCode !== 200) return refuse(socket, '401 Unauthorized')
      sockets.handleUpgrade(request, socket, head, (page) => serve(page, request, own, log))
    })
    probe.on('error', () => refuse(socket, '503 Service Unavailable'))
  })
  app.addHook('preClose', async () => {
    for (const page of sockets.clients) page.close(1001, 'The server is stopping.')
    sockets.close()
  })
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function get(place: Place, path: string, { headers }: IncomingMessage, answered: (response: IncomingMessage) => void): ClientRequest {
  const { cookie, authorization, host } = headers
  const sent = { ...(cookie === undefined ? {} : { cookie }), ...(authorization === undefined ? {} : { authorization }), ...(host === undefined ? {} : { host }), accept: 'application/json' }
  return httpRequest({ ...place, path, headers: sent, agent: false }, answered).end()
}

function serve(page: WebSocket, opened: IncomingMessage, own: () => Place, log: Logger): void {
  const streams = new Map<number, ClientRequest>()
  const paused = new Set<IncomingMessage>()
  const send = (message: object): void => {
    if (page.readyState !== page.OPEN) return
    page.send(JSON.stringify(message), () => {
      if (page.bufferedAmount < highWaterBytes) for (const response of paused) response.resume()
      if (page.bufferedAmount < highWaterBytes) paused.clear()
    })
  }
  const end = (id: number, error?: unknown): void => {
    streams.get(id)?.destroy()
    if (streams.delete(id)) send({ id, end: true, ...(error === undefined ? {} : { error }) })
  }
  const open = (id: number, path: string): void => {
    streams.get(id)?.destroy()
    const request = get(own(), path, opened, (response) => {
      const failed = response.statusCode !== 200
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop()!
        if (failed || lines.length === 0 || streams.get(id) !== request) return
        // Lines are JSON already, and are not read here.
        if (page.readyState === page.OPEN) page.send(`{"id":${id},"lines":[${lines.filter(Boolean).join(',')}]}`)
        if (page.bufferedAmount > highWaterBytes) paused.add(response.pause())
      })
      response.on('close', () => {
        if (streams.get(id) === request) end(id, failed ? statusOf(rest) : undefined)
      })
    })
    streams.set(id, request)
    request.on('error', () => {
      if (streams.get(id) === request) end(id)
    })
  }

  page.on('message', (data: Buffer) => {
    const message = parse(data.toString())
    if (message?.close !== undefined) return end(message.close)
    if (message?.open === undefined || message.path === undefined) return page.close(1008, 'A message is { "open", "path" } or { "close" }.')
    if (streams.size >= mostStreams && !streams.has(message.open)) return send({ id: message.open, end: true, error: { message: `A page may have ${mostStreams} streams at once.` } })
    open(message.open, message.path)
  })
  let alive = true
  page.on('pong', () => {
    alive = true
  })
  const heartbeat = setInterval(() => {
    if (!alive) return page.terminate()
    alive = false
    page.ping()
  }, pingIntervalMs)
  page.on('close', () => {
    clearInterval(heartbeat)
    for (const request of streams.values()) request.destroy()
    streams.clear()
  })
  page.on('error', (error) => log.debug({ err: error.message }, 'a live connection broke'))
}

interface LiveMessage {
  open?: number
  path?: string
  close?: number
}

function parse(text: string): LiveMessage | undefined {
  try {
    const { open, path, close } = JSON.parse(text) as LiveMessage
    if (Number.isSafeInteger(close)) return { close }
    // A path of this server: what begins with two slashes would name another host.
    return Number.isSafeInteger(open) && typeof path === 'string' && /^\/(?!\/)[\x21-\x7e]*$/.test(path) ? { open, path } : undefined
  } catch {
    return undefined
  }
}

function statusOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { message: 'The stream could not be opened.' }
  }
}
