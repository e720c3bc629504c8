/** One worker process of the router: accepts connections on the shared port and ends with its parent. */
import { createServer, type Server, type Socket } from 'node:net'
import { Callers, isOfThisMachine, type FoundCallers } from './callers.ts'
import { ClientConnection } from './client.ts'
import { RouteFaults } from './faults.ts'
import { HeldRequests } from './held-requests.ts'
import { plainAddress } from './plan.ts'
import { createDateSource, type Plane } from './plane.ts'
import type { FromWorker, RouterTable, ToWorker, WorkerStats } from './protocol.ts'
import { createRandomHex } from './random.ts'
import type { RequestCounter } from './records.ts'
import type { RouterSettings } from './settings.ts'
import { SpanRecorder } from './spans.ts'
import { TargetRegistry } from './table.ts'
import { trustOf } from './trust.ts'

// How exact time limits are kept.
const checkIntervalMs = 100

const emptyStats = (): WorkerStats => ({
  connections: 0, connectionsTotal: 0, tunnels: 0, inFlight: 0, responses: [0, 0, 0, 0, 0], errors: {}, connectFailures: 0, retries: 0,
  ejections: 0, canceled: 0, faults: {},
})

function send(message: FromWorker): void {
  if (process.connected) process.send!(message)
}

class Worker {
  private readonly settings: RouterSettings
  private readonly plane: Plane
  private readonly changed: RequestCounter[] = []
  private readonly registry: TargetRegistry
  private readonly connections = new Set<ClientConnection>()
  private readonly callers: Callers
  private readonly server: Server
  private checkTimer: NodeJS.Timeout | undefined
  private statsTimer: NodeJS.Timeout | undefined
  private recordTimer: NodeJS.Timeout | undefined
  private spanTimer: NodeJS.Timeout | undefined
  private intervalStart = 0

