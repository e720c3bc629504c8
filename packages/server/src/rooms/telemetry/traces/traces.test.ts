import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { RequestSpan, Span } from '@pavior/contract'
import { Registry } from 'prom-client'
import { onTestFinished, describe, expect, test } from 'vitest'
import { appBody, appsPath, testApi, type TestApi } from '../../../../test/api.ts'
import { testDatabase } from '../../../../test/kernel.ts'
import { systemClock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { listPartitions, makePartitions, upcoming } from '../../../kernel/db/partitions.ts'
import { createLog } from '../../../kernel/log.ts'
import { createMetrics } from '../metrics/index.ts'
import { testSenders } from '../metrics/testing-api.ts'
import { day } from '../metrics/testing.ts'
import { intakeRoutes } from '../otlp/intake.ts'
import { encode } from '../otlp/protobuf.ts'
import type { SpanSource } from '../ports.ts'
import { takeSpans } from './collect.ts'
import { createTraces } from './index.ts'
import { sampleOnce } from './sample.ts'
import { findTraces, insertSpans, readTrace, recent } from './store.ts'

const traceId = (number: number): string => number.toString(16).padStart(32, '0')
const spanId = (number: number): string => number.toString(16).padStart(16, '0')
const routerSpan = (sequence: number, over: Partial<RequestSpan> = {}): RequestSpan => ({
  sequence, at: new Date().toISOString(), durationMs: 12.5, sentMs: 1, answeredMs: 12, traceId: traceId(sequence), spanId: spanId(sequence), requestId: `r-${sequence}`, method: 'GET', host: 'shop.test', path: '/',
  status: 200, team: 'blue', app: 'shop', environment: 'production', release: 7, instance: 'shop-web-7-abc', tries: 1, bytesIn: 100, bytesOut: 200, ...over,
})
const storedSpan = (number: number, over: Partial<Span> = {}): Span => ({ traceId: traceId(number), spanId: spanId(number), team: 'blue', app: 'shop', environment: 'production', name: 'work', kind: 'internal', atMs: Date.now(), durationMs: 5, failed: false, attributes: {}, events: [], links: [], ...over })

const noExport = async (): Promise<void> => {}

/** A spool that gives up to two at a time. */
const spool = (records: RequestSpan[]): SpanSource => ({
  name: 'agent',
  spans: async (after) => {
    const batch = records.filter(({ sequence }) => sequence > after).slice(0, 2)
    return { records: batch, last: batch.at(-1)?.sequence ?? Math.min(after, records.at(-1)?.sequence ?? 0) }
  },
})

async function partitioned(): Promise<Database> {
  const database = await testDatabase()
  await sampleOnce(database, { slowMs: 1000, share: 0, keepMs: day }, Date.now())
  return database
}

interface Room {
  api: TestApi
  database: Database
  post(body: unknown, over?: { token?: string; headers?: Record<string, string> }): Promise<{ status: number; json: any }>
}

async function tracesApi(over: { appSpansPerSecond?: number } = {}): Promise<Room> {
  const database = await partitioned()
  const later: { api?: TestApi } = {}
  const resources = { mustGet: (...given: unknown[]) => (later.api!.resources.mustGet as any)(...given), get: (...given: unknown[]) => (later.api!.resources.get as any)(...given), listAll: async () => [] } as never
  const common = { database, resources, clock: systemClock, log: createLog('silent', 'test') }
  const instances = { known: () => [], current: async () => [] }
  const metrics = createMetrics({ ...common, database: database as never, events: { record: async () => {} }, instances, settings: { retention: { rawMs: day, minutesMs: day, hoursMs: day }, appSeries: 10, appPointsPerSecond: 10 }, logRates: { linesPerSecond: 10, bytesPerSecond: 1000 }, registry: new Registry(), serverName: () => 'test:1' })
  onTestFinished(() => metrics.drops.stop())
  const traces = createTraces({ ...common, source: spool([]), drops: metrics.drops, logs: { of: async ({ requestId }) => [{ at: '', app: 'shop', level: 'error', instance: 'i', line: `lost ${requestId}` }] }, usual: async () => 10, settings: { share: 0, slowMs: 1000, keepMs: day, appSpansPerSecond: 1000, ...over }, sendOn: noExport })
  const intake = intakeRoutes({ senders: testSenders, resources, instances, signals: [traces.signal], others: [], bodyBytes: 1024 * 1024, clock: systemClock })
  const api = await testApi({ routes: [traces.routes, metrics.routes, intake] })
  later.api = api
  for (const app of ['shop', 'stock']) await api.send('POST', appsPath, appBody(app))
  return {
    api,
    database,
    post: async (body, { token = 'of-shop', headers = {} } = {}) => {
      const bytes = body instanceof Uint8Array
      const response = await fetch(`${api.url}/v1/otlp/v1/traces`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': bytes ? 'application/x-protobuf' : 'application/json', ...headers }, body: bytes ? (body as never) : JSON.stringify(body) })
      const text = await response.text()
      return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : undefined }
    },
  }
}

const otlp = (spans: object[]): object => ({ resourceSpans: [{ scopeSpans: [{ scope: { name: 'lib' }, spans }] }] })

describe('requests of the router', () => {
  test('are taken once, by whoever takes them, and again from a spool that began anew', async () => {
    const database = await partitioned()
    const source = spool([1, 2, 3].map((number) => routerSpan(number)))
    const taken = await Promise.all([1, 2, 3].map(async () => {
      let sum = 0
      for (let idle = 0; idle < 10; ) {
        const count = await takeSpans(database, source, noExport)
        sum += count
        if (count === 0) idle++
      }
      return sum
    }))
    expect(taken.reduce((sum, count) => sum + count, 0)).toBe(3)
    expect(await readTrace(database, traceId(2))).toMatchObject([{ spanId: spanId(2), name: 'GET /', release: 7, durationMs: 12.5, request: { requestId: 'r-2', status: 200, sentMs: 1 } }])
    expect(await takeSpans(database, spool([routerSpan(1, { traceId: traceId(9) })]), noExport)).toBe(0)
    expect(await takeSpans(database, spool([routerSpan(1, { traceId: traceId(9) })]), noExport)).toBe(1)
  })

  test('what could not be stored waits in the spool', async () => {
    const database = await partitioned()
    await expect(takeSpans(database, spool([routerSpan(1, { team: null as never })]), noExport)).rejects.toThrow()
    expect(await takeSpans(database, spool([routerSpan(1)]), noExport)).toBe(1)
  })
})

describe('OTLP', () => {
  const one = { traceId: traceId(0xabc), spanId: spanId(1), parentSpanId: spanId(2), name: 'SELECT', kind: 3, startTimeUnixNano: '1767607200123456789', endTimeUnixNano: '1767607200223456789', attributes: [{ key: 'rows', value: { intValue: '3' } }], status: { code: 2, message: 'gone' }, events: [{ timeUnixNano: '1767607200200000000', name: 'exception', attributes: [{ key: 'exception.message', value: { stringValue: 'lost' } }] }], links: [{ traceId: traceId(5), spanId: spanId(5) }] }
  const expected = { traceId: traceId(0xabc), spanId: spanId(1), parentId: spanId(2), team: 'blue', app: 'shop', environment: 'production', name: 'SELECT', kind: 'client', atMs: 1767607200123, durationMs: 100, failed: true, message: 'gone', attributes: { 'otel.scope.name': 'lib', rows: 3 }, events: [{ name: 'exception', attributes: { 'exception.message': 'lost' } }], links: [{ traceId: traceId(5), spanId: spanId(5) }] }

  test('is taken as JSON and protobuf, plain and packed, and a span that comes again counts once', async () => {
    const { post, api } = await tracesApi()
    expect(await post(otlp([one]))).toEqual({ status: 200, json: {} })
    const message = await encode('ExportTraceServiceRequest', otlp([{ ...one, traceId: Buffer.from(one.traceId, 'hex'), spanId: Buffer.from(one.spanId, 'hex'), parentSpanId: Buffer.from(one.parentSpanId, 'hex'), links: [], events: [] }]))
    expect(await post(gzipSync(message), { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 200 })
    expect(await post(message.subarray(0, -3))).toMatchObject({ status: 400 })
    const { body } = await api.send('GET', `/v1/traces/${traceId(0xabc)}`)
    expect(body).toMatchObject({ spans: [expected], hidden: 0, cut: false })
    expect(body.spans).toHaveLength(1)
  })

  test("OpenTelemetry's own SDK sends", async () => {
    const { api } = await tracesApi()
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${api.url}/v1/otlp/v1/traces`, headers: { authorization: 'Bearer of-shop' } }))] })
    const span = provider.getTracer('shop', '1.0').startSpan('checkout', { attributes: { items: 3, ok: true } })
    span.recordException(new Error('card refused'))
    span.setStatus({ code: 2, message: 'card refused' })
    span.end()
    await provider.forceFlush()
    await provider.shutdown()
    const { body } = await api.send('GET', `/v1/traces/${span.spanContext().traceId}`)
    expect(body.spans).toMatchObject([{ name: 'checkout', failed: true, message: 'card refused', attributes: { items: 3, ok: true }, events: [{ name: 'exception' }] }])
  })

  test('what is published as an example is taken', async ({ skip }) => {
    const file = new URL('../../../../../../../shared/fixtures/otlp/trace.json', import.meta.url)
    if (!existsSync(file)) skip('the published examples are not here')
    const { post, api } = await tracesApi()
    expect(await post(JSON.parse(readFileSync(file, 'utf8')))).toEqual({ status: 200, json: {} })
    const { body } = await api.send('GET', '/v1/traces/5b8efff798038103d269b633813fc60c')
    expect(body.spans).toMatchObject([{ name: "I'm a server span", kind: 'server', durationMs: 1000, attributes: { 'my.span.attr': 'some value' } }])
  })

  test('what is no span is told and counted; beyond the limit what failed is kept', async () => {
    const { post, api } = await tracesApi({ appSpansPerSecond: 1 })
    const many = Array.from({ length: 30 }, (_, index) => ({ ...one, spanId: spanId(index + 1), status: { code: index >= 20 ? 2 : 0 } }))
    expect(await post(otlp([...many, { name: 'nothing' }, { ...one, traceId: '0'.repeat(32) }]))).toMatchObject({ status: 200, json: { partialSuccess: { rejectedSpans: expect.any(String), errorMessage: expect.stringMatching(/span_rate.*broken_span/) } } })
    const { body } = await api.send('GET', `/v1/traces/${traceId(0xabc)}`)
    expect(body.spans.filter(({ failed }: Span) => failed)).toHaveLength(10)
    expect((await api.send('GET', '/v1/teams/blue/apps/shop/telemetry')).body.dropped.map(({ reason }: { reason: string }) => reason).toSorted()).toEqual(['broken_span', 'span_rate'])
  })

  test.each([['a list that is none', { resourceSpans: 3 }], ['a value that is no number', otlp([{ ...one, kind: {} }])]])('%s is refused', async (_, body) => {
    const { post } = await tracesApi()
    expect(await post(body)).toMatchObject({ status: 400 })
  })
})

describe('sampling', () => {
  test('keeps traces that failed or were slow whole, over partitions, and once', async () => {
    const database = await testDatabase()
    const base = Math.floor(Date.now() / recent.lengthMs) * recent.lengthMs
    const [first, second] = [base - 4 * recent.lengthMs, base - 3 * recent.lengthMs]
    await makePartitions(database, recent, upcoming(recent, first, 6))
    const settings = { slowMs: 1000, share: 0, keepMs: 7 * day }
    const put = async (atMs: number, spans: Span[]): Promise<void> => {
      await insertSpans(database, spans)
      await database.query('update spans_recent set stored_at = to_timestamp($1::float8 / 1000) where stored_at > to_timestamp($2::float8 / 1000)', [atMs, base])
    }
    await put(first + 1000, [storedSpan(1), storedSpan(2), storedSpan(3, { durationMs: 5000 }), storedSpan(4, { failed: true })])
    await put(second + 1000, [storedSpan(2, { spanId: spanId(22), failed: true }), storedSpan(4, { spanId: spanId(44) })])
    await put(base - 1, [storedSpan(5)])
    const now = base + 2 * 60_000
    // Two servers at once.
    const kept = await Promise.all([sampleOnce(database, settings, now), sampleOnce(database, settings, now)])
    expect(kept[0]! + kept[1]!).toBe(5)
    const left = async (number: number): Promise<string[]> => (await readTrace(database, traceId(number))).map((span) => span.spanId).toSorted()
    expect([await left(1), await left(2), await left(3), await left(4)]).toEqual([[], [spanId(2), spanId(22)], [spanId(3)], [spanId(4), spanId(44)]])
    expect(await left(5)).toEqual([spanId(5)])
    expect((await listPartitions(database, recent)).every(({ untilMs }) => untilMs > second + recent.lengthMs)).toBe(true)
    expect(await sampleOnce(database, settings, now)).toBe(0)
  })

  test('of the others a share is kept, the same whichever server decides', async () => {
    const database = await testDatabase()
    const base = Math.floor(Date.now() / recent.lengthMs) * recent.lengthMs
    await makePartitions(database, recent, upcoming(recent, base))
    await insertSpans(database, Array.from({ length: 400 }, (_, index) => storedSpan(index + 1)))
    await sampleOnce(database, { slowMs: 1000, share: 0.25, keepMs: day }, base + 3 * recent.lengthMs)
    const { rows } = await database.query('select count(*)::int as count from spans')
    expect(rows[0]!.count).toBeGreaterThan(60)
    expect(rows[0]!.count).toBeLessThan(140)
  })
})

describe('reading', () => {
  test('finds traces of an app by what they did, and shows only what the caller may see', async () => {
    const database = await partitioned()
    const now = Date.now()
    await insertSpans(database, [
      storedSpan(1, { name: 'GET /', atMs: now - 5000, durationMs: 50 }), storedSpan(1, { spanId: spanId(11), team: 'green', app: 'stock', name: 'SELECT', atMs: now - 4990, durationMs: 900, failed: true }),
      storedSpan(2, { name: 'GET /slow', atMs: now - 1000, durationMs: 2000, environment: 'staging', release: 3 }),
    ])
    const search = { team: 'blue', app: 'shop', from: new Date(now - 60_000), until: new Date(now + 1000), limit: 10 }
    const found = async (over: object, teams: string[] | 'all' = ['blue']): Promise<unknown[]> => (await findTraces(database, { ...search, ...over }, teams === 'all' ? undefined : teams)).map(({ traceId: id, spans, failed, name }) => [id, spans, failed, name])
    const [one, two] = [[traceId(1), 1, false, 'GET /'], [traceId(2), 1, false, 'GET /slow']]
    expect(await found({})).toEqual([two, one])
    expect(await found({}, 'all')).toEqual([two, [traceId(1), 2, true, 'GET /']])
    expect(await found({ leastMs: 1000 })).toEqual([two])
    expect(await found({ name: 'SLOW' })).toEqual([two])
    expect(await found({ name: '%' })).toEqual([])
    expect(await found({ environment: 'production' })).toEqual([one])
    expect(await found({ release: 3 })).toEqual([two])
    expect(await found({ limit: 1 })).toEqual([two])
    expect(await found({ failed: true })).toEqual([])
  })

  test('why tells of a request by its id, to those who see its team', async () => {
    const { api, database } = await tracesApi()
    await takeSpans(database, spool([routerSpan(1, { status: 500, durationMs: 800 })]), noExport)
    await insertSpans(database, [storedSpan(1, { spanId: spanId(2), parentId: spanId(1), team: 'green', app: 'stock', name: 'SELECT', durationMs: 700, failed: true, message: 'gone' })])
    const { body } = await api.send('GET', '/v1/why/r-1')
    expect(body).toMatchObject({ requestId: 'r-1', traceId: traceId(1), span: { request: { status: 500 } }, trace: { hidden: 0 }, logs: [{ line: 'lost r-1' }] })
    expect(body.findings.slice(0, 3)).toEqual(['GET / got 500 from shop-web-7-abc after 800 ms.', 'That is 80.0 times as long as 95 % of the requests of shop took around then (10 ms).', 'The first thing that failed: SELECT in stock, with “gone”.'])
    expect((await api.send('GET', `/v1/why/${traceId(1)}`)).body.requestId).toBe('r-1')
    const blue = await api.send('GET', '/v1/why/r-1', undefined, { token: 'dev' })
    expect(blue.body).toMatchObject({ trace: { hidden: 1, spans: [{ app: 'shop' }] } })
    expect(blue.text).not.toContain('SELECT')
    expect((await api.send('GET', '/v1/why/r-1', undefined, { token: 'other' })).status).toBe(404)
    expect((await api.send('GET', '/v1/why/nothing')).body).toMatchObject({ message: 'Nothing is known of a request nothing.' })
  })
})
