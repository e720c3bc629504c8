/**
 * Logs: lines a second that a whole platform takes from its instances while its router serves, how late whoever follows sees a line
 * meanwhile, bytes of a line on disk, and how long it takes to find lines among many.
 *
 *   node bench/run.mjs logs [seconds=10] [millions=10]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase, migrate, startEmbedded, type PgDatabase } from '../packages/server/src/kernel/db/index.ts'
import { systemClock } from '../packages/server/src/kernel/clock.ts'
import { createLog } from '../packages/server/src/kernel/log.ts'
import { flushStatement } from '../packages/server/src/kernel/store/store.ts'
import { createLogReads } from '../packages/server/src/rooms/telemetry/logs/reads.ts'
import { makePartitions } from '../packages/server/src/kernel/db/partitions.ts'
import { lineTable, numbersFor } from '../packages/server/src/rooms/telemetry/logs/store.ts'
import { cpuSeconds, percentile, root, served, show, startPlatform, type BenchPlatform } from './platform.ts'

const [seconds = 10, millions = 10] = process.argv.slice(2).map(Number)
const writers = 4
const linesPerSecond = 40_000
/** Of the app that somebody follows meanwhile. */
const followedPerSecond = 100
const hourMs = 3600_000

const talker = `
const { createServer } = require('http')
createServer((request, response) => {
  response.end('ok')
  const at = new URL(request.url, 'http://x').searchParams
  const [rate, seconds] = [Number(at.get('rate')), Number(at.get('seconds'))]
  if (!rate) return
  const began = Date.now()
  let written = 0
  const timer = setInterval(() => {
    const due = Math.min(rate * seconds, Math.floor((rate * (Date.now() - began)) / 1000))
    let text = ''
    for (; written < due; written++) text += '{"level":30,"time":' + Date.now() + ',"msg":"order placed","reqId":"' + (written * 7919).toString(16).padStart(16, '0') + '","order":' + written + ',"ms":12}\\n'
    if (text) process.stdout.write(text)
    if (written >= rate * seconds) clearInterval(timer)
  }, 20)
}).listen(process.env.PORT)
process.on('SIGTERM', () => process.exit(0))
`

async function ingestion(): Promise<void> {
  const platform = await startPlatform({ PAVIOR_LOG_LINES_PER_SECOND: '1000000', PAVIOR_LOG_KIB_PER_SECOND: '1000000' })
  try {
    await platform.cli(['deploy'], join(root, 'examples/hello-node'))
    for (const name of ['followed', ...Array.from({ length: writers }, (_, index) => `talker-${index}`)]) await deployTalker(platform, name)
    const following = follow(platform, 'followed')
    const before = { lines: await stored(platform), cpu: cpuSeconds(platform) }
    const traffic = served(platform, seconds)
    const began = performance.now()
    await get(platform, 'followed.localhost', `/?rate=${followedPerSecond}&seconds=${seconds}`)
    for (let index = 0; index < writers; index++) await get(platform, `talker-${index}.localhost`, `/?rate=${linesPerSecond / writers}&seconds=${seconds}`)
    const wanted = (linesPerSecond + followedPerSecond) * seconds
    let lines = 0
    while (lines < wanted && performance.now() - began < seconds * 4000) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      lines = (await stored(platform)) - before.lines
    }
    const took = (performance.now() - began) / 1000
    console.log(`load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}; ${writers} instances write ${linesPerSecond} lines a second for ${seconds} s`)
    show('lines taken a second, with the router serving', `${(lines / took).toFixed(0)}/s`, '>= 30,000/s', lines / took >= 30_000)
    console.log(`  ${lines} of ${wanted} lines, the last ${(took - seconds).toFixed(1)} s after it was written; server CPU ${(((cpuSeconds(platform) - before.cpu) / lines) * 1e6).toFixed(1)} µs a line; lag p99 at most ${await lagP99(platform)} s`)
    const late = await following.end(followedPerSecond * seconds)
    show('from writing a line until a follower has it', `p50 ${percentile(late, 0.5).toFixed(0)} ms, p99 ${percentile(late, 0.99).toFixed(0)} ms`, '<= 1000 ms p99', late.length === followedPerSecond * seconds && percentile(late, 0.99) <= 1000)
    console.log(`  router meanwhile: ${(await traffic).toFixed(0)} requests/s`)
  } finally {
    await platform.stop()
  }
}

async function deployTalker(platform: BenchPlatform, name: string): Promise<void> {
  const directory = join(platform.home, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, private: true, scripts: { start: 'node server.js' } }))
  writeFileSync(join(directory, 'server.js'), talker)
  const { code, stderr } = await platform.cli(['deploy'], directory)
  if (code !== 0) throw new Error(stderr)
}

/** Follows the log of an app; `end` waits for so many lines and gives how late each was, in ms. */
function follow({ url, token }: BenchPlatform, app: string): { end: (lines: number) => Promise<number[]> } {
  const stop = new AbortController()
  const late: number[] = []
  const read = (async () => {
    // Its head comes with the first line.
    const response = await fetch(new URL(`/v1/teams/default/apps/${app}/logs?follow=1&tail=1000`, url), { headers: { authorization: `Bearer ${token}` }, signal: stop.signal })
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const at = /\\"time\\":(\d+)/.exec(line)?.[1]
        if (at) late.push(Date.now() - Number(at))
      }
    }
  })().catch(() => {})
  return {
    end: async (lines) => {
      for (let waited = 0; late.length < lines && waited < 10_000; waited += 100) await new Promise((resolve) => setTimeout(resolve, 100))
      stop.abort()
      await read
      return late
    },
  }
}

