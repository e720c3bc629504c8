/**
 * Metrics: points a second that a whole platform takes by OTLP (protobuf, gzip off) while its router serves, bytes of a point on
 * disk after compaction, and how long selecting an hour of 1,000 series takes.
 *
 *   node bench/run.mjs metrics [seconds=15]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase, migrate, startEmbedded, type PgDatabase } from '../packages/server/src/kernel/db/index.ts'
import { createLog } from '../packages/server/src/kernel/log.ts'
import { flushStatement } from '../packages/server/src/kernel/store/store.ts'
import { compactOnce } from '../packages/server/src/rooms/telemetry/metrics/compact.ts'
import { labelsOf } from '../packages/server/src/rooms/telemetry/metrics/names.ts'
import { encode } from '../packages/server/src/rooms/telemetry/otlp/protobuf.ts'
import { createSeriesSource } from '../packages/server/src/rooms/telemetry/metrics/select.ts'
import { hashOf, insertPoints, keyOf, makeSeries, type Arrived } from '../packages/server/src/rooms/telemetry/metrics/store.ts'
import { cpuSeconds, percentile, root, served, show, startPlatform, type BenchPlatform } from './platform.ts'

const [seconds = 15] = process.argv.slice(2).map(Number)
const apps = 5
const seriesOfApp = 8000
const pointsOfRequest = 2000
const requestsAtOnce = 6
/** Bytes of this time are put right in each message before it is sent. */
const marker = 0x1122334455667788n

await ingestion()
await storage()
process.exit(0)

/** A request of one app with points of so many of its series. */
async function messageOf(from: number): Promise<{ bytes: Buffer; times: number[] }> {
  const dataPoints = Array.from({ length: pointsOfRequest }, (_, index) => ({
    timeUnixNano: { low: Number(marker & 0xffffffffn) | 0, high: Number(marker >> 32n), unsigned: true },
    asDouble: Math.random() * 100,
    attributes: [['http.route', `/items/${from + index}`], ['http.request.method', 'GET'], ['http.response.status_code', '200']].map(([key, stringValue]) => ({ key, value: { stringValue } })),
  }))
  const bytes = await encode('ExportMetricsServiceRequest', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'http.server.load', gauge: { dataPoints } }] }] }] })
  const mark = Buffer.alloc(8)
  mark.writeBigUInt64LE(marker)
  const times: number[] = []
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 8)) times.push(at)
  return { bytes, times }
}

async function ingestion(): Promise<void> {
  const platform = await startPlatform({ PAVIOR_METRIC_POINTS_PER_SECOND: '1000000' })
  try {
    await platform.cli(['deploy'], join(root, 'examples/hello-node'))
    for (let app = 0; app < apps; app++) await call(platform, '/apis/pavior.dev/v1/namespaces/default/apps', JSON.stringify({ metadata: { name: `bench-${app}` }, spec: {} }), { 'content-type': 'application/json' })
    const messages = await Promise.all(Array.from({ length: seriesOfApp / pointsOfRequest }, (_, index) => messageOf(index * pointsOfRequest)))
    const idle = await served(platform, 3)
    // Series are made at the first request of each.
    await send(platform, messages, apps * messages.length)
    const before = cpuSeconds(platform)
    const traffic = served(platform, seconds)
    const began = performance.now()
    let points = 0
    const times: number[] = []
    await send(platform, messages, Infinity, (ms) => {
      points += pointsOfRequest
      times.push(ms)
      return performance.now() - began < seconds * 1000
    })
    const took = (performance.now() - began) / 1000
    const perSecond = points / took
    const cpu = cpuSeconds(platform)
    console.log(`load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}; ${apps} apps of ${seriesOfApp} series, requests of ${pointsOfRequest} points`)
    show('points taken a second, with the router serving', `${perSecond.toFixed(0)}/s`, '>= 50,000/s', perSecond >= 50_000)
    console.log(`  answer to a request p50 ${percentile(times, 0.5).toFixed(0)} ms, p99 ${percentile(times, 0.99).toFixed(0)} ms; server CPU ${(((cpu - before) / points) * 1e6).toFixed(1)} µs a point`)
    console.log(`  router meanwhile: ${(await traffic).toFixed(0)} requests/s; alone ${idle.toFixed(0)} requests/s`)
  } finally {
    await platform.stop()
  }
}

