/** Real routers, instances and clients for the tests of the router. Everything started here ends with `cleanUp()`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import * as http from 'node:http'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { startRouter, type Router, type RouterOptions, type RouterSet, type RouterTable } from '../../src/router/index.ts'

const cleanups: (() => unknown)[] = []

/** Ends what the test started, last first. */
export async function cleanUp(): Promise<void> {
  for (const end of cleanups.splice(0).reverse()) await end()
}

export function atEnd(end: () => unknown): void {
  cleanups.push(end)
}

let bundled: Promise<string> | undefined

/** The worker as one file, as the product ships it. */
function workerBundle(): Promise<string> {
  bundled ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pavior-router-'))
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
    const outfile = join(directory, 'router-worker.mjs')
    const entry = new URL('../../src/router/worker.ts', import.meta.url).pathname
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning' })
    return outfile
  })()
  return bundled
}

export const quietLog = { info: (): void => {}, warn: (): void => {}, error: (facts: object, message: string): void => console.error(message, facts) }

export async function testRouter(options: Partial<RouterOptions> = {}): Promise<Router> {
  const router = await startRouter({ port: 0, host: '127.0.0.1', workers: 1, log: quietLog, workerEntry: await workerBundle(), ...options, settings: { closeGraceMs: 500, ...options.settings } })
  atEnd(() => router.close())
  return router
}

export interface TestApp {
  server: Server
  port: number
  requests: IncomingMessage[]
}

/** A real instance. */
export async function testApp(listener?: RequestListener): Promise<TestApp> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    if (listener) return listener(request, response)
    response.end(`hello from ${(server.address() as net.AddressInfo).port}`)
  })
  const port = await listen(server)
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port, requests }
}

/** An instance that speaks whatever bytes it likes. */
export async function rawApp(onConnection: (socket: net.Socket) => void): Promise<{ server: net.Server; port: number }> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  const port = await listen(server)
  atEnd(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, port }
}

export function listen(server: net.Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port))
  })
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

let generation = 0
const owner = { team: 'payments', app: 'checkout-api', environment: 'production' }

export function setOf(id: string, ports: number[], more: Partial<RouterSet> = {}): RouterSet {
  const endpoints = ports.map((port) => ({ instance: `${id}-${port}`, host: '127.0.0.1' as const, port }))
  return { id, ...owner, release: 1, process: 'web', endpoints, ...more }
}

export interface TestRoute {
  host?: string
  path?: string
  backends?: Record<string, number>
  timeoutMs?: number
}

/** A table of the next generation. By default one route of host `app.test` to all sets alike. */
export function tableOf(sets: RouterSet[], routes: TestRoute[] = [{}]): RouterTable {
  generation++
  return {
    generation, sets,
    routes: routes.map(({ host = 'app.test', path = '/', backends, timeoutMs = 10_000 }, index) => ({
      id: `route-${index}`, ...owner, host, path, requestTimeoutMs: timeoutMs,
      backends: Object.entries(backends ?? Object.fromEntries(sets.map((set) => [set.id, 100]))).map(([set, weight]) => ({ set, weight })),
    })),
  }
}

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  rawHeaders: string[]
  trailers: NodeJS.Dict<string>
  body: string
}

export interface CallOptions extends http.RequestOptions {
  host?: string
  body?: string | Buffer
}

/** One request through the router, by default for host `app.test`, on a connection of its own unless an agent is given. */
export function call(router: Router, path = '/', options: CallOptions = {}): Promise<Answer> {
  const { host = 'app.test', body, headers, ...rest } = options
  return new Promise((resolve, reject) => {
    const request = http.request({ agent: false, ...rest, host: '127.0.0.1', port: router.port, path, headers: { host, ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({
        status: response.statusCode!, headers: response.headers, rawHeaders: response.rawHeaders, trailers: response.trailers,
        body: Buffer.concat(chunks).toString(),
      }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** A client that says bytes and hears bytes. */
export class RawClient {
  readonly socket: net.Socket
  received = ''
  readonly ended: Promise<string>
  private readonly listeners = new Set<() => void>()

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      for (const listener of this.listeners) listener()
    })
    this.socket.on('error', () => this.socket.destroy())
    this.ended = new Promise((resolve) => {
      this.socket.once('end', () => resolve(this.received))
      this.socket.once('close', () => resolve(this.received))
    })
    atEnd(() => this.socket.destroy())
  }

  send(text: string | Buffer): this {
    this.socket.write(text as string, 'latin1')
    return this
  }

  /** Resolves when the pattern was received; rejects when the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    if (pattern.test(this.received)) return this.received
    await Promise.race([
      new Promise<void>((resolve) => this.listeners.add(() => { if (pattern.test(this.received)) resolve() })),
      this.ended.then((text) => { if (!pattern.test(text)) throw new Error(`ended without ${pattern}: ${text}`) }),
    ])
    return this.received
  }
}

export function rawClient(router: Router): RawClient {
  return new RawClient(router.port)
}

/** A promise with its resolver, for signals between instance and test. */
export function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((given) => { resolve = given })
  return { promise, resolve }
}