async function metrics({ url }: BenchPlatform): Promise<string> {
  return (await fetch(new URL('/metrics', url))).text()
}

async function stored(platform: BenchPlatform): Promise<number> {
  return Number(/^pavior_telemetry_log_lines_total (\d+)/m.exec(await metrics(platform))?.[1] ?? 0)
}

/** Upper bound of the bucket that the 99th of a hundred batches falls into. */
async function lagP99(platform: BenchPlatform): Promise<string> {
  const buckets = [...(await metrics(platform)).matchAll(/^pavior_telemetry_log_lag_seconds_bucket\{le="([^"]+)"\} (\d+)/gm)].map(([, le, count]) => ({ le: le!, count: Number(count) }))
  return buckets.find(({ count }) => count >= 0.99 * buckets.at(-1)!.count)!.le
}

function get({ routerPort }: BenchPlatform, host: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: routerPort, path, headers: { host } }, (response) => response.resume().on('end', resolve)).on('error', reject).end()
  })
}

const apps = 100
const hours = 24

/** Lines of a day, of a hundred apps; one in ten thousand says "refused". */
async function search(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
  const log = createLog('silent', 'bench')
  const embedded = await startEmbedded({ directory: join(directory, 'data'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
  const database = await connectDatabase({ connection: embedded.connection, poolSize: 4, flushStatement, log })
  try {
    await migrate(database, join(root, 'packages/server/migrations'), log)
    const beginMs = Math.floor(Date.now() / hourMs - hours) * hourMs
    await fill(database, beginMs)
    const { rows } = await database.query<{ bytes: string; heap: string }>("select sum(pg_total_relation_size(inhrelid)) as bytes, sum(pg_relation_size(inhrelid)) as heap from pg_inherits where inhparent = 'log_lines'::regclass")
    const lines = millions * 1e6
    show('bytes of a line on disk, with rows and indexes', `${(Number(rows[0]!.bytes) / lines).toFixed(0)} (indexes ${((Number(rows[0]!.bytes) - Number(rows[0]!.heap)) / lines).toFixed(0)})`, 'printed', true)
    const reads = createLogReads(database, systemClock)
    const app = (turn: number): { team: string; app: string } => ({ team: 'bench', app: `app-${(turn * 37) % apps}` })
    const quarter = (turn: number): { fromMs: number; untilMs: number } => ({ fromMs: beginMs + ((turn * 61) % 92) * 900_000, untilMs: beginMs + ((turn * 61) % 92) * 900_000 + 900_000 })
    await measure(`15 min of one app containing "refused" over ${millions} M lines`, 100, (turn) => reads.lines({ ...app(turn), ...quarter(turn), text: 'refused' }, 200))
    await measure('the newest 200 lines of one app', 100, (turn) => reads.lines({ ...app(turn), fromMs: 0, untilMs: Date.now() }, 200))
    await measure('a request id, in a day', 100, (turn) => reads.lines({ ...app(turn), fromMs: beginMs, untilMs: Date.now(), requestId: `request-${turn * 1009}` }, 200))
    await measure('the histogram of an hour of one app', 100, (turn) => reads.histogram({ ...app(turn), fromMs: beginMs + (turn % hours) * hourMs, untilMs: beginMs + ((turn % hours) + 1) * hourMs }))
  } finally {
    await database.close()
    await embedded.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(name: string, targetMs: number, ask: (turn: number) => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let turn = 0; turn < 60; turn++) {
    const began = performance.now()
    await ask(turn)
    times.push(performance.now() - began)
  }
  const p95 = percentile(times, 0.95)
  show(name, `p50 ${percentile(times, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`, `<= ${targetMs} ms p95`, p95 <= targetMs)
}

async function fill(database: PgDatabase, beginMs: number): Promise<void> {
  await makePartitions(database, lineTable, Array.from({ length: hours }, (_, hour) => beginMs + hour * hourMs))
  const numbers = await Promise.all(Array.from({ length: apps }, (_, index) => numbersFor(database, { team: 'bench', app: `app-${index}`, environment: 'production', release: 1, process: 'web', instance: `app-${index}-web-1` })))
  const perHour = (millions * 1e6) / hours
  const began = performance.now()
  for (let hour = 0; hour < hours; hour++) {
    await database.query(
      `insert into log_lines (at, seq, app, source, level, body, request_id)
       select to_timestamp($1::float8 + n * $2::float8), n, ($3::int[])[1 + n % $5], ($4::int[])[1 + n % $5], case when n % 50 = 0 then 4 when n % 10 = 0 then 3 else 2 end,
         '{"level":30,"time":1795312682909,"msg":"order ' || case when n % 10007 = 0 then 'refused' else 'placed' end || '","reqId":"request-' || ($6 + n) || '","order":' || n || ',"ms":12}', 'request-' || ($6 + n)
       from generate_series(0, $7::int) n`,
      [(beginMs + hour * hourMs) / 1000, 3600 / perHour, numbers.map(({ app }) => app), numbers.map(({ source }) => source), apps, Math.floor(hour * perHour), Math.floor(perHour) - 1],
    )
  }
  await database.query('analyze log_lines')
  console.log(`${millions} M lines of ${apps} apps over ${hours} h, filled in ${((performance.now() - began) / 1000).toFixed(0)} s; load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}`)
}

await ingestion()
await search()
process.exit(0)
