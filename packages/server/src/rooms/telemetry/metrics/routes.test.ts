import { connect } from 'node:net'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { gzipSync } from 'node:zlib'
import snappy from 'snappyjs'
import { describe, expect, test } from 'vitest'
import { isStale } from './encoding.ts'
import { decode, encode } from '../otlp/protobuf.ts'
import { instance, metricsApi } from './testing-api.ts'
import { day } from './testing.ts'

const nano = (ms: number): string => String(BigInt(ms) * 1_000_000n)
const attributes = (pairs: Record<string, string>): object[] => Object.entries(pairs).map(([key, stringValue]) => ({ key, value: { stringValue } }))
const gauges = (points: { labels?: Record<string, string>; value: number; atMs?: number }[], resource: Record<string, string> = {}): object => ({
  resourceMetrics: [{ resource: { attributes: attributes(resource) }, scopeMetrics: [{ metrics: [{ name: 'heat', gauge: { dataPoints: points.map(({ labels = {}, value, atMs = Date.now() }) => ({ timeUnixNano: nano(atMs), asDouble: value, attributes: attributes(labels) })) } }] }] }],
})
const written = (series: { labels: Record<string, string>; samples: [number, bigint | number][] }[]): Promise<Buffer> =>
  encode('WriteRequest', { timeseries: series.map(({ labels, samples }) => ({ labels: Object.entries(labels).map(([name, value]) => ({ name, value })), samples: samples.map(([timestamp, value]) => ({ timestamp, value: bitsOf(value) })) })) })

function bitsOf(value: number | bigint): { low: number; high: number; unsigned: boolean } {
  const view = new DataView(new ArrayBuffer(8))
  if (typeof value === 'bigint') view.setBigUint64(0, value)
  else view.setFloat64(0, value)
  return { high: view.getInt32(0), low: view.getInt32(4), unsigned: true }
}

