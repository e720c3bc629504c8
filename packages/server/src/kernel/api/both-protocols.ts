/** One port for HTTP and HTTPS: the first byte of a connection says which it is. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Certificate } from './certificate.ts'

/** First byte of a TLS handshake; no HTTP method begins with it. */
const tlsHandshake = 0x16

export interface ServerTimeouts {
  headersTimeoutMs: number
  requestTimeoutMs: number
  keepAliveTimeoutMs: number
}

const longestCheckingIntervalMs = 5000

/** How often Node looks for connections that are too slow; its own 30 s would make every time-out that much longer. */
export function checkingIntervalMs({ headersTimeoutMs }: Pick<ServerTimeouts, 'headersTimeoutMs'>): number {
  return Math.min(longestCheckingIntervalMs, headersTimeoutMs)
}

export function createServerForBoth(handler: RequestListener, certificate: Certificate, timeouts: ServerTimeouts): Server {
  const { headersTimeoutMs, requestTimeoutMs, keepAliveTimeoutMs } = timeouts
  const options = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: checkingIntervalMs(timeouts),
  }
  const server = createHttpServer(options, handler)
  const secure = createHttpsServer({ ...options, ...certificate, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }, handler)
  const [plain] = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')

  const undecided = new Set<Socket>()
  const encrypted = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    const drop = (): void => void socket.destroy()
    const timer = setTimeout(drop, headersTimeoutMs)
    const decide = (): void => {
      clearTimeout(timer)
      undecided.delete(socket)
      socket.off('readable', peek).off('end', drop).off('error', drop).off('close', decide)
    }
    const peek = (): void => {
      const first = socket.read(1) as Buffer | null
      if (first === null) return
      decide()
      socket.unshift(first)
      if (first[0] === tlsHandshake) secureConnection(socket)
      else plain!.call(server, socket)
    }
    undecided.add(socket)
    socket.on('readable', peek).on('end', drop).on('error', drop).on('close', decide)
  })

  const secureConnection = (socket: Socket): void => {
    // Sockets of an HTTP server may stay half open, those of a TLS server may not.
    socket.allowHalfOpen = false
    encrypted.add(socket)
    socket.once('close', () => encrypted.delete(socket))
    secure.emit('connection', socket)
  }

  server.on('listening', () => {
    // It never listens itself, but its time-outs and its list of connections begin there.
    secure.emit('listening')
    for (const event of ['upgrade', 'clientError']) {
      if (server.listenerCount(event) > 0) secure.on(event, (...details: unknown[]) => server.emit(event, ...details))
    }
  })
  const closeIdle = server.closeIdleConnections.bind(server)
  const closeAll = server.closeAllConnections.bind(server)
  server.closeIdleConnections = () => {
    closeIdle()
    secure.closeIdleConnections()
    for (const socket of undecided) socket.destroy()
  }
  server.closeAllConnections = () => {
    closeAll()
    for (const socket of [...undecided, ...encrypted]) socket.destroy()
  }
  return server
}
