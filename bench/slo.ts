/**
 * Measures what objectives cost: so many apps with one each and traffic in every interval, looked at as often as the server would.
 *
 *   node bench/run.mjs slo [objectives=2000] [minutes=4]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemActor } from '../packages/server/src/kernel/actor.ts'
import { createEventRecorder } from '../packages/server/src/kernel/audit/events.ts'
import { connectDatabase, migrate, startEmbedded } from '../packages/server/src/kernel/db/index.ts'
import { KindRegistry } from '../packages/server/src/kernel/kind.ts'
import { createValidator } from '../packages/server/src/kernel/kube/validation.ts'
import { createLog } from '../packages/server/src/kernel/log.ts'
import { Mirror } from '../packages/server/src/kernel/resources/mirror.ts'
import { createResources } from '../packages/server/src/kernel/resources/index.ts'
import { Feed } from '../packages/server/src/kernel/store/feed.ts'
import { createFieldIndexes, flushStatement } from '../packages/server/src/kernel/store/store.ts'
import type { Slo } from '../packages/server/src/rooms/reliability/slo/evaluate.ts'
import { evaluateOnce, pauseAfter } from '../packages/server/src/rooms/reliability/slo/evaluator.ts'
import { slo } from '../packages/server/src/rooms/reliability/slo/kinds.ts'
import { appMinutes, changedMinutes, minuteCounts, newestBatch } from '../packages/server/src/rooms/telemetry/minutes.ts'

const [objectives = 2000, minutes = 4] = process.argv.slice(2).map(Number)
const intervalMs = 5000
const minuteMs = 60_000
const ticksPerSecond = 100

const log = createLog('silent', 'bench')
const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-slo-'))
const embedded = await startEmbedded({ directory: join(directory, 'data'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
const database = await connectDatabase({ connection: embedded.connection, poolSize: 10, flushStatement, log })
await migrate(database, join(import.meta.dirname, '..', '..', 'packages/server/migrations'), log, (tx) => createFieldIndexes(tx, [slo]))
const feed = new Feed(database, log)
await feed.start()
let now = Math.floor(Date.now() / minuteMs) * minuteMs
const clock = { now: () => new Date(now) }
const resources = createResources({ database, feed, kinds: new KindRegistry([slo]), validator: createValidator, wakes: () => [], admission: [], clock })
const slos = new Mirror<Slo>(resources, 'Slo', log)
const ended = new AbortController()
await slos.start(ended.signal)
const signals = { minutes: { changed: changedMinutes, newestBatch, counts: minuteCounts, ofApp: appMinutes, busyApps: async () => [] }, takenAt: clock.now }
const deps = { database, resources, slos, signals, query: undefined, events: createEventRecorder(database), clock, log }

const actor = systemActor('bench')
for (let index = 0; index < objectives; index += 50) {
  await Promise.all(Array.from({ length: Math.min(50, objectives - index) }, (_, offset) => resources.create(actor, 'Slo', 'bench', { metadata: { name: `app-${index + offset}` }, spec: { app: `app-${index + offset}`, indicator: { golden: 'requests' }, objective: 0.995 } })))
}
await traffic(1)
await evaluateOnce(deps)

const looks: { server: number; database: number; wallMs: number }[] = []
let written = 0
const end = now + minutes * minuteMs
while (now < end) {
  const passed = Math.ceil(pauseAfter(looks.at(-1)?.wallMs ?? 0) / intervalMs)
  now += passed * intervalMs
  await traffic(passed)
  const before = { cpu: process.cpuUsage(), database: databaseSeconds(), at: performance.now(), version: await version() }
  await evaluateOnce(deps)
  const used = process.cpuUsage(before.cpu)
  looks.push({ server: (used.user + used.system) / 1e6, database: databaseSeconds() - before.database, wallMs: performance.now() - before.at })
  written += (await version()) - before.version
}
const perMinute = (pick: (look: (typeof looks)[number]) => number): number => Number((looks.reduce((sum, look) => sum + pick(look), 0) / minutes).toFixed(2))
console.log(
  JSON.stringify(
    {
      machine: `${cpus().length} × ${cpus()[0]?.model}`,
      node: process.version,
      objectives,
      minutes,
      looksAMinute: looks.length / minutes,
      statusesWrittenAMinute: Math.round(written / minutes),
      serverCpuSecondsAMinute: perMinute(({ server }) => server),
      databaseCpuSecondsAMinute: perMinute(({ database: seconds }) => seconds),
      slowestLookMs: Math.round(Math.max(...looks.map(({ wallMs }) => wallMs))),
    },
    null,
    2,
  ),
)
ended.abort()
feed.stop()
await database.close()
await embedded.stop()
rmSync(directory, { recursive: true, force: true })
process.exit(0)

/** What every app did in the last intervals, as the collector stores it. */
async function traffic(intervals: number): Promise<void> {
  for (let back = 1; back <= intervals; back++) {
    const at = new Date(now - back * intervalMs)
    await database.query(
      `insert into traffic (at, team, app, environment, release, interval_ms, statuses, router_errors, durations, duration_ms, bytes_in, bytes_out)
       select $1, 'bench', 'app-' || n, 'production', 1, 5000, array[0, 50, 0, 0, (random() < 0.2)::int], 0, array[0,0,0,0,50,0,0,0,0,0,0,0,0,0], 0, 0, 0 from generate_series(0, $2::int - 1) n on conflict do nothing`,
      [at, objectives],
    )
    await database.query(
      `with batch as (insert into counters (name, value) values ('traffic batch', 1) on conflict (name) do update set value = counters.value + 1 returning value)
       insert into traffic_minutes select $1, value from batch on conflict (minute) do update set batch = excluded.batch`,
      [Math.floor(at.getTime() / minuteMs)],
    )
  }
}

async function version(): Promise<number> {
  return Number((await resources.list(actor, 'Slo', 'bench', { limit: 1 })).resourceVersion)
}

/** CPU time of the database's processes, those that are gone not counted. */
function databaseSeconds(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).reduce((sum, pid) => sum + secondsOf(pid), 0)
}

function secondsOf(pid: string): number {
  try {
    if (!readFileSync(`/proc/${pid}/cwd/../data/postmaster.pid`, 'utf8').includes(directory)) return 0
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return 0
  }
}