async function send(platform: BenchPlatform, messages: { bytes: Buffer; times: number[] }[], requests: number, sent: (ms: number) => boolean = () => true): Promise<void> {
  let next = 0
  let more = true
  await Promise.all(
    Array.from({ length: requestsAtOnce }, async () => {
      while (more && next < requests) {
        const turn = next++
        const { bytes, times } = messages[Math.floor(turn / apps) % messages.length]!
        const body = Buffer.from(bytes)
        const now = BigInt(Date.now()) * 1_000_000n
        for (const at of times) body.writeBigUInt64LE(now, at)
        const began = performance.now()
        await call(platform, '/v1/otlp/v1/metrics', body, { 'content-type': 'application/x-protobuf', 'pavior-team': 'default', 'pavior-app': `bench-${turn % apps}` })
        more = sent(performance.now() - began) && more
      }
    }),
  )
}

async function call({ url, token }: BenchPlatform, path: string, body: string | Buffer, headers: Record<string, string>): Promise<void> {
  const response = await fetch(new URL(path, url), { method: 'POST', headers: { authorization: `Bearer ${token}`, ...headers }, body: body as never })
  const answer = await response.text()
  if (!response.ok || (path.includes('otlp') && answer !== '')) throw new Error(`${path} answered ${response.status}: ${answer.slice(0, 300)}`)
}

/** Three hours of 1,000 series, a point every 15 seconds: half of them counters, half of them measurements. */
async function storage(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
  const log = createLog('silent', 'bench')
  const embedded = await startEmbedded({ directory: join(directory, 'data'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
  const database = await connectDatabase({ connection: embedded.connection, poolSize: 4, flushStatement, log })
  try {
    await migrate(database, join(root, 'packages/server/migrations'), log)
    const beginMs = Date.now() - 3 * 3600_000
    await fill(database, beginMs)
    await database.query('vacuum analyze metric_blocks')
    const { rows } = await database.query<{ table: string; data: string; points: string; rows: string }>("select pg_total_relation_size('metric_blocks') as table, sum(octet_length(data)) as data, sum(points) as points, count(*) as rows from metric_blocks")
    const { table, data, points, rows: blocks } = rows[0]!
    show('bytes of a point on disk, with rows and indexes', (Number(table) / Number(points)).toFixed(2), 'printed', true)
    console.log(`  ${points} points in ${blocks} blocks; data alone ${(Number(data) / Number(points)).toFixed(2)} bytes a point`)
    const source = createSeriesSource(database)
    const times: number[] = []
    let found = 0
    for (let round = 0; round < 11; round++) {
      const began = performance.now()
      const series = await source.select({ teams: ['bench'], matchers: [{ name: '__name__', op: '=', value: 'load' }, { name: 'app', op: '=', value: 'app' }], fromMs: beginMs + 2 * 3600_000, untilMs: beginMs + 3 * 3600_000 }, new AbortController().signal)
      times.push(performance.now() - began)
      found = series.reduce((sum, one) => sum + one.times.length, 0)
    }
    const median = percentile(times, 0.5)
    show('select of 1 h of 1,000 series, median', `${median.toFixed(0)} ms`, '<= 300 ms with rate()', median <= 300)
    console.log(`  ${found} points; slowest ${Math.max(...times).toFixed(0)} ms`)
  } finally {
    await database.close()
    await embedded.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function fill(database: PgDatabase, beginMs: number): Promise<void> {
  const owner = { team: 'bench', app: 'app' }
  const labels = Array.from({ length: 1000 }, (_, index) => labelsOf('load', [['route', `/items/${index}`]], owner))
  const ids = await makeSeries(database, owner, labels.map((own) => ({ labels: own, hash: hashOf(keyOf(own)) })))
  const series = labels.map((own) => ids.get(hashOf(keyOf(own)).toString('hex'))!)
  const totals = series.map(() => 0)
  for (let step = 0; step < 3 * 240; step++) {
    const timeMs = beginMs + step * 15_000
    // A clock of its own for each: nobody sends on the millisecond.
    const arrived = series.map((id, index): Arrived => ({ owner: 'bench/app', series: id, timeMs: timeMs + Math.floor(Math.random() * 20), value: index % 2 === 0 ? (totals[index]! += Math.floor(Math.random() * 50)) : 40 + Math.random() * 20 }))
    await insertPoints(database, arrived)
    // As often as upkeep does it.
    if (step % 12 === 11) {
      while (await compactOnce(database, { batchMs: -1, batchBytes: 0, chunkBytes: 8 * 1024 * 1024 }));
      // As autovacuum does, which comes once a minute.
      await database.query('vacuum metric_blocks')
    }
  }
}