describe('OTLP', () => {
  test("OpenTelemetry's own SDK sends", async () => {
    const { api, read } = await metricsApi()
    const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: `${api.url}/v1/otlp/v1/metrics`, headers: { authorization: 'Bearer of-shop' } }), exportIntervalMillis: 3600_000 })] })
    const meter = provider.getMeter('shop')
    meter.createCounter('orders', { unit: '1', description: 'Orders.' }).add(3, { kind: 'card' })
    meter.createHistogram('basket', { unit: 's' }).record(0.2)
    await provider.forceFlush()
    await provider.shutdown()
    expect((await read('orders_total')).map(({ labels, values }) => [labels.kind, labels.app, values.at(-1)])).toEqual([['card', 'shop', 3]])
    expect((await read('basket_seconds_count')).map(({ values }) => values.at(-1))).toEqual([1])
  })

  test('is taken as JSON and protobuf, plain and packed, and says whose it is', async () => {
    const { post, read } = await metricsApi()
    const resource = { 'service.name': 'shop', 'service.instance.id': instance.id }
    expect(await post(gauges([{ value: 1, labels: { way: 'json', team: 'green' } }], resource))).toMatchObject({ status: 200, json: {} })
    expect(await post(gzipSync(JSON.stringify(gauges([{ value: 2, labels: { way: 'json.gz' } }]))), { headers: { 'content-type': 'application/json; charset=utf-8', 'content-encoding': 'gzip' } })).toMatchObject({ status: 200 })
    const message = await encode('ExportMetricsServiceRequest', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'heat', gauge: { dataPoints: [{ timeUnixNano: Date.now() * 1e6, asInt: -3, attributes: attributes({ way: 'protobuf' }) }] } }] }] }] })
    const answer = await post(message)
    expect([answer.status, answer.headers.get('content-type'), answer.bytes.length]).toEqual([200, 'application/x-protobuf', 0])
    expect(await post(gzipSync(message), { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 200 })
    const found = new Map((await read('heat')).map(({ labels, values }) => [labels.way, { labels, value: values.at(-1) }]))
    expect([...found].map(([way, { value }]) => [way, value]).toSorted()).toEqual([['json', 1], ['json.gz', 2], ['protobuf', -3]])
    expect(found.get('json')!.labels).toEqual({ __name__: 'heat', way: 'json', exported_team: 'green', job: 'shop', team: 'blue', app: 'shop', environment: 'production', release: '7', instance: instance.id })
    expect(found.get('protobuf')!.labels).toEqual({ __name__: 'heat', way: 'protobuf', team: 'blue', app: 'shop', environment: 'production' })
  })

  test('of people and machines names its app, and needs the right to write it', async () => {
    const { post, read } = await metricsApi()
    const named = { 'service.namespace': 'blue', 'service.name': 'shop', 'deployment.environment.name': 'staging' }
    expect(await post(gauges([{ value: 1 }], named), { token: 'dev' })).toMatchObject({ status: 200 })
    expect((await read('heat'))[0]!.labels).toMatchObject({ app: 'shop', environment: 'staging' })
    expect(await post(gauges([{ value: 1 }]), { token: 'dev', headers: { 'pavior-team': 'blue', 'pavior-app': 'stock' } })).toMatchObject({ status: 200 })
    expect(await post(gauges([{ value: 1 }]), { token: 'dev' })).toMatchObject({ status: 400 })
    expect(await post(gauges([{ value: 1 }], { 'service.namespace': 'blue', 'service.name': 'ghost' }), { token: 'dev' })).toMatchObject({ status: 404 })
    expect(await post(gauges([{ value: 1 }], named), { token: 'view' })).toMatchObject({ status: 403 })
    expect(await post(gauges([{ value: 1 }]), { token: 'none' })).toMatchObject({ status: 401 })
  })

  test('that is broken, or a bomb, is refused and harms nobody', async () => {
    const { post, read } = await metricsApi()
    const packed = { 'content-encoding': 'gzip' }
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    for (const [status, body, headers] of [
      [400, Buffer.from('no message'), {}],
      [400, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), {}],
      [400, Buffer.from('{'), { 'content-type': 'application/json' }],
      [400, Buffer.from('['.repeat(100_000)), { 'content-type': 'application/json' }],
      [400, Buffer.from('not packed'), packed],
      [413, bomb, packed],
      [413, Buffer.alloc(1024 * 1024 + 1), {}],
      [415, Buffer.from('x'), { 'content-encoding': 'br' }],
    ] as const) expect([status, (await post(body, { headers })).status]).toEqual([status, status])
    // Texts of protobuf are UTF-8 by definition: such a message is broken.
    const odd = await encode('ExportMetricsServiceRequest', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'heat', gauge: { dataPoints: [{ timeUnixNano: Date.now() * 1e6, asInt: 1, attributes: attributes({ bad: 'XYZ' }) }] } }] }] }] })
    odd.set([0xff, 0x00, 0xc3], odd.indexOf('XYZ'))
    expect(await post(odd)).toMatchObject({ status: 400 })
    expect(await post(gauges([{ value: 1, labels: { bad: 'x\ud800\0' } }]))).toMatchObject({ status: 200 })
    expect((await read('heat')).map(({ values }) => [...values])).toEqual([[1]])
  })

  test('of which too much is on its way is refused before it is read, and only to who sends it', async () => {
    const { api, post } = await metricsApi()
    const { hostname, port } = new URL(api.url)
    const slow = []
    for (let index = 0; index < 2; index++) {
      const seen = api.seen(/^POST \/v1\/otlp/)
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.write(`POST /v1/otlp/v1/metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer of-shop\r\nContent-Type: application/json\r\nContent-Length: ${1024 * 1024}\r\n\r\n`)
      slow.push(socket)
      await seen
    }
    const refused = await post(gauges([{ value: 1 }]))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await post(gauges([{ value: 1 }]), { token: 'of-stock' })).status).toBe(200)
    for (const socket of slow) socket.destroy()
    while ((await post(gauges([{ value: 1 }]))).status !== 200);
  })

  test('beyond a limit is dropped, counted and shown to its owner, and only new series are', async () => {
    const { api, post, read } = await metricsApi()
    const flood = (from: number): object => gauges(Array.from({ length: 300 }, (_, index) => ({ value: 1, labels: { id: String(from + index) } })))
    expect((await post(flood(0))).json.partialSuccess).toEqual({ rejectedDataPoints: '200', errorMessage: expect.stringContaining('series_limit') })
    for (let round = 1; round < 5; round++) await post(flood(round * 300))
    expect((await post(flood(0))).json.partialSuccess.rejectedDataPoints).toBe('200')
    expect(await post(flood(0), { token: 'of-stock' })).toMatchObject({ status: 200 })
    expect((await read('heat')).filter(({ labels }) => labels.app === 'shop')).toHaveLength(100)
    const long = (await post(gauges([{ value: 1, labels: { id: 'x'.repeat(2000) } }, { value: 1, labels: { id: '0' }, atMs: Date.now() - 3 * day }, { value: 1, labels: { id: '0' }, atMs: Date.now() + day }]))).json
    expect(long.partialSuccess.rejectedDataPoints).toBe('3')
    const { body } = await api.send('GET', '/v1/teams/blue/apps/shop/telemetry', undefined, { token: 'view' })
    expect(body.metrics.series).toEqual({ used: 100, limit: 100 })
    expect(body.dropped.map(({ reason, points }: any) => [reason, points])).toEqual([['in_the_future', 1], ['labels', 1], ['series_limit', 1600], ['too_old', 1]])
    expect((await api.send('GET', '/v1/teams/blue/apps/shop/telemetry', undefined, { token: 'other' })).status).toBe(403)
    const events = await api.recorder.list(['blue'], { kind: 'App', name: 'shop' })
    expect(events.filter(({ reason }) => reason === 'TelemetryDropped')).toHaveLength(4)
  })
})

