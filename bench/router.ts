/**
 * What a request through the router costs in CPU time, against HAProxy and httpxy in the same run.
 * `node bench/run.mjs router [seconds per round] [rounds]`; needs `wrk`, and leaves out a peer that is missing.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCallerFinder } from '../packages/agent/src/callers.ts'
import { startRouter } from '../packages/agent/src/router/index.ts'
import { defaultSettings } from '../packages/agent/src/settings.ts'

const self = fileURLToPath(import.meta.url)
const connections = 32
const [seconds, rounds] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 3)]
/** An app that costs next to nothing, so that the proxy is what is measured. */
async function upstream(): Promise<number> {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 13\r\n\r\n'
  const answer = Buffer.from(`${head}Hello, world\n`)
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', () => socket.write(answer))
    socket.on('error', () => socket.destroy())
  })
  return listen(server)
}

async function httpxy(): Promise<number> {
  // Named by a variable, so that the project type-checks without what only benchmarks need.
  const module: string = 'httpxy'
  interface Proxy { web(request: object, response: object): Promise<void> }
  const { createProxyServer } = await import(module) as { createProxyServer(options: object): Proxy }
  const { Agent } = await import('node:http')
  const target = `http://127.0.0.1:${process.env.BENCH_UPSTREAM}`
  const proxy = createProxyServer({ target, agent: new Agent({ keepAlive: true }), xfwd: true })
  return listen(createHttpServer((request, response) => void proxy.web(request, response)))
}

async function pavior(): Promise<number> {
  const log = { info: () => {}, warn: console.error, error: console.error }
  const router = await startRouter({ port: 0, host: '127.0.0.1', workers: 1, log, workerEntry: process.env.BENCH_WORKER! })
  // As in the agent: every connection comes from this machine, so each is looked up.
  const processes = (): [string, number[]][] => [['bench/caller', [process.ppid]]]
  router.identifyCallers(createCallerFinder({ routerPort: router.port, appOfUser: undefined, processes, settings: defaultSettings, cpuMs: () => process.cpuUsage().system / 1000 }).find)
  const owner = { team: 'bench', app: 'hello', environment: 'production' }
  const upstreamPort = Number(process.env.BENCH_UPSTREAM)
  await router.update({
    generation: 1,
    routes: [{ id: 'r', ...owner, host: '127.0.0.1', path: '/', backends: [{ set: 's', weight: 100 }], requestTimeoutMs: 10_000 }],
    sets: [{ id: 's', ...owner, release: 1, process: 'web', endpoints: [{ instance: 'hello-1', host: '127.0.0.1', port: upstreamPort }] }],
  })
  return router.port
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)))
}

interface Peer {
  name: string
  port: number
  process: ChildProcess
  microseconds: number[]
  perSecond: number[]
}

async function compare(): Promise<void> {
  if (!hasCommand('wrk', ['-v'])) return console.log('skipped: `wrk` is not installed (apt-get install wrk)')
  const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
  const started: ChildProcess[] = []
  try {
    const app = await startRole('upstream', {}, started)
    const env = { BENCH_UPSTREAM: String(app.port), BENCH_WORKER: await bundleWorker(directory) }
    const peers = [
      await startRole('pavior', env, started), await startHaproxy(app.port, directory, started), await startHttpxy(env, started),
    ].filter((peer) => peer !== undefined)
    for (const peer of peers) load(peer.port, 1)
    for (let round = 0; round < rounds; round++) for (const peer of peers) measure(peer)
    report(peers)
  } finally {
    for (const child of started) child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  }
}

function hasCommand(command: string, probe: string[]): boolean {
  return spawnSync(command, probe).error === undefined
}

async function bundleWorker(directory: string): Promise<string> {
  const { build } = await import('esbuild')
  const root = join(dirname(self), '..', '..')
  const outfile = join(directory, 'router-worker.mjs')
  await build({
    entryPoints: [join(root, 'packages/agent/src/router/worker.ts')], outfile, bundle: true, platform: 'node', format: 'esm',
    target: 'node20',
    alias: { '@pavior/contract': join(root, 'packages/contract/src/index.ts') },
  })
  return outfile
}

