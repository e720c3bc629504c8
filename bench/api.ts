/**
 * Measures the API on many resources: GET, LIST 100 and PUT (with its event, audit row and queue entry), beside a bare put
 * through etcd's JSON gateway in the same run.
 *
 *   node bench/run.mjs api [resources=100000] [seconds=10] [connections=32]
 *
 * Needs wrk; etcd is left out when the machine has none.
 */
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Counter, Histogram, Registry } from 'prom-client'
import type { Actor } from '../packages/server/src/kernel/actor.ts'
import { createApi, createIdempotencyStore } from '../packages/server/src/kernel/api/index.ts'
import { createAuditLog } from '../packages/server/src/kernel/audit/audit.ts'
import { keptSealKey } from '../packages/server/src/kernel/audit/key.ts'
import { createEventRecorder } from '../packages/server/src/kernel/audit/events.ts'
import { systemClock } from '../packages/server/src/kernel/clock.ts'
import { connectDatabase, migrate, startEmbedded } from '../packages/server/src/kernel/db/index.ts'
import { KindRegistry } from '../packages/server/src/kernel/kind.ts'
import { createValidator } from '../packages/server/src/kernel/kube/validation.ts'
import { createLog } from '../packages/server/src/kernel/log.ts'
import { done, itself, ReconcileLoop, wakesOf, type Reconciler } from '../packages/server/src/kernel/reconcile/index.ts'
import { createResources, mayAct } from '../packages/server/src/kernel/resources/index.ts'
import { Feed } from '../packages/server/src/kernel/store/feed.ts'
import { createFieldIndexes, flushStatement } from '../packages/server/src/kernel/store/store.ts'
import { app } from '../packages/server/src/rooms/catalog/kinds.ts'
import { freePort, show } from './platform.ts'

const root = join(import.meta.dirname, '..', '..')
const appsPath = '/apis/pavior.dev/v1/namespaces/bench/apps'

if (process.argv[2] === 'serve') await serve(process.argv[3]!, Number(process.argv[4]))
else await measure()

