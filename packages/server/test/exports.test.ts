/** Exports against real and stand-in receivers: what is stored arrives, once the other side can take it, whatever dies meanwhile. */
import snappy from 'snappyjs'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../src/kernel/clock.ts'
import { logsOn } from '../src/rooms/telemetry/logs/testing.ts'
import { metricsApi, testSenders } from '../src/rooms/telemetry/metrics/testing-api.ts'
import { intakeRoutes, type Signal } from '../src/rooms/telemetry/otlp/intake.ts'
import { convertSpans } from '../src/rooms/telemetry/traces/otlp.ts'
import { testApi } from './api.ts'
import { testDatabase } from './kernel.ts'
import { compactOnce } from '../src/rooms/telemetry/metrics/compact.ts'
import { seriesOf } from '../src/rooms/telemetry/metrics/testing.ts'
import { decode } from '../src/rooms/telemetry/otlp/protobuf.ts'
import { hasPrometheus, startPrometheus } from '../src/rooms/telemetry/testing/prometheus.ts'
import { exportWorld, receiver, sendLines, span, type ExportWorld, type Receiver } from './exporting.ts'

const shop = { team: 'blue', app: 'shop' }
const texts = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `line ${from + index}`)
const inLoki = ({ taken }: Receiver): string[] => taken.flatMap(({ body }) => (JSON.parse(body.toString()) as { streams: { values: [string, string][] }[] }).streams.flatMap(({ values }) => values.map(([, line]) => line)))
const compactAll = ({ database }: ExportWorld): Promise<boolean> => compactOnce(database, { batchMs: 0, batchBytes: 0, chunkBytes: 1e9 })

test('lines reach Loki with their labels and times, once, in order, and only those of the team', async () => {
  const world = await exportWorld({ password: 'secret-of-loki' })
  const server = await world.server()
  const loki = await receiver()
  await sendLines(server, ['before there was an export'])
  await world.make('loki', { signals: ['logs'], loki: { url: loki.url, headers: { 'X-Scope-OrgID': 'blue' }, user: 'pavior', passwordSecret: 'password' } })
  await sendLines(server, texts(5000))
  await sendLines(server, ['of another team'], { team: 'green', app: 'shop', environment: 'production' })
  await server.look()
  expect(inLoki(loki)).toEqual(texts(5000))
  const [first] = loki.taken
  expect(first).toMatchObject({ path: '/loki/api/v1/push', headers: { 'x-scope-orgid': 'blue', authorization: `Basic ${Buffer.from('pavior:secret-of-loki').toString('base64')}` } })
  const [{ stream, values }] = JSON.parse(first!.body.toString()).streams
  expect(stream).toEqual({ team: 'blue', app: 'shop', environment: 'production', level: 'info' })
  expect(values[0][0]).toMatch(/^\d{19}$/)
  await server.look()
  expect(inLoki(loki)).toHaveLength(5000)
  expect(await world.status('loki')).toMatchObject({ state: 'Exporting', lagSeconds: 0, sent: 5000, dropped: 0 })
})

test('while the receiver is down nothing is lost and nobody else waits; what waited too long is given up and counted', async () => {
  const world = await exportWorld()
  const server = await world.server()
  const [down, well] = [await receiver(), await receiver()]
  down.answer = (_taken, response) => void response.writeHead(503, { 'retry-after': '0' }).end('no room')
  await world.make('down', { signals: ['logs'], loki: { url: down.url } })
  await world.make('well', { signals: ['logs'], loki: { url: well.url } })
  await sendLines(server, texts(3))
  await server.look()
  expect(inLoki(well)).toEqual(texts(3))
  expect(await world.status('down')).toMatchObject({ state: 'Failing', message: 'It answered 503: no room.', sent: 0, signals: [{ dropped: {} }] })
  // Back after an hour less a minute; another line had waited longer.
  await world.database.query("update export_queue set stored_at = stored_at - interval '59 minutes'")
  await sendLines(server, ['late'], { team: 'blue', app: 'cart', environment: 'production' })
  await world.database.query("update export_queue set stored_at = stored_at - interval '61 minutes' where app = 'cart'")
  down.answer = (_taken, response) => void response.writeHead(204).end()
  down.taken = []
  await world.database.query('update export_positions set next_at = now()')
  await server.look()
  expect(inLoki(down)).toEqual(texts(3))
  const { signals } = await world.status('down')
  expect(signals).toMatchObject([{ state: 'Exporting', sent: 3, dropped: { too_old: 1 } }])
})

test('killed between the answer and the note of it, the same is sent again by the next server, and nothing is lost', async () => {
  const world = await exportWorld()
  const dying = await world.server()
  const loki = await receiver()
  await world.make('loki', { signals: ['logs'], loki: { url: loki.url } })
  await sendLines(dying, texts(2500))
  // The database takes no note of the first answer, as if the process had ended there.
  await world.database.query('create function lost() returns trigger as $$ begin if new.sent > old.sent then raise exception $x$killed$x$; end if; return new; end $$ language plpgsql')
  await world.database.query('create trigger lost before update on export_positions for each row execute function lost()')
  while (inLoki(loki).length === 0) await dying.lookOnce()
  expect(inLoki(loki)).toEqual(texts(2000))
  await world.database.query('drop trigger lost on export_positions')
  const next = await world.server()
  await next.look()
  expect(inLoki(loki)).toEqual([...texts(2000), ...texts(2500)])
})

