/** Real routers, instances and clients for the tests of the router. Everything started here ends with `cleanUp()`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import * as http from 'node:http'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { build, type OutputFile } from 'esbuild'
import { startRouter, type Router, type RouterOptions, type RouterSet, type RouterTable } from '../../src/router/index.ts'

const cleanups: (() => unknown)[] = []

/** Ends what the test started, last first. */
export async function cleanUp(): Promise<void> {
  for (const end of cleanups.splice(0).reverse()) await end()
}

export function atEnd(end: () => unknown): void {
  cleanups.push(end)
}

let bundles: Promise<OutputFile[]> | undefined

/** A new directory with door and worker as one file each, as the product ships them: `router.mjs` and `router-worker.mjs`. */
export async function bundle(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-router-'))
  atEnd(() => rmSync(directory, { recursive: true }))
  const sourceOf = (name: string): string => new URL(`../../src/router/${name}.ts`, import.meta.url).pathname
  bundles ??= build({
    entryPoints: { router: sourceOf('index'), 'router-worker': sourceOf('worker') }, outdir: directory, outExtension: { '.js': '.mjs' },
    bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning', write: false,
  }).then((result) => result.outputFiles)
  for (const { path, contents } of await bundles) writeFileSync(join(directory, basename(path)), contents)
  return directory
}

export const quietLog = {
  info: (): void => {}, warn: (): void => {}, error: (facts: object, message: string): void => console.error(message, facts),
}

export async function testRouter(options: Partial<RouterOptions> = {}): Promise<Router> {
  const workerEntry = join(await bundle(), 'router-worker.mjs')
  const settings = { closeGraceMs: 500, ...options.settings }
  const router = await startRouter({ port: 0, host: '127.0.0.1', workers: 1, log: quietLog, workerEntry, ...options, settings })
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
    const target = { host: '127.0.0.1', port: router.port, path, headers: { host, ...headers } }
    const request = http.request({ agent: false, ...rest, ...target }, (response) => {
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

/** A router with one table: these sets, by default on one route to all of them. */
export async function routerTo(sets: RouterSet[], routes?: TestRoute[]): Promise<Router> {
  const router = await testRouter()
  await router.update(tableOf(sets, routes))
  return router
}

/** A release of one instance that answers with its name. */
export async function namedApp(name: string): Promise<RouterSet> {
  const app = await testApp((_, response) => response.end(name))
  return setOf(name, [app.port])
}

/** A connection pool of one client that keeps its connection. */
export function keepAliveAgent(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  atEnd(() => agent.destroy())
  return agent
}

/** An instance that answers every connection's first request with these bytes. */
export async function answering(bytes: string, end = true): Promise<RouterSet> {
  const { port } = await rawApp((socket) => {
    socket.once('data', () => {
      socket.write(bytes, 'latin1')
      if (end) socket.end()
    })
  })
  return setOf('raw', [port])
}
