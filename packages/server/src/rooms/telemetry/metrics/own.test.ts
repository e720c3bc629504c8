import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { durationBucketsMs, type RequestRecord } from '@pavior/contract'
import { Counter, Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../kernel/clock.ts'
import { createLog } from '../../../kernel/log.ts'
import type { RunningInstance, TrafficSource } from '../ports.ts'
import { takeTraffic } from '../traffic/collect.ts'
import { isStale } from './encoding.ts'
import { countTraffic, nothingSeen, storeOwn } from './own.ts'
import { scrapeOnce } from './scrape.ts'
import { pointsIn, shop, testMetrics } from './testing.ts'

const log = createLog('silent', 'test')
const instance: RunningInstance = { id: 'shop-web-3-a', ...shop, environment: 'production', release: 3, process: 'web', port: 1, healthy: true, asleep: false, restarts: 1, outOfMemoryKills: 0, cpuSeconds: 2.5, memoryBytes: 4096 }
const labels = { ...shop, environment: 'production', release: '3', instance: instance.id }

function record(sequence: number, atMs: number, ok: number, failed: number): RequestRecord {
  const durationBuckets = [...durationBucketsMs.map(() => 0), 0]
  durationBuckets[2] = ok
  durationBuckets[13] = failed
  return { sequence, from: new Date(atMs).toISOString(), intervalMs: 5000, ...shop, environment: 'production', release: 3, instance: instance.id, statusClasses: [0, ok, 0, 0, failed], routerErrors: failed, durationBuckets, durationSumMs: 40, bytesIn: 100, bytesOut: 1000 }
}

test('what the router counted becomes counters, once, whoever takes it, and however often it fails', async () => {
  const { database, registry, read, nowMs, another } = await testMetrics()
  const at = Math.floor(nowMs / 5000) * 5000 - 60_000
  const records = Array.from({ length: 10 }, (_, index) => record(index + 1, at + index * 5000, 3, 1))
  const source: TrafficSource = { name: 'agent', requests: async (after) => ({ records: records.filter(({ sequence }) => sequence > after).slice(0, 2), last: Math.min(after + 2, 10) }) }
  const registries = [registry, another().registry]
  let faults = 3
  const take = async (turn: number): Promise<void> => {
    for (let idle = 0; idle < 12; ) {
      const taken = await takeTraffic(database, source, undefined, undefined, async (tx, given) => {
        await countTraffic(tx, registries[turn]!, given)
        if (faults-- > 0) throw new Error('the connection broke')
      }).catch(() => 0)
      if (taken === 0) idle++
    }
  }
  await Promise.all([take(0), take(1)])
  const requests = await read('pavior_http_requests_total')
  expect(requests.map((series) => [series.labels.code, series.values.at(-1)])).toEqual([['2xx', 30], ['3xx', 0], ['4xx', 0], ['5xx', 10]])
  expect(requests[0]!.labels).toEqual({ __name__: 'pavior_http_requests_total', code: '2xx', ...labels })
  expect(pointsIn(requests[0]!, at)).toEqual([[0, 0], ...Array.from({ length: 10 }, (_, index) => [(index + 1) * 5000, (index + 1) * 3])])
  const buckets = new Map((await read('pavior_http_request_duration_seconds_bucket')).map((series) => [series.labels.le, series.values.at(-1)]))
  expect([buckets.get('0.0025'), buckets.get('0.005'), buckets.get('10'), buckets.get('+Inf')]).toEqual([0, 30, 30, 40])
  expect((await read('pavior_http_request_duration_seconds_sum'))[0]!.values.at(-1)).toBeCloseTo(0.4)
})

test('instances and the server are measured, and a counter of an idle instance goes on', async () => {
  const { database, registry, ingest, read, nowMs } = await testMetrics()
  const metrics = new Registry()
  new Counter({ name: 'done_total', help: 'Things that were done.', registers: [metrics] }).inc(5)
  new Counter({ name: 'pavior_builds_total', help: 'Builds.', labelNames: ['team', 'app', 'outcome'], registers: [metrics] }).inc({ ...shop, outcome: 'Failed' })
  let later = 0
  const clock = { now: () => new Date(nowMs + later) }
  const once = (): Promise<void> => storeOwn({ database, ingest, registry, instances: { known: () => [instance], current: async () => [instance] }, metrics, serverName: () => 'here:1', clock, log })
  await once()
  const [cpu] = await read('pavior_instance_cpu_seconds_total')
  expect([cpu!.labels, pointsIn(cpu!, nowMs)]).toEqual([{ __name__: 'pavior_instance_cpu_seconds_total', process: 'web', ...labels }, [[0, 2.5]]])
  // The first event of a counter is a rise, so it begins with nothing at the look before.
  expect(pointsIn((await read('done_total', { teams: 'every' }))[0]!, nowMs)).toEqual([[-15_000, 0], [0, 5]])
  // What is of an app is its team's.
  expect((await read('pavior_builds_total'))[0]!.labels).toEqual({ __name__: 'pavior_builds_total', ...shop, outcome: 'Failed', instance: 'here:1' })
  expect((await read('done_total', { teams: 'every' }))[0]!.labels).toEqual({ __name__: 'done_total', instance: 'here:1' })
  expect(await read('done_total')).toEqual([])
  expect((await read('pavior_http_requests_total'))[0]!.values.at(-1)).toBe(0)

  // What the router counted for a time before the last that is known is added there: a counter never falls.
  await database.transaction((tx) => countTraffic(tx, registry, [record(1, nowMs - 20_000, 4, 0)]))
  later = 15_000
  await database.query("update metric_turns set at = at - interval '1 minute'")
  await once()
  expect(pointsIn((await read('pavior_http_requests_total'))[0]!, nowMs)).toEqual([[-10_001, 0], [-10_000, 4], [5000, 4]])
})

test('what an instance used ends with it, so that sums do not count it beside the one in its place', async () => {
  const { database, registry, ingest, read, nowMs } = await testMetrics()
  let [running, later] = [[instance], 0]
  const seen = nothingSeen(nowMs)
  const look = async (): Promise<void> => {
    await database.query("update metric_turns set at = at - interval '1 minute'")
    await storeOwn({ database, ingest, registry, instances: { known: () => running, current: async () => running }, metrics: new Registry(), serverName: () => 'here:1', clock: { now: () => new Date(nowMs + later) }, log }, seen)
  }
  await look()
  ;[running, later] = [[{ ...instance, id: 'another' }], 15_000]
  await look()
  const [next, ended] = await read('pavior_instance_memory_bytes')
  expect([next!.labels.instance, ended!.labels.instance]).toEqual(['another', instance.id])
  expect([...ended!.times].map((time) => time - nowMs)).toEqual([0, 15_000])
  expect([isStale(ended!.values, 0), isStale(ended!.values, 1), isStale(next!.values, 0)]).toEqual([false, true, false])
  later = 30_000
  await look()
  expect((await read('pavior_instance_memory_bytes'))[1]!.times).toHaveLength(2)
})

test('a clock that was far ahead for a while does not hide what comes after it was set right', async () => {
  const { database, registry, read, nowMs } = await testMetrics()
  const count = (sequence: number, atMs: number): Promise<void> => database.transaction((tx) => countTraffic(tx, registry, [record(sequence, atMs, 1, 0)]))
  await count(1, nowMs - 60_000)
  await count(2, nowMs + 48 * 3600_000)
  await count(3, nowMs - 30_000)
  expect(pointsIn((await read('pavior_http_requests_total'))[0]!, nowMs)).toEqual([[-60_000, 0], [-55_000, 1], [-25_000, 3]])
})

async function endpoint(answer: (path: string) => { status?: number; body: string }): Promise<number> {
  const server: Server = createServer(({ url = '' }, response) => {
    const { status = 200, body } = answer(url)
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

test('an app that shows metrics is asked by one of several servers, and what it shows is its own', async () => {
  const { database, ingest, read, another } = await testMetrics()
  const other = another()
  let asked = 0
  const port = await endpoint((path) => {
    asked++
    if (path === '/fine') return { body: '# TYPE jobs_total counter\njobs_total{queue="a",app="forged"} 4\npavior_http_requests_total{code="2xx"} 1000000\n' }
    return path === '/moved' ? { status: 302, body: '' } : path === '/endless' ? { body: 'a 1\n'.repeat(1_100_000) } : { body: '<html>' }
  })
  const shown = (path: string, id: string): RunningInstance => ({ ...instance, id, port, metrics: { path } })
  const known = (): RunningInstance[] => [shown('/fine', 'a'), shown('/html', 'b'), shown('/moved', 'c'), shown('/endless', 'd'), { ...shown('/fine', 'e'), asleep: true }, { ...shown('/fine', 'f'), port: undefined }] as RunningInstance[]
  const instances = { known, current: async () => known() }
  const signal = new AbortController().signal
  const answered = await Promise.all([ingest, other.ingest].map((way) => scrapeOnce({ database, ingest: way, instances, clock: systemClock, log }, signal)))
  expect([answered[0]! + answered[1]!, asked]).toEqual([1, 4])
  expect((await read('jobs_total')).map((series) => [series.labels, series.values[0]])).toEqual([[{ __name__: 'jobs_total', queue: 'a', exported_app: 'forged', job: 'shop/web', ...labels, instance: 'a' }, 4]])
  expect(await read('pavior_http_requests_total')).toEqual([])
  expect(await read('exported_pavior_http_requests_total')).toHaveLength(1)
  expect((await read('up')).map((series) => [series.labels.instance, series.values[0]]).toSorted()).toEqual([['a', 1], ['b', 0], ['c', 0], ['d', 0]])
})