async function startRole(name: string, env: Record<string, string>, started: ChildProcess[]): Promise<Peer> {
  const child = spawn(process.execPath, [self], {
    env: { ...process.env, ...env, BENCH_ROLE: name }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  started.push(child)
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(message as number))
    child.once('exit', (code) => reject(new Error(`${name} ended with exit code ${code}`)))
  })
  return { name, port, process: child, microseconds: [], perSecond: [] }
}

async function startHttpxy(env: Record<string, string>, started: ChildProcess[]): Promise<Peer | undefined> {
  try {
    import.meta.resolve('httpxy')
  } catch {
    console.log('httpxy left out: it is not installed (npm ci in bench/)')
    return undefined
  }
  return startRole('httpxy', env, started)
}

async function startHaproxy(upstreamPort: number, directory: string, started: ChildProcess[]): Promise<Peer | undefined> {
  if (!hasCommand('haproxy', ['-v'])) {
    console.log('haproxy left out: it is not installed (apt-get install haproxy)')
    return undefined
  }
  const file = join(directory, 'haproxy.cfg')
  const free = createServer()
  const port = await listen(free)
  await new Promise((resolve) => free.close(resolve))
  writeFileSync(file, `global
  nbthread 1
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  unique-id-format %{+X}o%ci:%cp_%Ts_%rt
  unique-id-header X-Request-Id
  default_backend app
backend app
  server app 127.0.0.1:${upstreamPort}
`)
  const child = spawn('haproxy', ['-f', file, '-db'], { stdio: ['ignore', 'ignore', 'ignore'] })
  started.push(child)
  for (let tries = 0; tries < 100 && load(port, 0) === 0; tries++) await new Promise((resolve) => setTimeout(resolve, 50))
  return { name: 'haproxy', port, process: child, microseconds: [], perSecond: [] }
}

/** Runs wrk for so many seconds (0: one request) and returns how many requests were answered. */
function load(port: number, duration: number): number {
  if (duration === 0) return spawnSync('bash', ['-c', 'exec 3<>"/dev/tcp/127.0.0.1/$0"', String(port)]).status === 0 ? 1 : 0
  const { stdout } = spawnSync('wrk', ['-t1', `-c${connections}`, `-d${duration}s`, `http://127.0.0.1:${port}/hello`], { encoding: 'utf8' })
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(stdout)
  if (failed) throw new Error(`port ${port} answered with failures: ${failed[0]}`)
  return Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0)
}

function measure(peer: Peer): void {
  const before = cpuSeconds(peer.process.pid!)
  const requests = load(peer.port, seconds)
  peer.microseconds.push((cpuSeconds(peer.process.pid!) - before) / requests * 1e6)
  peer.perSecond.push(requests / seconds)
}

const ticksPerSecond = 100

/** User and system time of a process and everything that it started. */
function cpuSeconds(root: number): number {
  const stats = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ')
      return [{ pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }]
    } catch {
      return []
    }
  })
  const sum = (pid: number): number => stats.filter((stat) => stat.parent === pid).reduce((total, stat) => total + sum(stat.pid), 0)
    + (stats.find((stat) => stat.pid === pid)?.ticks ?? 0)
  return sum(root) / ticksPerSecond
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

function report(peers: Peer[]): void {
  for (const { name, microseconds, perSecond } of peers) {
    const [cost, speed] = [median(microseconds).toFixed(1), median(perSecond).toFixed(0)]
    console.log(`${name.padEnd(8)} ${cost.padStart(6)} µs CPU a request   ${speed.padStart(6)} requests/s`)
  }
  const cost = (name: string): number => median(peers.find((peer) => peer.name === name)?.microseconds ?? [NaN])
  const line = (peer: string, limit: number): void => {
    const ratio = cost('pavior') / cost(peer)
    if (Number.isNaN(ratio)) return
    console.log(`pavior / ${peer.padEnd(8)} ${ratio.toFixed(2)}   (limit ${limit}: ${ratio <= limit ? 'met' : 'missed'})`)
  }
  line('httpxy', 0.45)
  line('haproxy', 2.5)
}

const roles: Record<string, () => Promise<number>> = { upstream, httpxy, pavior }
const role = roles[process.env.BENCH_ROLE ?? '']
if (role) {
  process.on('disconnect', () => process.exit(0))
  process.send!(await role())
} else {
  await compare()
}