describe('remote write', () => {
  const path = '/v1/prom/write'
  const headers = { 'content-encoding': 'snappy' }

  test('is taken, with the mark of a series that ended', async () => {
    const { post, read } = await metricsApi()
    const now = Date.now()
    const body = await written([{ labels: { __name__: 'up', job: 'node', instance: 'h:1' }, samples: [[now - 2000, 1.5], [now - 1000, NaN], [now, 0x7ff0000000000002n]] }])
    expect((await post(snappy.compress(body), { path, headers })).status).toBe(204)
    const [series] = await read('up')
    expect(series!.labels).toEqual({ __name__: 'up', job: 'node', exported_instance: 'h:1', team: 'blue', app: 'shop', environment: 'production' })
    expect([...series!.values]).toEqual([1.5, NaN, NaN])
    expect([0, 1, 2].map((index) => isStale(series!.values, index))).toEqual([false, false, true])
  })

  test('that is broken is not to be sent again, and what comes too fast is', async () => {
    const { api, post } = await metricsApi({ appPointsPerSecond: 1 })
    expect((await post(Buffer.from('not packed'), { path, headers })).status).toBe(400)
    expect((await post(snappy.compress(Buffer.from('no message')), { path, headers })).status).toBe(400)
    expect((await post(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), { path, headers })).status).toBe(413)
    const nameless = await written([{ labels: { job: 'x' }, samples: [[Date.now(), 1]] }])
    const answer = await post(snappy.compress(nameless), { path, headers })
    expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining('__name__')])
    const many = await written([{ labels: { __name__: 'many' }, samples: Array.from({ length: 40 }, (_, index) => [Date.now() - index * 1000, index]) }])
    expect((await post(snappy.compress(many), { path, headers })).status).toBe(204)
    const tooFast = await post(snappy.compress(many), { path, headers })
    expect([tooFast.status, Number(tooFast.headers.get('retry-after')) > 0]).toEqual([429, true])
    const { body } = await api.send('GET', '/v1/teams/blue/apps/shop/telemetry')
    expect(body.dropped).toMatchObject([{ reason: 'rate', points: 40 }])
  })
})

test('messages are skipped over where they hold what is not known here', async () => {
  const message = await encode('WriteRequest', { timeseries: [{ labels: [{ name: '__name__', value: 'a' }], samples: [] }] })
  // Field 15, of a length.
  expect(await decode('WriteRequest', Buffer.concat([Buffer.from([0x7a, 2, 1, 2]), message]))).toMatchObject({ timeseries: [{ labels: [{ value: 'a' }] }] })
})
