/** Logs by OTLP over HTTP: read back as they were sent, whoever sends, and never harmed by what is broken. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { expect, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../../test/api.ts'
import { testDatabase } from '../../../../test/kernel.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { instance, testSenders } from '../metrics/testing-api.ts'
import { intakeRoutes } from '../otlp/intake.ts'
import { decode, encode } from '../otlp/protobuf.ts'
import { logsOn, shop } from './testing.ts'

const nowNano = (agoMs = 0): string => String(BigInt(Date.now() - agoMs) * 1_000_000n)
const record = (text: string, more: object = {}): object => ({ timeUnixNano: nowNano(), body: { stringValue: text }, ...more })
const request = (...logRecords: object[]): object => ({ resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ scope: { name: 'lib' }, logRecords }] }] })

async function room(over: Parameters<typeof logsOn>[1] = {}) {
  const kept = logsOn(await testDatabase(), over)
  const later: { api?: Awaited<ReturnType<typeof testApi>> } = {}
  const resources = { mustGet: (...given: unknown[]) => (later.api!.resources.mustGet as any)(...given) } as never
  const api = await testApi({ routes: [intakeRoutes({ senders: testSenders, resources, instances: { known: () => [instance], current: async () => [instance] }, signals: [kept.logs.signal], others: [], bodyBytes: 1024 * 1024, clock: systemClock })] })
  later.api = api
  for (const app of ['shop', 'stock']) await api.send('POST', appsPath, appBody(app))
  const post = async (body: unknown, { token = 'of-shop', headers = {} }: { token?: string; headers?: Record<string, string> } = {}) => {
    const bytes = body instanceof Uint8Array
    const response = await fetch(`${api.url}/v1/otlp/v1/logs`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': bytes ? 'application/x-protobuf' : 'application/json', ...headers }, body: bytes ? (body as never) : JSON.stringify(body) })
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
  }
  return { ...kept, api, post }
}

const everything = { team: 'blue', app: 'shop', fromMs: 0, untilMs: Date.now() + 3600_000 }

test('records are taken as JSON and protobuf, packed or not, and read back with all that they say', async () => {
  const { post, logs, bodies } = await room()
  const first = record('one', { severityNumber: 17, traceId: '5B8EFFF798038103D269B633813FC60C', spanId: 'EEE19B7EC3C1B174', attributes: [{ key: 'request.id', value: { stringValue: 'r-1' } }, { key: 'items', value: { intValue: '3' } }] })
  expect(await post(request(first))).toMatchObject({ status: 200 })
  const trace = Buffer.from('5b8efff798038103d269b633813fc60c', 'hex')
  const second = await encode('ExportLogsServiceRequest', { resourceLogs: [{ resource: { attributes: [{ key: 'service.instance.id', value: { stringValue: instance.id } }] }, scopeLogs: [{ logRecords: [{ severityNumber: 9, body: { stringValue: 'two' }, traceId: trace }] }] }] })
  expect((await post(gzipSync(second), { headers: { 'content-encoding': 'gzip' } })).status).toBe(200)
  expect(await bodies()).toEqual(['one', 'two'])
  const { lines } = await logs.reads.lines({ ...everything, traceId: '5b8efff798038103d269b633813fc60c' }, 10)
  expect(lines[1]).toMatchObject({ line: 'one', level: 'error', environment: 'production', requestId: 'r-1', attributes: { items: '3', span_id: 'eee19b7ec3c1b174', scope: 'lib' } })
  expect(lines[0]).toMatchObject({ line: 'two', level: 'info', instance: instance.id, release: 7, process: 'web' })
  expect((await logs.reads.lines({ ...everything, requestId: 'r-1' }, 10)).lines).toHaveLength(1)
  expect((await logs.reads.histogram(everything)).steps.map(({ counts }) => counts)).toEqual([{ error: 1, info: 1 }])
})

test('what is broken, a bomb, or of a time that cannot be harms nobody', async () => {
  const { post, bodies, logs } = await room()
  expect((await post('{"resourceLogs":7}')).status).toBe(200)
  expect((await post({ resourceLogs: 7 })).status).toBe(400)
  expect((await post(Buffer.from([1, 2, 255, 255, 255])))).toMatchObject({ status: 400 })
  expect((await post(gzipSync(Buffer.alloc(64 * 1024 * 1024)), { headers: { 'content-encoding': 'gzip' } })).status).toBe(413)
  expect((await post(request(record('x')), { token: 'none' })).status).toBe(401)
  const odd = record(`\u0000nul \ud800 half\u001b[31m red\u001b[0m ${'y'.repeat(100_000)}`, { timeUnixNano: '1544712660300000000' })
  const ahead = record('ahead', { timeUnixNano: nowNano(-3600_000) })
  expect((await post(request(odd, ahead, { body: { kvlistValue: { values: [{ key: 'a', value: { intValue: 1 } }] } } }))).status).toBe(200)
  const all = await bodies()
  expect(all.map((body) => body.slice(0, 20))).toEqual(['\ufffdnul \ufffd half red yyyy', 'ahead', '{"a":1}'])
  expect(all[0]).toMatch(/characters cut off\]$/)
  const { lines } = await logs.reads.lines(everything, 10)
  expect(lines.map(({ attributes }) => attributes?.said_time)).toEqual([undefined, expect.stringMatching(/^20/), '2018-12-13T14:51:00.300Z'])
  expect(lines.every(({ time }) => Math.abs(Date.parse(time) - Date.now()) < 60_000)).toBe(true)
})

test('an app that floods loses its own lines, errors last, is told, and another app loses none', async () => {
  const { post, drops, bodies, database } = await room({ linesPerSecond: 10, bytesPerSecond: 1e6 })
  const flood = request(...Array.from({ length: 400 }, (_, index) => record(`debug ${index}`, { severityNumber: 5 })), ...Array.from({ length: 100 }, (_, index) => record(`error ${index}`, { severityNumber: 17 })))
  const answer = JSON.parse((await post(flood)).bytes.toString())
  expect(answer.partialSuccess).toMatchObject({ rejectedLogRecords: expect.stringMatching(/^2\d\d$/), errorMessage: expect.stringContaining('errors last') })
  expect((await bodies()).filter((body) => body.startsWith('error'))).toHaveLength(100)
  await post(request(record('mine', { severityNumber: 5 })), { token: 'of-stock' })
  expect(await bodies('stock')).toEqual(['mine'])
  await drops.settled()
  expect((await database.query('select app, reason, points::int from metric_dropped')).rows).toEqual([{ app: 'shop', reason: 'log_rate', points: Number(answer.partialSuccess.rejectedLogRecords) }])
  const packed = await encode('ExportLogsServiceRequest', { resourceLogs: [{ scopeLogs: [{ logRecords: Array.from({ length: 400 }, () => ({ severityNumber: 5, body: { stringValue: 'x' } })) }] }] })
  expect(await decode('ExportLogsServiceResponse', (await post(packed)).bytes)).toMatchObject({ partialSuccess: { errorMessage: expect.stringContaining('dropped') } })
})

test('the JavaScript SDK sends', async () => {
  const { api, bodies } = await room()
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor(new OTLPLogExporter({ url: `${api.url}/v1/otlp/v1/logs`, headers: { authorization: 'Bearer of-shop' } }))] })
  provider.getLogger('test').emit({ severityNumber: 13, body: 'from the SDK', attributes: { n: 1 } })
  await provider.shutdown()
  expect(await bodies()).toEqual(['from the SDK'])
})

const fixture = fileURLToPath(new URL('../../../../../../../shared/fixtures/otlp/logs.json', import.meta.url))
test.skipIf(!existsSync(fixture))('the example of the specification is read back', async () => {
  const { post, logs } = await room()
  expect((await post(JSON.parse(readFileSync(fixture, 'utf8')))).status).toBe(200)
  const { lines } = await logs.reads.lines(everything, 10)
  expect(lines).toEqual([expect.objectContaining({ line: 'Example log record', level: 'info', environment: shop.environment, traceId: '5b8efff798038103d269b633813fc60c', attributes: expect.objectContaining({ 'string.attribute': 'some string', 'boolean.attribute': 'true', 'map.attribute': '{"some.map.key":"some value"}' }) })])
})