test('of two servers one has the turn, and the other takes over when its lease ends', async () => {
  const world = await exportWorld()
  const [one, other] = [await world.server(), await world.server()]
  const loki = await receiver()
  await world.make('loki', { signals: ['logs'], loki: { url: loki.url } })
  await sendLines(one, texts(4000))
  await Promise.all([one.look(), other.look()])
  await other.look()
  expect(inLoki(loki)).toEqual(texts(4000))
  await sendLines(one, ['more'])
  await world.database.query("update export_positions set holder = 'a server that died', lease_until = now() + interval '30 seconds'")
  await other.look()
  expect(inLoki(loki)).toHaveLength(4000)
  await world.database.query('update export_positions set lease_until = now()')
  await other.look()
  expect(inLoki(loki).at(-1)).toBe('more')
})

test('what is refused is dropped in small parts, so that the rest arrives', async () => {
  const world = await exportWorld()
  const server = await world.server()
  const loki = await receiver()
  const taken: string[] = []
  loki.answer = ({ body }, response) => {
    if (body.includes('line 777"')) return void response.writeHead(400).end('line 777 is bad')
    taken.push(...inLoki({ ...loki, taken: [loki.taken.at(-1)!] }))
    response.writeHead(204).end()
  }
  await world.make('loki', { signals: ['logs'], loki: { url: loki.url } })
  await sendLines(server, texts(2000))
  await server.look()
  const status = await world.status('loki')
  expect(status.signals![0]!.dropped.refused).toBeLessThanOrEqual(50)
  expect(status.sent! + status.dropped!).toBe(2000)
  expect(taken).toEqual(texts(2000).filter((text) => taken.includes(text)))
  expect(taken).toHaveLength(status.sent!)
})

test('what a transaction stores that was begun first and ends last is not passed over', async () => {
  const world = await exportWorld()
  const server = await world.server()
  const otlp = await receiver()
  await world.make('otlp', { signals: ['traces'], otlp: { url: otlp.url } })
  const slow = await world.database.session(() => {})
  onTestFinished(() => slow.end())
  await slow.query('begin')
  await slow.query("insert into export_queue (signal, team, app, environment, items, from_at, until_at) values ('traces', 'blue', 'shop', 'production', 0, now(), now())")
  await world.storeSpans(server, [span(1)])
  await server.lookOnce()
  expect(otlp.taken).toHaveLength(0)
  await slow.query('commit')
  await server.look()
  const spans = (await Promise.all(otlp.taken.map(({ body }) => decode('ExportTraceServiceRequest', body)))) as any[]
  expect(spans.map(({ resourceSpans }) => resourceSpans[0].scopeSpans[0].spans[0].name)).toEqual(['work 1'])
})