async function measure(): Promise<void> {
  const [resources = 100_000, seconds = 10, connections = 32] = process.argv.slice(2).map(Number)
  if (spawnSync('wrk', ['-v']).error) return console.error('This benchmark needs wrk (Debian: apt-get install wrk).')
  const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
  chmodSync(directory, 0o755)
  const server = fork(process.argv[1]!, ['serve', directory, String(resources)])
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }]
    const run = (script: string): Figures => wrk(directory, `http://127.0.0.1:${port}`, script, seconds, connections)
    const id = `string.format("app-%06d", math.random(0, ${resources - 1}))`
    const get = run(`request = function() return wrk.format("GET", "${appsPath}/" .. ${id}) end`)
    const list = run(`request = function() return wrk.format("GET", "${appsPath}?limit=100") end`)
    const spec = '{"description":"" .. math.random(), "processes":{"web":{"command":"node .","replicas":2}}}'.replace('"" .. math.random()', '"\' .. math.random() .. \'"')
    const put = run(
      `request = function() local n = ${id}; return wrk.format("PUT", "${appsPath}/" .. n, {["content-type"]="application/json", ["authorization"]="Bearer x"}, '{"metadata":{"name":"' .. n .. '","labels":{"tier":"web"}},"spec":${spec}}') end`,
    )
    const etcd = await measureEtcd(directory, seconds, connections)
    console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${resources} resources, ${connections} connections, wrk on the same cores`)
    for (const [name, { perSecond, p50, p99, failed }] of Object.entries({ GET: get, 'LIST 100': list, PUT: put, ...(etcd ? { 'etcd put': etcd } : {}) })) {
      console.log(`  ${name.padEnd(9)} ${String(perSecond).padStart(7)} a second, p50 ${p50}, p99 ${p99}${failed > 0 ? `, ${failed} failed` : ''}`)
    }
    if (etcd) show('PUT (event, audit, queue) against etcd gateway put', `${(put.perSecond / etcd.perSecond).toFixed(2)} x`, '>= 0.5 x', put.perSecond >= etcd.perSecond / 2)
    else console.log('etcd is not on this machine: no ratio')
  } finally {
    server.kill('SIGTERM')
    await once(server, 'exit')
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Figures {
  perSecond: number
  p50: string
  p99: string
  failed: number
}

function wrk(directory: string, url: string, script: string, seconds: number, connections: number): Figures {
  const path = join(directory, 'wrk.lua')
  writeFileSync(path, `wrk.headers["authorization"] = "Bearer x"\n${script}\n`)
  const { stdout } = spawnSync('wrk', ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--latency', '-s', path, url], { encoding: 'utf8' })
  const find = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? ''
  return { perSecond: Math.round(Number(find(/Requests\/sec:\s+([\d.]+)/))), p50: find(/50%\s+(\S+)/), p99: find(/99%\s+(\S+)/), failed: Number(find(/Non-2xx or 3xx responses:\s+(\d+)/) || 0) }
}

async function measureEtcd(directory: string, seconds: number, connections: number): Promise<Figures | undefined> {
  if (spawnSync('etcd', ['--version']).error) return undefined
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const etcd = spawn(
    'etcd',
    ['--data-dir', join(directory, 'etcd'), '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`, '--log-level', 'error'],
    { stdio: 'ignore' },
  )
  try {
    await answers(`${client}/health`, etcd)
    const value = Buffer.from('x'.repeat(400)).toString('base64')
    const key = Buffer.from('apps/app-').toString('base64')
    return wrk(directory, client, `request = function() return wrk.format("POST", "/v3/kv/put", {["content-type"]="application/json"}, '{"key":"${key}' .. string.format("%08d", math.random(0, 99999999)) .. '","value":"${value}"}') end`, seconds, connections)
  } finally {
    etcd.kill('SIGTERM')
    await once(etcd, 'exit')
  }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} never answered`)
}

/** The server side: kernel and API on an embedded PostgreSQL, with one reconciler so that every write makes a queue entry. */
async function serve(directory: string, count: number): Promise<void> {
  const log = createLog('warn', 'bench')
  const embedded = await startEmbedded({ directory: join(directory, 'pg'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
  const database = await connectDatabase({ connection: embedded.connection, poolSize: 10, flushStatement, log })
  await migrate(database, join(root, 'packages/server/migrations'), log)
  const kinds = new KindRegistry([app])
  await createFieldIndexes(database, kinds.all)
  await seed(database, count)
  const feed = new Feed(database, log)
  await feed.start()
  const reconcilers: Reconciler[] = [{ name: 'bench', interests: [itself('App')], reconcile: async () => done }]
  const resources = createResources({ database, feed, kinds, validator: createValidator, wakes: wakesOf(reconcilers), admission: [], clock: systemClock })
  const metrics = new Registry()
  const loop = new ReconcileLoop({
    database,
    feed,
    reconcilers,
    metrics: {
      runs: new Counter({ name: 'runs', help: 'runs', labelNames: ['controller', 'outcome'] as const, registers: [metrics] }),
      seconds: new Histogram({ name: 'seconds', help: 'seconds', labelNames: ['controller'] as const, registers: [metrics] }),
    },
    log,
  })
  if (process.env.BENCH_RECONCILE) await loop.start()
  const actor: Actor = { name: 'user:bench', kind: 'user', admin: true, roles: new Map() }
  const audit = createAuditLog({ database, feed, key: await keptSealKey(join(directory, 'keys')), keepMs: 90 * 24 * 3600_000, clock: systemClock, registry: metrics, log })
  // What chaining the audit costs: measure again without it.
  if (!process.env.BENCH_UNCHAINED) await audit.part.start(new AbortController().signal)
  const well = { checks: [] }
  const api = createApi({
    kinds, resources, audit, routes: [], metrics, log, clock: systemClock, version: { version: 'bench' }, authorize: mayAct,
    authenticate: async () => actor,
    events: createEventRecorder(database) as never,
    idempotency: createIdempotencyStore(database),
    limits: { requestsPerSecond: 1e6, requestBurst: 1e6 },
    health: () => well, ready: () => well,
  })
  await api.listen({ port: 0, host: '127.0.0.1' })
  process.send!({ port: (api.server.address() as { port: number }).port })
  process.once('SIGTERM', async () => {
    await api.close()
    await loop.stop()
    await audit.part.stop()
    feed.stop()
    await database.close()
    await embedded.stop()
    process.exit(0)
  })
}

async function seed(database: Awaited<ReturnType<typeof connectDatabase>>, count: number): Promise<void> {
  await database.query(
    `insert into resources (kind, namespace, name, uid, rv, labels, object)
     select 'App', 'bench', n, id, 1, jsonb_build_object('tier', 'web'), jsonb_build_object('apiVersion', 'pavior.dev/v1', 'kind', 'App',
       'metadata', jsonb_build_object('name', n, 'namespace', 'bench', 'uid', id, 'generation', 1, 'resourceVersion', '', 'creationTimestamp', '2026-01-01T00:00:00Z', 'labels', jsonb_build_object('tier', 'web')),
       'spec', jsonb_build_object('description', 'An app to measure with.', 'processes', jsonb_build_object('web', jsonb_build_object('command', 'node .', 'replicas', 2))))
     from (select 'app-' || lpad(i::text, 6, '0') as n, gen_random_uuid() as id from generate_series(0, $1 - 1) as i) as s`,
    [count],
  )
  await database.query('analyze resources')
}
