/** Every form of export against a stand-in: what it sends can be read, and each answer means the same to all of them. */
import dns from 'node:dns'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { isPaviorError, type ExportSignal, type TelemetryExportSpec } from '@pavior/contract'
import snappy from 'snappyjs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { decode, emptyBatch, type ExportBatch, type ExportTarget } from '../../rooms/telemetry/exports/ports.ts'
import { exporters } from './index.ts'

const secret = 'secret-of-the-receiver'
const atMs = Date.UTC(2026, 2, 2, 12)
const from = { team: 'blue', app: 'shop', environment: 'production' }
const hostile = '\u0000"\\{}\n\u202e日本 <script>'
const batches: Record<ExportSignal, ExportBatch> = {
  metrics: { signal: 'metrics', series: [{ labels: { __name__: 'heat', ...from, item: hostile }, times: Float64Array.of(atMs), values: Float64Array.of(1.5) }] },
  logs: { signal: 'logs', lines: [{ atMs, seq: 1, source: 1, level: 4, body: hostile, from, attributes: { 'a.b': hostile } }] },
  traces: { signal: 'traces', spans: [{ traceId: '1'.padStart(32, '0'), spanId: '2'.padStart(16, '0'), ...from, name: hostile, kind: 'server', atMs, durationMs: 1.5, failed: true, attributes: { of: [1, 'a', null] }, events: [], links: [] }] },
}

interface Taken {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

async function standIn(answer: (response: ServerResponse) => void): Promise<{ url: string; taken: Taken[] }> {
  const taken: Taken[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      taken.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks) })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken }
}

const unpacked = ({ headers, body }: Taken): Buffer => (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : headers['content-encoding'] === 'snappy' ? snappy.uncompress(body) : body)
const cases: { name: string; type: keyof typeof exporters; signal: ExportSignal; spec: (url: string) => TelemetryExportSpec; path: string; read: (taken: Taken) => Promise<string> }[] = [
  { name: 'prometheus', type: 'prometheus', signal: 'metrics', spec: (url) => ({ signals: ['metrics'], prometheus: { url: `${url}/api/v1/write` } }), path: '/api/v1/write', read: async (taken) => ((await decode('WriteRequest', unpacked(taken))) as any).timeseries[0].labels.find(({ name }: any) => name === 'item').value },
  { name: 'loki', type: 'loki', signal: 'logs', spec: (url) => ({ signals: ['logs'], loki: { url: `${url}/`, metadata: true } }), path: '/loki/api/v1/push', read: async (taken) => JSON.parse(unpacked(taken).toString()).streams[0].values[0][1] },
  ...(['json', 'protobuf'] as const).flatMap((protocol) => [
    { name: `otlp metrics by ${protocol}`, type: 'otlp', signal: 'metrics' as const, spec: (url: string) => ({ signals: ['metrics' as const], otlp: { url, protocol } }), path: '/v1/metrics', read: async (taken: Taken) => (await messageIn(taken, 'ExportMetricsServiceRequest')).resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0].attributes[0].value.stringValue },
    { name: `otlp logs by ${protocol}`, type: 'otlp', signal: 'logs' as const, spec: (url: string) => ({ signals: ['logs' as const], otlp: { url: `${url}/`, protocol, gzip: false } }), path: '/v1/logs', read: async (taken: Taken) => (await messageIn(taken, 'ExportLogsServiceRequest')).resourceLogs[0].scopeLogs[0].logRecords[0].body.stringValue },
    { name: `otlp traces by ${protocol}`, type: 'otlp', signal: 'traces' as const, spec: (url: string) => ({ signals: ['traces' as const], otlp: { url, protocol } }), path: '/v1/traces', read: async (taken: Taken) => (await messageIn(taken, 'ExportTraceServiceRequest')).resourceSpans[0].scopeSpans[0].spans[0].name },
  ]),
]

async function messageIn(taken: Taken, name: 'ExportMetricsServiceRequest' | 'ExportLogsServiceRequest' | 'ExportTraceServiceRequest'): Promise<any> {
  return taken.headers['content-type'] === 'application/json' ? JSON.parse(unpacked(taken).toString()) : decode(name, unpacked(taken))
}

const target = (spec: TelemetryExportSpec): ExportTarget => ({ spec, headers: { authorization: `Bearer ${secret}` }, secrets: [secret] })
const failure = async (work: Promise<unknown>): Promise<{ message: string; facts: Record<string, unknown> }> => {
  const error: unknown = await work.then(() => new Error('it was taken'), (told: unknown) => told)
  if (!isPaviorError(error)) throw error
  expect(error.code).toBe('EXPORT_FAILED')
  expect(JSON.stringify(error.toObject())).not.toContain(secret)
  return { message: error.details.message, facts: error.details.facts! }
}

describe.each(cases)('$name', ({ type, signal, spec, path, read }) => {
  const send = async (url: string, batch = batches[signal], stop = AbortSignal.timeout(10_000)) => (await exporters[type]!())(target(spec(url)), batch, stop)

  test('sends what can be read, with who it is, and an empty request to try it', async () => {
    const { url, taken } = await standIn((response) => void response.writeHead(204).end())
    expect(await send(url)).toEqual({ answer: 'It answered 204.', rejected: 0 })
    expect(taken[0]).toMatchObject({ path, headers: { authorization: `Bearer ${secret}`, 'user-agent': 'Pavior' } })
    expect(await read(taken[0]!)).toBe(hostile)
    expect((await send(url, emptyBatch(signal))).rejected).toBe(0)
  })

  test.each([
    [400, { refused: true }], [422, { refused: true }], [413, { large: true }], [401, {}], [403, {}], [404, {}], [302, {}], [500, {}], [503, { retryAfterMs: 7000 }], [429, { retryAfterMs: 7000 }],
  ])('an answer of %i', async (status, means) => {
    const { url, taken } = await standIn((response) => void response.writeHead(status, { location: '/elsewhere', ...(status === 503 || status === 429 ? { 'retry-after': '7' } : {}) }).end(`no, ${secret}`))
    const { message, facts } = await failure(send(url))
    expect(message).toBe(`It answered ${status}: no, [redacted].`)
    expect(facts).toEqual({ refused: false, large: false, ...means })
    expect(taken).toHaveLength(1)
  })

  test('does not go where credentials are given out, nor on without end', async () => {
    expect((await failure(send('http://169.254.169.254'))).message).toContain('link-local')
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, done: (error: null, found: object[]) => void) => void setImmediate(() => done(null, [{ address: '169.254.169.254', family: 4 }]))) as never)
    const { message } = await failure(send('http://receiver.example')).finally(() => lookup.mockRestore())
    expect(message).toContain('link-local')
    const { url } = await standIn(() => {})
    await expect(send(url, batches[signal], AbortSignal.timeout(100))).rejects.toThrow()
  })
})
