/** A real agent on a temporary home, and a client for it. Only the router is a double where a test does not need one. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pino from 'pino'
import type {
  AgentEvent,
  DesiredSet,
  DesiredState,
  InstanceStatus,
  LogLine,
  ObservedState,
  RequestRecord,
  RequestSpan,
  TaskSpec,
  TaskStatus,
  Workload,
} from '@pavior/contract'
import { createAgent, type Agent } from '../src/agent.ts'
import type { HostChoice } from '../src/detect.ts'
import type { Router, RouterListener, RouterTable } from '../src/router/index.ts'
import type { AgentSettings } from '../src/settings.ts'

export const megabyte = 1024 * 1024
export const isRoot = process.getuid?.() === 0

/** A directory with a space and a quote in its name, reachable for other users. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "pavior it's "))
  chmodSync(directory, 0o711)
  return directory
}

export function writeApp(directory: string, files: Record<string, string>): string {
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o755)
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text)
    chmodSync(join(directory, name), text.startsWith('#!') ? 0o755 : 0o644)
  }
  return directory
}

/** A web app that answers with its pid, logs its start, and ends in order on SIGTERM. */
export const webApp = `
import { createServer } from 'node:http'
const server = createServer((request, response) => response.end(String(process.pid)))
server.listen(process.env.PORT, () => console.log('listening on', process.env.PORT))
process.on('SIGTERM', () => { console.log('ending'); server.close(() => process.exit(0)); server.closeAllConnections() })
`

export function workload(directory: string, command: string[], over: Partial<Workload> = {}): Workload {
  return {
    team: 'payments',
    app: 'shop',
    directory,
    writable: false,
    command,
    env: {},
    limits: { memoryBytes: 512 * megabyte, cpu: 2, pids: 200 },
    ...over,
  }
}

export function desiredSet(load: Workload, over: Partial<DesiredSet> = {}): DesiredSet {
  return {
    id: 'set-1',
    environment: 'production',
    release: 1,
    process: 'web',
    replicas: 1,
    workload: load,
    listens: true,
    probe: { intervalMs: 500, timeoutMs: 1000, failureThreshold: 3 },
    startTimeoutMs: 20_000,
    minReadyMs: 100,
    stopGraceMs: 5000,
    drainTimeoutMs: 5000,
    ...over,
  }
}

export function task(load: Workload, over: Partial<TaskSpec> = {}): TaskSpec {
  return { workload: load, timeoutMs: 60_000, ...over }
}

/** Remembers what it was told; a drain can be held open. */
export class RouterDouble implements Router {
  readonly port = 1
  readonly tables: RouterTable[] = []
  readonly log: string[] = []
  records: RequestRecord[] = []
  holdDrain?: Promise<void>
  listener?: RouterListener
  inFlight = 0

  async update(table: RouterTable): Promise<void> {
    this.tables.push(table)
    this.log.push(`update ${endpointsOf(table).join(',')}`)
  }

  async drain(instance: string): Promise<{ inFlight: number }> {
    this.log.push(`drain ${instance}`)
    await this.holdDrain
    return { inFlight: this.inFlight }
  }

  takeSpans(): RequestSpan[] {
    return []
  }

  takeRecords(): RequestRecord[] {
    return this.records.splice(0)
  }

  identifyCallers(): void {}

  hear(listener: RouterListener): void {
    this.listener = listener
  }

  awake(sets: string[]): void {
    this.log.push(`awake ${sets.join(',')}`)
  }

  workers() {
    return []
  }

  faultCounts() {
    return {}
  }

  metrics(): string {
    return ''
  }

  async close(): Promise<void> {}
}

export function endpointsOf(table: RouterTable | undefined): string[] {
  return table?.sets.flatMap((set) => set.endpoints.map((endpoint) => endpoint.instance)) ?? []
}

/** Talks to an agent and follows what it reports. */
export class Client {
  readonly #socket: string
  state?: ObservedState
  readonly events: AgentEvent[] = []
  readonly #waiters = new Set<() => void>()
  #watch?: IncomingMessage

  constructor(socket: string) {
    this.#socket = socket
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const response = await this.open(method, path, body)
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return {
      status: response.statusCode ?? 0,
      body: (text === '' ? undefined : response.headers['content-type'] === 'application/json' ? JSON.parse(text) : text) as T,
    }
  }

