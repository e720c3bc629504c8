/** HTTP and WebSocket on one port: `/rooms/<name>` is a socket, `/` a page to try it. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { WebSocketServer, type WebSocket } from 'ws'
import { log } from './log.js'
import { Rooms } from './rooms.js'

const largestMessageBytes = 16 * 1024
/** A reader that lags behind this far is let go: its backlog would fill our memory. */
const largestBacklogBytes = 1024 * 1024
const heartbeatMs = 30_000
/** Service restart: clients come back at once. */
const restartCode = 1012

const page = readFileSync(new URL('../../public/index.html', import.meta.url))

export interface Realtime {
  http: Server
  /** Says goodbye to everybody and resolves when all are gone. */
  stop(): Promise<void>
}

export function createRealtime(): Realtime {
  const rooms = new Rooms()
  const sockets = new WebSocketServer({ noServer: true, maxPayload: largestMessageBytes })
  const http = createServer((request, response) => {
    const path = request.url?.split('?')[0]
    if (path === '/healthz') return response.setHeader('content-type', 'application/json').end('{"status":"ok"}')
    if (path === '/') return response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error: `There is no ${path}.` }))
  })
  http.on('upgrade', (request, socket, head) => {
    const room = /^\/rooms\/([a-z0-9-]{1,40})$/.exec(request.url ?? '')?.[1]
    if (room === undefined) return socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    sockets.handleUpgrade(request, socket, head, (client) => welcome(rooms, room, client))
  })
  const heartbeat = setInterval(() => sockets.clients.forEach(checkAlive), heartbeatMs)
  return {
    http,
    stop: async () => {
      clearInterval(heartbeat)
      for (const client of sockets.clients) client.close(restartCode, 'The service restarts.')
      await new Promise<void>((resolve) => http.close(() => resolve()))
    },
  }
}

const silent = new WeakSet<WebSocket>()

/** Who has not answered the last ping is gone. */
function checkAlive(client: WebSocket): void {
  if (silent.has(client)) return client.terminate()
  silent.add(client)
  client.ping()
}

function welcome(rooms: Rooms, room: string, client: WebSocket): void {
  const leave = rooms.join(room, {
    send: (text) => {
      if (client.bufferedAmount > largestBacklogBytes) client.terminate()
      else client.send(text)
    },
  })
  log('info', 'joined', { room, rooms: rooms.count })
  client.on('pong', () => silent.delete(client))
  client.on('message', (data, binary) => {
    if (!binary) rooms.say(room, String(data))
  })
  client.on('error', (error) => log('warn', error.message, { room }))
  client.on('close', (code) => {
    leave()
    log('info', 'left', { room, code })
  })
}
