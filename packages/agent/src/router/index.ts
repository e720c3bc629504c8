/** The door to the router: the HTTP data plane of one machine, in worker processes that share a port. */
import { availableParallelism } from 'node:os'
import type { RequestRecord, RequestSpan } from '@pavior/contract'
import type { FoundCallers } from './callers.ts'
import type { FaultCounts } from './faults.ts'
import { bindPort, type ListeningHandle } from './listening-handle.ts'
import { RequestLedger } from './ledger.ts'
import { metricsText, sumStats } from './metrics.ts'
import type { RouterTable, WorkerStats } from './protocol.ts'
import { defaultSettings, type RouterSettings } from './settings.ts'
import { trustOf } from './trust.ts'
import { WorkerProcess, type WorkerEvents } from './worker-process.ts'

export { outsider, type FoundCallers } from './callers.ts'
export type { FaultCounts } from './faults.ts'
export type { Endpoint, RouterSet, RouterTable } from './protocol.ts'
export type { RouterSettings } from './settings.ts'

export interface RouterLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

export interface RouterOptions {
  /** 0 takes any free one. */
  port: number
  /** Address to listen on; every address of the machine when absent. */
  host?: string
  /** Worker processes; by default one less than there are cores, at least 1 and at most 4. */
  workers?: number
  log: RouterLog
  /** Module of the worker process; `router-worker.mjs` beside this bundle when absent. */
  workerEntry?: URL | string
  settings?: Partial<RouterSettings>
}

export interface Router {
  readonly port: number
  /** Resolves when every worker routes by this table. Tables are given whole, in the order of their generations. */
  update(table: RouterTable): Promise<void>
  /**
   * Resolves when no worker has a request or an upgraded connection under way to the instance and no idle connection to
   * it is left, or after `timeoutMs`. Call it after `update()` with a table that does not name the instance.
   */
  drain(instance: string, timeoutMs: number): Promise<{ inFlight: number }>
  /** Request records of the intervals that are over. Each record is given out once. */
  takeRecords(): RequestRecord[]
  /** Single requests. Each is given out once. */
  takeSpans(): RequestSpan[]
  /** Has the owners of connections of this machine found by `find`, given their ports; it may throw. Without it nobody is known. */
  identifyCallers(find: (ports: number[]) => FoundCallers): void
  /** Tells from now on when requests wait for a set that is asleep, and which apps had requests lately. */
  hear(listener: RouterListener): void
  /** Requests to these sets need not wait any more. */
  awake(sets: string[]): void
  workers(): { pid: number; startedAt: string; memoryBytes: number }[]
  /** What faults of game days did, by fault; at most a second old. */
  faultCounts(): Record<string, FaultCounts>
  /** Prometheus text; at most a second old. */
  metrics(): string
  /** Lets requests in flight end (bounded), ends the workers and gives the port free. `takeRecords()` then gives the rest. */
  close(): Promise<void>
}

export interface RouterListener {
  onWake(set: string): void
  /** Comes within seconds of a request. */
  onRequests(place: { team: string; app: string; environment: string }): void
}

// A worker that ends right after its start is replaced with growing delays instead of in a busy loop.
const shortLifeMs = 2_000
const firstDelayMs = 100
const longestDelayMs = 5_000
// An agent that takes none for a long time must not grow without end.
const maxSpans = 20_000
// Until whoever can look up callers is there, and after it failed.
const unknownPauseMs = 10_000

/** How many workers a machine with this many cores gets. */
export function defaultWorkers(cores: number): number {
  return Math.min(4, Math.max(1, cores - 1))
}

