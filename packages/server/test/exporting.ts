/** For tests: telemetry in a database of its own, a server that exports it, and receivers on free ports. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { promisify } from 'node:util'
import type { Resource, Span, TelemetryExportSpec, TelemetryExportStatus } from '@pavior/contract'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import { tester, testKernel, type TestKernel } from './kernel.ts'
import { exporters } from '../src/drivers/exporters/index.ts'
import { createEventRecorder } from '../src/kernel/audit/events.ts'
import { systemClock, type Clock } from '../src/kernel/clock.ts'
import { makePartitions, upcoming } from '../src/kernel/db/partitions.ts'
import { createLog } from '../src/kernel/log.ts'
import { createExports, telemetryExport, type Exports, type ExportsDeps } from '../src/rooms/telemetry/exports/index.ts'
import { statusOf } from '../src/rooms/telemetry/exports/plan.ts'
import { dueStreams, progressOf } from '../src/rooms/telemetry/exports/store.ts'
import { logsOn, type TestLogs } from '../src/rooms/telemetry/logs/testing.ts'
import { serverOn } from '../src/rooms/telemetry/metrics/testing.ts'
import { insertSpans, recent } from '../src/rooms/telemetry/traces/store.ts'

const log = createLog(process.env.PAVIOR_TEST_LOG ?? 'silent', 'test')
const close = (server: ReturnType<typeof createServer>): Promise<void> => promisify(server.close.bind(server))().then(() => undefined, () => undefined)

export interface TakenBytes {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Receiver {
  url: string
  taken: TakenBytes[]
  answer: (taken: TakenBytes, response: ServerResponse) => void
}

/** Takes whatever it is sent, unpacked when it was packed by gzip. */
export async function receiver(): Promise<Receiver> {
  const it: Receiver = { url: '', taken: [], answer: (_taken, response) => void response.writeHead(204).end() }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const taken = { path: request.url!, headers: request.headers, body: request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body }
      it.taken.push(taken)
      it.answer(taken, response)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await close(server)
  })
  it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return it
}

export interface ExportServer extends Exports {
  logs: TestLogs
  metrics: ReturnType<typeof serverOn>
  /** Looks until there is nothing to send: what others on this database server have open may hold it up. */
  look(): Promise<void>
  /** Looks once. */
  lookOnce(): Promise<void>
}

export interface ExportWorld extends TestKernel {
  make(name: string, spec: Partial<TelemetryExportSpec>, team?: string): Promise<void>
  /** State and message as they are written, figures as they are now: those are written every now and then only. */
  status(name: string): Promise<Omit<TelemetryExportStatus, 'state' | 'message'> & { [K in 'state' | 'message']: TelemetryExportStatus[K] | undefined }>
  /** Another server on the same database. */
  server(over?: Partial<ExportsDeps>): Promise<ExportServer>
  storeSpans(server: ExportServer, spans: readonly Span[]): Promise<void>
}

export const span = (number: number, over: Partial<Span> = {}): Span => ({
  traceId: number.toString(16).padStart(32, '0'), spanId: number.toString(16).padStart(16, '0'), team: 'blue', app: 'shop', environment: 'production', name: `work ${number}`, kind: 'internal', atMs: Date.now(), durationMs: 5, failed: false, attributes: {}, events: [], links: [], ...over,
})

/** Lines as an app sends them, of `shop` of team blue unless it is said otherwise. */
export async function sendLines({ logs }: ExportServer, texts: readonly string[], owner = { team: 'blue', app: 'shop', environment: 'production' }): Promise<void> {
  const at = BigInt(Date.now()) * 1_000_000n
  const logRecords = texts.map((text) => ({ timeUnixNano: String(at), severityNumber: 9, body: { stringValue: text }, attributes: [{ key: 'items', value: { stringValue: '3' } }] }))
  await logs.logs.signal.take([{ owner, attributes: new Map(), content: { scopeLogs: [{ scope: {}, logRecords }] } }])
}

export async function exportWorld(secrets: Record<string, string> = {}): Promise<ExportWorld> {
  const kernel = await testKernel([telemetryExport])
  const { database, resources } = kernel
  await makePartitions(database, recent, upcoming(recent, Date.now()))
  const stopped = new AbortController()
  onTestFinished(() => stopped.abort())
  const server = async (over: Partial<ExportsDeps> & { clock?: Clock } = {}): Promise<ExportServer> => {
    const exports = createExports({ database, resources, events: createEventRecorder(database), exporters, openSecret: async ({ secret }) => secrets[secret], audit: async () => {}, registry: new Registry(), clock: systemClock, log, ...over })
    await exports.first.start(stopped.signal)
    const metrics = serverOn(database, {})
    onTestFinished(() => metrics.ingest.stop())
    return { ...exports, metrics, logs: logsOn(database, {}, systemClock, undefined, exports.queue.lines), lookOnce: () => exports.part.once(stopped.signal), look: async () => {
      do await exports.part.once(stopped.signal)
      while ((await dueStreams(database, 'nobody')).length > 0)
    } }
  }
  const waiters: ExportServer[] = []
  return {
    ...kernel,
    make: async (name, spec, team = 'blue') => {
      const made = await resources.create(tester, 'TelemetryExport', team, { metadata: { name }, spec: spec as never })
      for (const one of waiters) await (one.first as unknown as { reached(version: string, ms: number): Promise<void> }).reached(made.metadata.resourceVersion, 10_000)
      for (const one of waiters) await one.look()
    },
    status: async (name) => {
      const { metadata, status } = await resources.mustGet<Resource<TelemetryExportSpec, TelemetryExportStatus>>(tester, { kind: 'TelemetryExport', namespace: 'blue', name })
      return { ...statusOf(await progressOf(database, metadata.uid), new Date()), state: status?.state, message: status?.message }
    },
    server: async (over) => {
      const one = await server(over)
      waiters.push(one)
      return one
    },
    storeSpans: ({ queue }, spans) => database.transaction(async (tx) => {
      await insertSpans(tx, spans)
      await queue.spans(tx, spans)
    }),
  }
}
