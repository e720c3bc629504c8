/**
 * Measures queries over ranges: an hour of 1,000 counters at a step of 15 s, from memory and from the store (embedded PostgreSQL),
 * against the Prometheus of this machine where there is one.
 *
 *   node bench/run.mjs promql [rounds=15]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../packages/server/src/kernel/clock.ts'
import { connectDatabase, migrate, startEmbedded } from '../packages/server/src/kernel/db/index.ts'
import { createLog } from '../packages/server/src/kernel/log.ts'
import { flushStatement } from '../packages/server/src/kernel/store/store.ts'
import { compactOnce } from '../packages/server/src/rooms/telemetry/metrics/compact.ts'
import { labelsOf } from '../packages/server/src/rooms/telemetry/metrics/names.ts'
import { createSeriesSource } from '../packages/server/src/rooms/telemetry/metrics/select.ts'
import type { Series, SeriesSource } from '../packages/server/src/rooms/telemetry/metrics/series.ts'
import { hashOf, insertPoints, keyOf, makeSeries } from '../packages/server/src/rooms/telemetry/metrics/store.ts'
import { answerQuery } from '../packages/server/src/rooms/telemetry/promql/query.ts'
import { queryRoutes } from '../packages/server/src/rooms/telemetry/query/routes.ts'
import { memorySource } from '../packages/server/src/rooms/telemetry/testing/memory-source.ts'
import { hasPrometheus, startPrometheus } from '../packages/server/src/rooms/telemetry/testing/prometheus.ts'

const [rounds = 15] = process.argv.slice(2).map(Number)
const [seriesCount, everyMs, hourMs, stepSeconds] = [1000, 15_000, 3600_000, 15]
// What is older than the raw points is thinned out, so that it is the last hour.
const endMs = Math.floor(Date.now() / everyMs) * everyMs
const beginMs = endMs - hourMs - 300_000

const queries = {
  rate: 'rate(x[5m])',
  'sum of rate': 'sum by (app) (rate(x[5m]))',
  'share of two': 'sum by (app) (rate(x{code="500"}[5m])) / sum by (app) (rate(x[5m]))',
  'average of 30 min': 'avg_over_time(x[30m])',
  'top 5': 'topk(5, rate(x[5m]))',
}

const series = Array.from({ length: seriesCount }, (_, index): Series => {
  const count = Math.floor((endMs - beginMs) / everyMs) + 1
  const times = Float64Array.from({ length: count }, (_each, step) => beginMs + step * everyMs)
  const values = Float64Array.from({ length: count }, (_each, step) => (step % 150) * (index + 1) * 0.7)
  return { labels: { __name__: 'x', team: 'bench', app: `app-${index % 50}`, instance: `i-${index}`, code: index % 10 === 0 ? '500' : '200' }, times, values }
})
const source = memorySource(series)
const window = { startMs: beginMs + 300_000, endMs, stepMs: stepSeconds * 1000 }

const server = Fastify()
server.decorateRequest('actor')
server.addHook('onRequest', async (request) => void (request.actor = { name: 'user:bench', kind: 'user', admin: true, roles: new Map() }))
server.register(async (scope) => queryRoutes({ source, clock: systemClock, version: '0' })(scope))
const url = await server.listen({ host: '127.0.0.1', port: 0 })
const prometheus = (await hasPrometheus()) ? await startPrometheus() : undefined
await prometheus?.write(series)

const stored = await storedSource()
const rows = []
for (const [name, text] of Object.entries(queries)) {
  const evaluationMs = await median(() => evaluate(source, text))
  const fromStoreMs = await median(() => evaluate(stored.source, text))
  const answeredMs = await median(() => ask(`${url}/prometheus`, text))
  const prometheusMs = prometheus && (await median(() => ask(prometheus.url, text)))
  rows.push({ query: text, name, evaluationMs, fromStoreMs, answeredMs, prometheusMs, ratio: prometheusMs && round(answeredMs / prometheusMs) })
}
const stall = await longestStall()
console.log(JSON.stringify({ machine: `${cpus().length} × ${cpus()[0]?.model}`, node: process.version, series: seriesCount, points: seriesCount * series[0]!.times.length, steps: hourMs / 1000 / stepSeconds + 1, rows, longestStallMs: stall }, null, 2))
await prometheus?.stop()
await server.close()
await stored.stop()
process.exit(0)

async function evaluate(from: SeriesSource, text: string): Promise<void> {
  const answer = await answerQuery({ source: from, now: () => performance.now(), pause: setImmediate }, { text, teams: undefined, ...window, signal: AbortSignal.timeout(60_000) })
  if (answer.type !== 'vector' || answer.columns.length === 0) throw new Error(`${text} gives nothing`)
}

/** The same series in the store, compacted as upkeep does it. */
async function storedSource(): Promise<{ source: SeriesSource; stop: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
  const log = createLog('silent', 'bench')
  const embedded = await startEmbedded({ directory: join(directory, 'data'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
  const database = await connectDatabase({ connection: embedded.connection, poolSize: 4, flushStatement, log })
  await migrate(database, join(import.meta.dirname, '..', '..', 'packages/server/migrations'), log)
  const ids: number[] = []
  for (const { labels: { __name__: name = '', team = '', app = '', instance = '', code = '' } } of series) {
    const labels = labelsOf(name, [['code', code]], { team, app, instance })
    const hash = hashOf(keyOf(labels))
    ids.push((await makeSeries(database, { team, app }, [{ labels, hash }])).get(hash.toString('hex'))!)
  }
  for (const [step, timeMs] of series[0]!.times.entries()) {
    await insertPoints(database, series.map(({ labels, values }, index) => ({ owner: `bench/${labels.app}`, series: ids[index]!, timeMs, value: values[step]! })))
    if (step % 12 === 11) while (await compactOnce(database, { batchMs: -1, batchBytes: 0, chunkBytes: 8 * 1024 * 1024 }));
  }
  await database.query('vacuum analyze metric_blocks')
  return {
    source: createSeriesSource(database),
    stop: async () => {
      await database.close()
      await embedded.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function ask(base: string, query: string): Promise<void> {
  const response = await fetch(`${base}/api/v1/query_range?${new URLSearchParams({ query, start: String(window.startMs / 1000), end: String(window.endMs / 1000), step: String(stepSeconds) }).toString()}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
}

/** How long nothing else had its turn while a heavy query was evaluated. */
async function longestStall(): Promise<number> {
  let [longest, last] = [0, performance.now()]
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await evaluate(source, 'sum(avg_over_time(x[30m]))')
  clearInterval(timer)
  return round(longest)
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < rounds + 2; run++) {
    const began = performance.now()
    await work()
    // The first ones warm up.
    if (run >= 2) times.push(performance.now() - began)
  }
  return round(times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)]!)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