/** Starts the router; resolves when every worker accepts connections. Throws PORT_IN_USE when the port is taken. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const router = new WorkerGroup(options)
  try {
    await router.listening()
  } catch (error) {
    await router.close()
    throw error
  }
  return router
}

class WorkerGroup implements Router {
  readonly port: number
  private readonly options: RouterOptions
  private readonly settings: RouterSettings
  private readonly entry: URL | string
  private readonly handle: ListeningHandle
  private readonly ledger: RequestLedger
  private readonly group = new Set<WorkerProcess>()
  private spans: RequestSpan[] = []
  /** Counters of workers that are gone, so that sums never fall. */
  private past: WorkerStats[] = []
  private table: RouterTable | null = null
  private lastId = 0
  private restarts = 0
  private shortLives = 0
  private closing = false
  private listener: RouterListener | undefined
  private find: ((ports: number[]) => FoundCallers) | undefined

  constructor(options: RouterOptions) {
    this.options = options
    this.settings = { ...defaultSettings, ...options.settings }
    // A network that is none is refused here and not by every worker.
    trustOf(this.settings.trustedProxies)
    this.entry = options.workerEntry ?? new URL('./router-worker.mjs', import.meta.url)
    this.ledger = new RequestLedger(this.settings.recordIntervalMs)
    const bound = bindPort(options.host, options.port)
    this.handle = bound.handle
    this.port = bound.port
    const count = options.workers ?? defaultWorkers(availableParallelism())
    for (let i = 0; i < count; i++) this.startWorker()
  }

  async listening(): Promise<void> {
    await Promise.all([...this.group].map((worker) => worker.listening))
  }

  async update(table: RouterTable): Promise<void> {
    this.table = table
    // A worker that is started from now on begins with this table, so only those that are there have to confirm it.
    await Promise.all([...this.group].map((worker) => worker.apply(table)))
  }

  async drain(instance: string, timeoutMs: number): Promise<{ inFlight: number }> {
    const id = ++this.lastId
    const counts = await Promise.all([...this.group].map((worker) => worker.drain(id, instance, timeoutMs)))
    return { inFlight: counts.reduce((sum, count) => sum + count, 0) }
  }

  takeRecords(): RequestRecord[] {
    return this.ledger.take(this.closing ? Infinity : Date.now())
  }

  takeSpans(): RequestSpan[] {
    const taken = this.spans
    this.spans = []
    return taken
  }

  identifyCallers(find: (ports: number[]) => FoundCallers): void {
    this.find = find
  }

  hear(listener: RouterListener): void {
    this.listener = listener
  }

  awake(sets: string[]): void {
    for (const worker of this.group) worker.tellAwake(sets)
  }

  workers(): { pid: number; startedAt: string; memoryBytes: number }[] {
    return [...this.group].map(({ pid, startedAt, memoryBytes }) => ({ pid, startedAt, memoryBytes }))
  }

  faultCounts(): Record<string, FaultCounts> {
    return sumStats([...this.past, ...[...this.group].flatMap((worker) => worker.stats ?? [])]).faults
  }

  metrics(): string {
    const current = [...this.group].flatMap((worker) => worker.stats ?? [])
    return metricsText(sumStats([...this.past, ...current]), this.group.size, this.restarts, this.table?.generation ?? 0)
  }

  async close(): Promise<void> {
    this.closing = true
    await Promise.all([...this.group].map((worker) => worker.close(this.settings.closeGraceMs)))
    this.handle.close()
  }

  private startWorker(): void {
    const events: WorkerEvents = {
      onRecords: (intervalStart, counted) => {
        this.ledger.add(intervalStart, counted)
        for (const labels of counted) this.listener?.onRequests(labels)
      },
      onSpans: (spans) => {
        this.spans.push(...spans.slice(0, maxSpans - this.spans.length))
      },
      onWake: (set) => this.listener?.onWake(set),
      onLook: (worker, ports) => worker.tellCallers(this.look(ports)),
      onLog: (level, message, detail) => this.options.log[level]({ detail }, message),
      onExit: (worker, how) => this.replace(worker, how),
    }
    this.group.add(new WorkerProcess(this.entry, this.handle, this.port, this.settings, this.table, events))
  }

  /** The pause is longer by the number of workers, since each keeps to it by itself. */
  private look(ports: number[]): FoundCallers {
    try {
      const found = this.find?.(ports) ?? { callers: {}, pauseMs: unknownPauseMs }
      return { ...found, pauseMs: found.pauseMs * this.group.size }
    } catch (error) {
      this.options.log.warn({ error: String(error) }, 'It could not be found out which apps call; it is tried again.')
      return { callers: {}, pauseMs: unknownPauseMs }
    }
  }

  private replace(worker: WorkerProcess, how: string): void {
    this.group.delete(worker)
    if (worker.stats) this.past = [sumStats([...this.past, { ...worker.stats, connections: 0, tunnels: 0, inFlight: 0 }])]
    if (this.closing) return
    this.restarts++
    this.shortLives = Date.now() - Date.parse(worker.startedAt) < shortLifeMs ? this.shortLives + 1 : 0
    const delayMs = this.shortLives > 1 ? Math.min(longestDelayMs, firstDelayMs * 2 ** (this.shortLives - 2)) : 0
    this.options.log.warn({ pid: worker.pid, how, delayMs }, 'A router worker ended and is replaced.')
    if (delayMs === 0) return this.startWorker()
    setTimeout(() => { if (!this.closing) this.startWorker() }, delayMs).unref()
  }
}