  open(method: string, path: string, body?: unknown): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({ socketPath: this.#socket, method, path, agent: false }, resolve)
      request.on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** Begins to follow every change. */
  async follow(): Promise<void> {
    this.#watch = await this.open('GET', '/observed?watch=1')
    this.#watch.on('error', () => {})
    const lines = createInterface({ input: this.#watch })
    lines.on('error', () => {})
    lines.on('line', (line) => this.#take(JSON.parse(line) as AgentEvent))
    await this.until(() => this.state)
  }

  close(): void {
    this.#watch?.destroy()
  }

  /** Resolves with what `look` finds, as soon as it finds something. */
  until<T>(look: () => T | undefined | false | null, timeoutMs = 25_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(check)
        reject(new Error(`waited too long for ${look}; state ${JSON.stringify(this.state, null, 1)}`))
      }, timeoutMs)
      const check = () => {
        const found = look()
        if (found === undefined || found === false || found === null) return
        clearTimeout(timer)
        this.#waiters.delete(check)
        resolve(found)
      }
      this.#waiters.add(check)
      check()
    })
  }

  get instances(): InstanceStatus[] {
    return this.state?.instances ?? []
  }

  /** Waits for so many healthy instances and no others. */
  healthy(count: number): Promise<InstanceStatus[]> {
    return this.until(() => this.instances.length === count && this.instances.every((each) => each.state === 'healthy') && this.instances)
  }

  taskEnd(id: string): Promise<TaskStatus> {
    return this.until(() => this.state?.tasks.find((each) => each.id === id && each.state === 'exited'))
  }

  async desire(generation: number, sets: DesiredSet[], over: Partial<DesiredState> = {}): Promise<void> {
    const { status, body } = await this.call('PUT', '/desired', { generation, sets, routes: [], ...over })
    if (status !== 200) throw new Error(JSON.stringify(body))
  }

  async lines(id: string, query = ''): Promise<LogLine[]> {
    const { body } = await this.call<string | undefined>('GET', `/logs/${id}?${query}`)
    return (body ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine)
  }

  /** Opens the raw stream of a task. */
  attach(id: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socket, () =>
        socket.write(`POST /tasks/${id}/attach HTTP/1.1\r\nHost: agent\r\nConnection: Upgrade\r\nUpgrade: pavior-attach\r\n\r\n`),
      )
      socket.on('error', reject)
      let head = ''
      const onData = (bytes: Buffer) => {
        head += bytes.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        socket.off('data', onData)
        socket.pause()
        if (!head.startsWith('HTTP/1.1 101')) return reject(new Error(head))
        socket.unshift(Buffer.from(head.slice(end + 4), 'latin1'))
        resolve(socket)
      }
      socket.on('data', onData)
    })
  }

  #take(event: AgentEvent): void {
    this.events.push(event)
    const { state } = this
    if (event.type === 'state') this.state = event.state
    else if (state && event.type === 'instance')
      state.instances = [...state.instances.filter((each) => each.id !== event.instance.id), event.instance]
    else if (state && event.type === 'removed') state.instances = state.instances.filter((each) => each.id !== event.id)
    else if (state && event.type === 'task') state.tasks = [...state.tasks.filter((each) => each.id !== event.task.id), event.task]
    else if (state && event.type === 'routed') state.routedGeneration = event.generation
    for (const check of [...this.#waiters]) check()
  }
}

export interface TestAgent {
  agent: Agent
  client: Client
  router: RouterDouble
  /** PAVIOR_HOME. */
  home: string
  /** Temporary directory around it, for apps. */
  directory: string
  /** Ends the agent without its instances and starts another one on the same home. */
  restart(): Promise<void>
  close(): Promise<void>
}

export async function startTestAgent(options: { settings?: Partial<AgentSettings>; choice?: HostChoice } = {}): Promise<TestAgent> {
  const directory = temporaryDirectory()
  const home = join(directory, 'home')
  const socket = join(directory, 's.sock')
  const begin = async (router: RouterDouble) => {
    const agent = await createAgent({
      home,
      socket,
      version: 'test',
      log: pino({ level: 'silent' }),
      startRouter: async () => router,
      settings: { logTickMs: 50, adoptedPollMs: 200, ...options.settings },
      choice: options.choice,
    })
    const client = new Client(socket)
    await client.follow()
    return { agent, client, router }
  }
  const started = {
    ...(await begin(new RouterDouble())),
    home,
    directory,
    async restart() {
      started.client.close()
      await started.agent.stop({ instances: false })
      Object.assign(started, await begin(new RouterDouble()))
    },
    async close() {
      started.client.close()
      await started.agent.stop({ instances: true })
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return started
}