  constructor(settings: RouterSettings) {
    this.settings = settings
    const now = (): number => performance.now()
    const stats = emptyStats()
    this.plane = {
      settings, stats, randomHex: createRandomHex(), trusts: trustOf(settings.trustedProxies), table: undefined, closing: false, now, date: createDateSource(Date.now),
      spans: new SpanRecorder(settings, now, Date.now, () => this.armSpans()),
      held: new HeldRequests((set) => send({ type: 'wake', set })),
    }
    const faults = new RouteFaults(stats.faults, { now, wallClock: Date.now, random: Math.random })
    this.registry = new TargetRegistry(settings, stats, now, this.changed, faults)
    this.callers = new Callers(settings, now, (ports) => send({ type: 'look', ports }))
    this.server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => this.accept(socket))
    this.server.maxConnections = settings.maxConnections
  }

  listen(handle: unknown): void {
    this.server.once('error', (error: NodeJS.ErrnoException) => send({ type: 'failed', code: error.code ?? '', message: error.message }))
    this.server.listen(handle as Server, () => send({ type: 'listening' }))
  }

  apply(table: RouterTable): void {
    this.plane.table = this.registry.compile(table)
    send({ type: 'applied', generation: table.generation })
    this.plane.held.release((set) => this.registry.isAsleep(set))
  }

  awake(sets: string[]): void {
    this.registry.wake(sets)
    this.plane.held.release((set) => !sets.includes(set) && this.registry.isAsleep(set))
  }

  async drain(id: number, instance: string, timeoutMs: number): Promise<void> {
    const left = await Promise.all(this.registry.poolsOf(instance).map((pool) => pool.whenUnused(timeoutMs)))
    send({ type: 'drained', id, inFlight: left.reduce((sum, count) => sum + count, 0) })
  }

  /** Hands over what was counted since the last time. */
  flush(): void {
    clearTimeout(this.recordTimer)
    clearTimeout(this.statsTimer)
    this.sendSpans()
    this.recordTimer = this.statsTimer = undefined
    this.sendStats()
    if (this.changed.length === 0) return
    send({ type: 'records', intervalStart: this.intervalStart, counted: this.changed.splice(0).map((counter) => counter.take()) })
  }

  /** Stops accepting, lets requests in flight end, and exits. */
  close(): void {
    this.plane.closing = true
    this.server.close()
    for (const connection of this.connections) connection.closeSoon()
    const exit = (): void => {
      this.flush()
      process.disconnect()
    }
    if (this.connections.size === 0) return exit()
    const timer = setInterval(() => {
      if (this.connections.size > 0) return
      clearInterval(timer)
      exit()
    }, checkIntervalMs)
  }

  known(found: FoundCallers): void {
    this.callers.answer(found)
    this.armReports()
  }

  private accept(socket: Socket): void {
    const connection = new ClientConnection(this.plane, socket)
    this.plane.stats.connectionsTotal++
    this.connections.add(connection)
    const isHere = isOfThisMachine(connection.address, () => plainAddress(socket.localAddress))
    const calls = isHere ? this.callers.begin(socket.remotePort ?? 0) : undefined
    connection.calls = calls
    socket.on('close', () => {
      this.connections.delete(connection)
      if (calls) this.callers.end(calls)
    })
    this.checkTimer ??= setInterval(() => this.check(), checkIntervalMs)
  }

  private check(): void {
    const now = this.plane.now()
    for (const connection of this.connections) connection.check(now)
    this.callers.ask(now)
    const idleLeft = this.registry.expireIdle(now)
    this.armReports()
    if (this.connections.size > 0 || idleLeft) return
    clearInterval(this.checkTimer)
    this.checkTimer = undefined
  }

  /** Reports are sent only while there is something to report, so that an idle worker sleeps. */
  private armReports(): void {
    this.statsTimer ??= setTimeout(() => {
      this.statsTimer = undefined
      this.sendStats()
    }, this.settings.statsIntervalMs)
    if (this.changed.length === 0 || this.recordTimer) return
    const { recordIntervalMs } = this.settings
    const wallClock = Date.now()
    this.intervalStart = wallClock - (wallClock % recordIntervalMs)
    this.recordTimer = setTimeout(() => this.flush(), this.intervalStart + recordIntervalMs - wallClock)
  }

  private armSpans(): void {
    this.spanTimer ??= setTimeout(() => this.sendSpans(), this.settings.spanIntervalMs)
  }

  private sendSpans(): void {
    clearTimeout(this.spanTimer)
    this.spanTimer = undefined
    const spans = this.plane.spans.take()
    if (spans.length > 0) send({ type: 'spans', spans })
  }

  private sendStats(): void {
    const { stats } = this.plane
    stats.connections = this.connections.size
    stats.inFlight = this.registry.inFlight
    send({ type: 'stats', stats })
  }
}

let worker: Worker | undefined

function receive(message: ToWorker, handle: unknown): void {
  switch (message.type) {
    case 'start':
      worker = new Worker(message.settings)
      if (message.table) worker.apply(message.table)
      worker.listen(handle)
      break
    case 'table':
      worker?.apply(message.table)
      break
    case 'drain':
      void worker?.drain(message.id, message.instance, message.timeoutMs)
      break
    case 'flush':
      worker?.flush()
      send({ type: 'flushed', id: message.id })
      break
    case 'awake':
      worker?.awake(message.sets)
      break
    case 'callers':
      worker?.known(message.found)
      break
    case 'close':
      worker?.close()
      break
  }
}

process.on('message', receive)
// Without its parent nobody updates its table: it must not go on serving.
process.on('disconnect', () => process.exit(0))
// A signal to the process group is for the parent to act on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('uncaughtException', (error) => {
  send({ type: 'log', level: 'error', message: 'The router worker failed and is replaced.', detail: error.stack ?? error.message })
  process.exitCode = 1
  setImmediate(() => process.exit(1))
})
