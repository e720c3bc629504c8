/**
 * Measures the supervisor: how much longer an instance takes to serve than a process that is simply spawned, and how
 * much of a core it costs to supervise many idle instances.
 *
 *   node bench/run.mjs supervisor [instances=200] [seconds=20] [starts=15]
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AgentEvent, DesiredSet, ObservedState } from '@pavior/contract'
import { freePort } from './platform.ts'

const [instances = 200, seconds = 20, starts = 15] = process.argv.slice(2).map(Number)
const root = join(import.meta.dirname, '..', '..')
const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
chmodSync(directory, 0o711)
const socket = join(directory, 's.sock')
const app = join(directory, 'app')
mkdirSync(app)
chmodSync(app, 0o755)

// Two apps: one like those that people write, and one that is small enough to run two hundred times.
const nodeCommand = ['node', 'server.mjs']
writeFileSync(
  join(app, 'server.mjs'),
  "import { createServer } from 'node:http'\ncreateServer((q, r) => r.end('ok')).listen(process.env.PORT)\n",
)
const perl = `use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $ENV{PORT}, Listen => 9, ReuseAddr => 1);
while (my $c = $s->accept) { my $l = <$c>; print $c "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok"; close $c }`
const idleCommand = spawnSync('perl', ['-e', 'use IO::Socket::INET']).status === 0 ? ['perl', '-e', perl] : nodeCommand

const agent = await startAgent()
try {
  const start = await measureStarts()
  const idle = await measureIdle()
  console.log(JSON.stringify({ machine: `${cpus().length} × ${cpus()[0]?.model}`, node: process.version, ...start, ...idle }, null, 2))
} finally {
  await call('POST', '/stop?instances=true')
  await new Promise((resolve) => agent.once('exit', resolve))
  rmSync(directory, { recursive: true, force: true })
}

/** Time until a port answers: spawned directly, and through the agent. */
async function measureStarts() {
  const plain: number[] = []
  const supervised: number[] = []
  for (let round = 0; round < starts; round++) {
    plain.push(await plainStart())
    supervised.push(await supervisedStart(round + 1))
  }
  const difference = median(supervised) - median(plain)
  return {
    plainSpawnMs: round(median(plain)),
    instanceStartMs: round(median(supervised)),
    instanceStartP90Ms: round(supervised.toSorted((one, other) => one - other)[Math.floor(starts * 0.9)] ?? 0),
    startDifferenceMs: round(difference),
    startRatio: round(median(supervised) / median(plain)),
    startTarget: 'difference <= 100 ms',
  }
}

async function plainStart(): Promise<number> {
  const port = await freePort()
  const begun = performance.now()
  const child = spawn('node', ['server.mjs'], { cwd: app, env: { PATH: process.env.PATH, PORT: String(port) }, stdio: 'ignore' })
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 2))
  const taken = performance.now() - begun
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
  return taken
}

/** From the moment that the server sends the state until it hears that the instance is healthy. */
async function supervisedStart(generation: number): Promise<number> {
  const watch = await open('GET', '/observed?watch=1')
  const lines = createInterface({ input: watch })
  const events: ((event: AgentEvent) => void)[] = []
  lines.on('line', (line) => events.forEach((listener) => listener(JSON.parse(line) as AgentEvent)))
  const healthy = new Promise<void>((resolve) =>
    events.push((event) => event.type === 'instance' && event.instance.state === 'healthy' && resolve()),
  )
  const begun = performance.now()
  await call('PUT', '/desired', { generation: generation * 2, sets: [set(1, nodeCommand)], routes: [] })
  await healthy
  const taken = performance.now() - begun
  const removed = new Promise<void>((resolve) => events.push((event) => event.type === 'removed' && resolve()))
  await call('PUT', '/desired', { generation: generation * 2 + 1, sets: [], routes: [] })
  await removed
  watch.on('error', () => {})
  lines.on('error', () => {})
  watch.destroy()
  return taken
}

async function measureIdle() {
  const begun = performance.now()
  await call('PUT', '/desired', { generation: 1_000_000, sets: [set(instances, idleCommand)], routes: [] })
  let state = await observed()
  while (state.instances.filter((each) => each.state === 'healthy').length < instances) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    state = await observed()
  }
  const allHealthyMs = performance.now() - begun
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const pids = state.processes.map((each) => each.pid)
  const before = pids.map(cpuSeconds)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const used = pids.map((pid, index) => (cpuSeconds(pid) - before[index]!) / seconds)
  return {
    instances,
    allHealthyMs: round(allHealthyMs),
    agentCoreShare: round(used[0] ?? 0),
    routerCoreShare: round(used.slice(1).reduce((sum, each) => sum + each, 0)),
    idleTarget: 'agent and router <= 0.05 of a core',
    pssMegabytes: round(pids.reduce((sum, pid) => sum + pssBytes(pid), 0) / 1024 / 1024),
    routerProcesses: pids.length - 1,
    host: state.host,
  }
}

function set(replicas: number, command: string[]): DesiredSet {
  return {
    id: 'bench',
    environment: 'production',
    release: 1,
    process: 'web',
    replicas,
    listens: true,
    workload: {
      team: 'bench',
      app: 'idle',
      directory: app,
      writable: false,
      command,
      env: {},
      limits: { memoryBytes: 256 * 1024 * 1024, cpu: 2, pids: 100 },
    },
    probe: { path: '/', intervalMs: 10_000, timeoutMs: 5000, failureThreshold: 3 },
    startTimeoutMs: 60_000,
    minReadyMs: 0,
    stopGraceMs: 500,
    drainTimeoutMs: 1000,
  }
}

async function startAgent(): Promise<ChildProcess> {
  const flags = { home: join(directory, 'home'), socket, 'router-port': '0', 'router-host': '127.0.0.1' }
  const child = spawn(process.execPath, [join(root, 'dist', 'agent.mjs'), ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => String(bytes).includes('agent ready') && resolve())
    child.once('exit', () => reject(new Error('the agent did not start')))
  })
  return child
}

function open(method: string, path: string, body?: unknown) {
  return new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({ socketPath: socket, method, path, agent: false }, resolve)
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body))
  })
}

async function call(method: string, path: string, body?: unknown): Promise<string> {
  let text = ''
  for await (const chunk of await open(method, path, body)) text += String(chunk)
  return text
}

async function observed(): Promise<ObservedState> {
  return JSON.parse(await call('GET', '/observed')) as ObservedState
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function pssBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