test('points that became blocks before they were sent are sent all the same, and the backlog is emptied', async () => {
  const world = await exportWorld()
  const server = await world.server()
  const prometheus = await receiver()
  prometheus.answer = (_taken, response) => void response.writeHead(500).end()
  await world.make('prometheus', { signals: ['metrics'], prometheus: { url: `${prometheus.url}/api/v1/write` } })
  const { nowMs } = server.metrics
  await server.metrics.ingest.take(shop, [seriesOf('heat', [[nowMs - 2000, 1.5], [nowMs - 1000, NaN]])], new Map([['heat', { type: 'gauge', help: 'How hot.', unit: '' }]]))
  await server.look()
  expect(await compactAll(world)).toBe(true)
  expect((await world.database.query('select from metric_batches')).rowCount).toBe(0)
  prometheus.taken = []
  prometheus.answer = (_taken, response) => void response.writeHead(204).end()
  await world.database.query('update export_positions set next_at = now()')
  await server.look()
  const written = (await decode('WriteRequest', snappy.uncompress(prometheus.taken[0]!.body))) as any
  expect(prometheus.taken[0]!.headers).toMatchObject({ 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' })
  expect(written.timeseries).toHaveLength(1)
  expect(written.timeseries[0].labels).toEqual([{ name: '__name__', value: 'heat' }, { name: 'app', value: 'shop' }, { name: 'environment', value: 'production' }, { name: 'team', value: 'blue' }])
  expect(written.timeseries[0].samples).toHaveLength(2)
  expect(written.metadata).toMatchObject([{ type: 2, metricFamilyName: 'heat', help: 'How hot.' }])
  // Nobody waits for more, so that what comes next leaves no backlog.
  await server.metrics.ingest.take(shop, [seriesOf('heat', [[nowMs, 2]])])
  await server.look()
  await compactAll(world)
  expect((await world.database.query('select from metric_backlog b where exists (select from export_positions p where (p.tx, p.id) < (b.tx, b.id))')).rowCount).toBe(0)
})

test.skipIf(!(await hasPrometheus()))('a real Prometheus takes what is written and answers as we do', async () => {
  const world = await exportWorld()
  const server = await world.server()
  const prometheus = await startPrometheus()
  onTestFinished(() => prometheus.stop())
  await world.make('prometheus', { signals: ['metrics'], prometheus: { url: `${prometheus.url}/api/v1/write` } })
  const { nowMs } = server.metrics
  const points = Array.from({ length: 60 }, (_, index): [number, number] => [nowMs - (60 - index) * 1000, index * 1.5])
  for (let series = 0; series < 200; series += 50) {
    const incoming = Array.from({ length: 50 }, (_, index) => seriesOf('sold_total', points, { item: String(series + index) }))
    await server.metrics.ingest.take(shop, incoming)
  }
  await server.look()
  const ours = await server.metrics.read('sold_total')
  expect(ours).toHaveLength(200)
  const answer = (await (await fetch(`${prometheus.url}/api/v1/query?${new URLSearchParams({ query: 'sold_total[2m]', time: String(nowMs / 1000) }).toString()}`)).json()) as { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } }
  const theirs = new Map(answer.data.result.map(({ metric, values }) => [metric.item, { metric, values }]))
  for (const { labels, times, values } of ours) expect(theirs.get(labels.item)).toEqual({ metric: labels, values: [...times].map((time, index) => [time / 1000, String(values[index])]) })
  expect(await world.status('prometheus')).toMatchObject({ state: 'Exporting', sent: 200 * 60, dropped: 0 })
})

test.each(['json', 'protobuf'] as const)('what is exported by OTLP as %s is the same on the other side', async (protocol) => {
  const world = await exportWorld({ token: 'of-shop' })
  const server = await world.server()
  const other = await metricsApi()
  const otherLogs = logsOn(await testDatabase())
  const spans: any[] = []
  const traces: Signal = { name: 'traces', request: 'ExportTraceServiceRequest', response: 'ExportTraceServiceResponse', list: 'resourceSpans', rejected: 'rejectedSpans', take: async (resources) => {
    for (const { owner, content } of resources) spans.push(...convertSpans(content, owner).spans)
    return { count: 1, why: 'one is not taken' }
  } }
  const api = await testApi({ routes: [intakeRoutes({ senders: testSenders, resources: { mustGet: async () => undefined } as never, instances: { known: () => [], current: async () => [] }, signals: [other.room.signal, otherLogs.logs.signal, traces], others: [], bodyBytes: 4 * 1024 * 1024, clock: systemClock })] })
  await world.make('other', { signals: ['metrics', 'logs', 'traces'], otlp: { url: `${api.url}/v1/otlp/`, protocol, gzip: protocol === 'json', tokenSecret: 'token' } })
  const { nowMs } = server.metrics
  await server.metrics.ingest.take(shop, [seriesOf('sold_total', [[nowMs - 1000, 5], [nowMs, 7.25]], { item: 'cup' }), seriesOf('heat', [[nowMs, 21.5]]), seriesOf('took_bucket', [[nowMs, 3]], { le: '0.5' })])
  await sendLines(server, ['one', 'two'])
  await world.storeSpans(server, [span(1, { parentId: span(2).spanId, kind: 'server', failed: true, message: 'no', attributes: { size: 3, part: 0.5, of: ['a'], yes: true }, events: [{ atMs: nowMs, name: 'tried', attributes: { count: 1 } }] }), span(2)])
  await server.look()
  for (const name of ['sold_total', 'heat', 'took_bucket']) {
    const [ours, theirs] = [await server.metrics.read(name), await other.read(name)]
    expect(theirs.map(({ times, values }) => [times, values])).toEqual(ours.map(({ times, values }) => [times, values]))
    expect(theirs[0]!.labels).toMatchObject({ ...(ours[0]!.labels.item ? { item: 'cup' } : {}), job: 'blue/shop' })
  }
  expect(await otherLogs.bodies()).toEqual(['one', 'two'])
  expect(spans.map(({ spanId }) => spanId).sort()).toEqual([span(1).spanId, span(2).spanId])
  const failed = spans.find(({ spanId }) => spanId === span(1).spanId)
  expect(failed).toMatchObject({ parentId: span(2).spanId, kind: 'server', failed: true, message: 'no', durationMs: 5, attributes: { size: 3, part: 0.5, of: ['a'], yes: true }, events: [{ name: 'tried', attributes: { count: 1 } }] })
  expect((await world.status('other')).signals).toMatchObject([{ signal: 'metrics', sent: 4, dropped: {} }, { signal: 'logs', sent: 2 }, { signal: 'traces', sent: 1, dropped: { refused: 1 } }])
})

test('an address of the machine’s credentials is refused when it is named, and a name that leads there is not asked', async () => {
  const world = await exportWorld()
  await expect(world.make('bad', { signals: ['logs'], loki: { url: 'http://169.254.169.254/' } })).rejects.toThrow(/INVALID|link-local/)
  await expect(world.make('bad', { signals: ['metrics', 'logs'], loki: { url: 'http://127.0.0.1:1' } })).rejects.toThrow()
})
