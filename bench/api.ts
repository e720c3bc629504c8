/**
 * The API on many resources against etcd's own gateway, a watch under writers, and the queue's takeover time.
 *
 *   node bench/run.mjs api [resources=100000] [seconds of watching=60]
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { percentile, show, startPlatform, type BenchPlatform } from './platform.ts'

const resources = Number(process.argv[2] ?? 100_000)
const watchSeconds = Number(process.argv[3] ?? 60)
const connections = 32
const measureMs = 8000

interface Figures {
  perSecond: number
  p99: number
}

async function load(pool: Pool, make: (index: number) => { method: 'GET' | 'PUT' | 'POST'; path: string; body?: string }, headers: Record<string, string>): Promise<Figures> {
  const latencies: number[] = []
  let next = 0
  const end = performance.now() + measureMs
  const began = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        const at = performance.now()
        const { statusCode, body } = await pool.request({ ...make(next++), headers })
        const text = await body.text()
        if (statusCode >= 300) throw new Error(`${statusCode} ${text.slice(0, 300)}`)
        latencies.push(performance.now() - at)
      }
    }),
  )
  return { perSecond: latencies.length / ((performance.now() - began) / 1000), p99: percentile(latencies, 0.99) }
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

async function measureEtcd(): Promise<Figures | undefined> {
  if (spawnSync('etcd', ['--version']).error) {
    console.log('etcd is not on this machine: left out')
    return undefined
  }
  const directory = mkdtempSync(join(tmpdir(), 'pavior-etcd-'))
  const [client, peer] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${client}`
  const etcd: ChildProcess = spawn('etcd', ['--data-dir', directory, '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', `http://127.0.0.1:${peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`, '--initial-cluster', `default=http://127.0.0.1:${peer}`, '--log-level', 'error'], { stdio: 'ignore' })
  try {
    for (;;) if (await fetch(`${url}/health`).then((answer) => answer.ok, () => false)) break
    const pool = new Pool(url, { connections })
    const value = Buffer.from(JSON.stringify(app('x', 1))).toString('base64')
    const figures = await load(pool, (index) => ({ method: 'POST', path: '/v3/kv/put', body: JSON.stringify({ key: Buffer.from(`/apps/bench/app-${index % resources}`).toString('base64'), value }) }), { 'content-type': 'application/json' })
    await pool.close()
    return figures
  } finally {
    etcd.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

function app(name: string, version: number): object {
  return { apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name, labels: { tier: String(version % 7) } }, spec: { description: `version ${version}`, env: { LOG_LEVEL: 'info', REGION: 'here' } } }
}

const base = '/apis/pavior.dev/v1/namespaces/default/apps'

async function seed(pool: Pool, headers: Record<string, string>): Promise<void> {
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < resources) {
        const index = next++
        const { statusCode, body } = await pool.request({ method: 'POST', path: base, body: JSON.stringify(app(`app-${index}`, 0)), headers })
        await body.dump()
        if (statusCode !== 201) throw new Error(`create: ${statusCode}`)
      }
    }),
  )
  console.log(`created ${resources} apps at ${Math.round(resources / ((performance.now() - began) / 1000))} a second`)
}

async function measureWatch(platform: BenchPlatform, pool: Pool, headers: Record<string, string>): Promise<void> {
  const { resourceVersion } = ((await (await pool.request({ method: 'GET', path: `${base}?limit=1`, headers })).body.json()) as { metadata: { resourceVersion: string } }).metadata
  const sentAt = new Map<string, number>()
  const told = new Set<string>()
  const delays: number[] = []
  const seen: bigint[] = []
  const abort = new AbortController()
  const response = await fetch(`${platform.url}${base}?watch=true&resourceVersion=${resourceVersion}`, { headers, signal: abort.signal })
  let received = 0
  const reading = (async () => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        if (!line) continue
        const { type, object } = JSON.parse(line)
        if (type === 'BOOKMARK') continue
        const at = sentAt.get(object.spec.description)
        // The status that a reconciler writes afterwards shows the same spec once more.
        if (at === undefined || told.has(object.spec.description)) continue
        told.add(object.spec.description)
        received++
        delays.push(performance.now() - at)
        seen.push(BigInt(object.metadata.resourceVersion))
      }
    }
  })().catch(() => {})
  const end = performance.now() + watchSeconds * 1000
  let written = 0
  await Promise.all(
    Array.from({ length: connections }, async (_, writer) => {
      for (let round = 0; performance.now() < end; round++) {
        const name = `app-${(writer * 1009 + round) % resources}`
        const description = `${writer}/${round}`
        sentAt.set(description, performance.now())
        const { statusCode, body } = await pool.request({ method: 'PUT', path: `${base}/${name}`, headers, body: JSON.stringify({ ...app(name, round), spec: { description } }) })
        await body.dump()
        if (statusCode < 300) written++
        else sentAt.delete(description)
      }
    }),
  )
  const deadline = performance.now() + 10_000
  while (received < written && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  abort.abort()
  await reading
  const reordered = seen.filter((version, index) => index > 0 && version <= seen[index - 1]!).length
  const p99 = percentile(delays, 0.99)
  show(`watch: 32 writers for ${watchSeconds} s, events lost or reordered`, `${written - received} lost, ${reordered} reordered of ${written}`, '0', written === received && reordered === 0)
  show('watch: delivery from request sent to event read, p99', `${p99.toFixed(0)} ms`, '<= 150 ms', p99 <= 150)
}

const etcd = await measureEtcd()
const platform = await startPlatform({ PAVIOR_REQUESTS_PER_SECOND: '1000000', PAVIOR_LOG_LEVEL: 'warn' })
const pool = new Pool(platform.url, { connections })
const headers = { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json' }
try {
  await seed(pool, headers)
  const random = (): number => Math.floor(Math.random() * resources)
  const get = await load(pool, () => ({ method: 'GET', path: `${base}/app-${random()}` }), headers)
  const list = await load(pool, () => ({ method: 'GET', path: `${base}?limit=100` }), headers)
  let version = 0
  const put = await load(pool, () => {
    const name = `app-${random()}`
    return { method: 'PUT', path: `${base}/${name}`, body: JSON.stringify(app(name, ++version)) }
  }, headers)
  console.log(`on ${resources} resources, ${connections} connections, client on the same 2 cores:`)
  console.log(`  GET       ${get.perSecond.toFixed(0)} a second, p99 ${get.p99.toFixed(1)} ms`)
  console.log(`  LIST 100  ${list.perSecond.toFixed(0)} a second, p99 ${list.p99.toFixed(1)} ms`)
  console.log(`  PUT       ${put.perSecond.toFixed(0)} a second, p99 ${put.p99.toFixed(1)} ms`)
  if (etcd) {
    console.log(`  etcd put  ${etcd.perSecond.toFixed(0)} a second, p99 ${etcd.p99.toFixed(1)} ms`)
    const ratio = put.perSecond / etcd.perSecond
    show('PUT (event, audit, queue) against etcd gateway put', `${ratio.toFixed(2)} x`, '>= 0.5 x', ratio >= 0.5)
  }
  await measureWatch(platform, pool, headers)
} finally {
  await pool.close()
  await platform.stop()
}
