/** The agent in one piece: everything is built and wired here. */
import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import { fail, type HostCapabilities, type ObservedState, type RequestRecord, type RequestSpan } from '@pavior/contract'
import { createApi, type Api } from './api/server.ts'
import { createCallerFinder, type CallerFinder } from './callers.ts'
import { detectHost, type HostChoice } from './detect.ts'
import { EventHub } from './events.ts'
import { openHome } from './home.ts'
import { killLeftovers } from './leftovers.ts'
import { leaveHome, takeHome, updateHolder, type AgentPid } from './lock.ts'
import { LogCollector } from './logs/collector.ts'
import { LogStore } from './logs/store.ts'
import { cpuSeconds, metricsText, startMeasuring } from './metrics.ts'
import { Prober } from './probes.ts'
import type { Router } from './router/index.ts'
import type { RunHost } from './run/host.ts'
import { listProcesses, type ProcessStat } from './run/proc.ts'
import { clearSecretFiles } from './run/secrets.ts'
import { defaultSettings, type AgentSettings } from './settings.ts'
import { Spool } from './spool.ts'
import type { RunRecord } from './state/records.ts'
import { openKey } from './state/sealed.ts'
import { Supervisor } from './supervisor.ts'
import { Tasks } from './tasks.ts'

export interface AgentOptions {
  /** PAVIOR_HOME. */
  home: string
  /** Path of the unix socket to listen on. */
  socket: string
  version: string
  log: Logger
  /** Starts the router, once the home is taken. */
  startRouter: () => Promise<Router>
  settings?: Partial<AgentSettings>
  choice?: HostChoice
  /** 0 … 1, for jitter and ports. */
  random?: () => number
}

export interface Agent {
  readonly routerPort: number
  readonly capabilities: HostCapabilities
  observed(): ObservedState
  /** Ends the agent. With `instances` everything that it runs is drained and ended first; otherwise it goes on by itself. */
  stop(options: { instances: boolean }): Promise<void>
  /** Resolves when the agent has ended, whoever asked for it. */
  readonly ended: Promise<void>
}

/** Longest path of a unix socket, from sockaddr_un(7) without its closing zero. */
const socketPathMaxBytes = 107
const tasksStopGraceMs = 2000
/** Answers that are under way may take this long when the agent ends. */
const closeGraceMs = 200
/** CPU and memory are read anew for whoever asks, unless they are younger than this. */
const usageFreshMs = 2000
const sweepIntervalMs = 60_000

/** Starts an agent. Fails with ALREADY_RUNNING, PORT_IN_USE or CONFIG_INVALID. */
export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { log, socket } = options
  checkSocketPath(socket)
  const settings = { ...defaultSettings, ...options.settings }
  const home = openHome(options.home)
  const holder = takeHome(home.pidFile, socket)
  try {
    const key = openKey(home.keyFile)
    const { host, capabilities } = await detectHost({ home, settings, log, choice: options.choice })
    const router = await options.startRouter()
    updateHolder(home.pidFile, { ...holder, routerPort: router.port })
    const agent = new RunningAgent(options, { settings, host, capabilities, router, key, holder })
    await agent.begin()
    return agent
  } catch (error) {
    leaveHome(home.pidFile)
    throw error
  }
}

interface Parts {
  settings: AgentSettings
  host: RunHost
  capabilities: HostCapabilities
  router: Router
  key: Buffer
  holder: AgentPid
}

class RunningAgent implements Agent {
  readonly capabilities: HostCapabilities
  readonly ended: Promise<void>
  readonly #options: AgentOptions
  readonly #parts: Parts
  readonly #runId = randomUUID()
  readonly #events = new EventHub()
  readonly #logs: LogStore
  readonly #spool: Spool<RequestRecord>
  readonly #spans: Spool<RequestSpan>
  readonly #probes: Prober
  readonly #supervisor: Supervisor
  readonly #tasks: Tasks
  readonly #callers: CallerFinder
  readonly #api: Api
  readonly #timers: NodeJS.Timeout[] = []
  #end!: () => void
  #stopping?: Promise<void>
  #measuredMs = 0

  constructor(options: AgentOptions, parts: Parts) {
    const { host, settings, router, key } = parts
    this.#options = options
    this.#parts = parts
    this.capabilities = parts.capabilities
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#logs = new LogStore({ directory: host.home.logs, settings, fallocate: host.tools.fallocate })
    this.#spool = new Spool({ directory: host.home.spool, maxBytes: settings.spoolBytes })
    this.#spans = new Spool({ directory: host.home.spans, maxBytes: settings.spanSpoolBytes })
    const random = options.random ?? Math.random
    this.#probes = new Prober({ record: (record) => this.#spool.append([record]), random })
    this.#supervisor = new Supervisor({ host, logs: this.#logs, router, events: this.#events, key, probes: this.#probes, random })
    this.#tasks = new Tasks({ host, logs: this.#logs, events: this.#events })
    this.#callers = this.#createCallers(parts)
    this.#api = createApi({
      settings,
      supervisor: this.#supervisor,
      tasks: this.#tasks,
      logs: this.#logs,
      collector: new LogCollector({ store: this.#logs, errorsKeptBytes: settings.logErrorsKeptBytes }),
      events: this.#events,
      log: options.log,
      observed: () => this.observed(),
      metrics: () =>
        metricsText({
          observed: this.observed(),
          spooledBytes: this.#spool.bytes + this.#spans.bytes,
          droppedSegments: this.#spool.droppedSegments + this.#spans.droppedSegments,
          wakes: this.#supervisor.sleepers.wakes,
          callerLooks: this.#callers.cost,
          router: router.metrics(),
        }),
      requests: (after) => {
        this.#spool.append(router.takeRecords())
        return this.#spool.read(after)
      },
      spans: (after) => {
        this.#spans.append(router.takeSpans())
        return this.#spans.read(after)
      },
      stop: (stop) => this.#prepareStop(stop),
    })
  }

  get routerPort(): number {
    return this.#parts.router.port
  }

  /** Takes over what runs, then opens the socket. */
  async begin(): Promise<void> {
    const { host, settings, router } = this.#parts
    const records = host.records.load()
    killLeftovers(host, records)
    clearSecretFiles(host, new Set(records.map(({ id }) => id)))
    this.#tasks.resume(records.filter(isTask))
    await this.#supervisor.resume(records.filter(isInstance))
    await listen(this.#api.server, this.#options.socket)
    startMeasuring()
    router.identifyCallers(this.#callers.find)
    this.#every(settings.recordsIntervalMs, () => this.#spoolRequests())
    this.#every(host.cgroup.enforces.memory ? settings.usageIntervalMs : settings.memoryPollMs, () => this.#measure())
    this.#every(sweepIntervalMs, () => this.#sweepLogs())
    this.#sweepLogs()
    this.#options.log.info(
      { pid: process.pid, socket: this.#options.socket, routerPort: router.port, taken: records.length, ...this.capabilities },
      'agent ready',
    )
  }

  #createCallers({ host, settings, router }: Parts): CallerFinder {
    return createCallerFinder({
      routerPort: router.port,
      appOfUser: host.users && ((uid) => host.users?.appOf(uid)),
      processes: () => this.#supervisor.processes(),
      settings,
      cpuMs: () => cpuSeconds() * 1000,
    })
  }

  observed(): ObservedState {
    if (Date.now() - this.#measuredMs > usageFreshMs) this.#measure()
    const { router, holder, capabilities } = this.#parts
    return {
      runId: this.#runId,
      version: this.#options.version,
      generation: this.#supervisor.generation,
      routedGeneration: this.#supervisor.routedGeneration,
      routerPort: router.port,
      instances: this.#supervisor.statuses(),
      tasks: this.#tasks.statuses(),
      host: capabilities,
      processes: [
        { role: 'agent', pid: process.pid, startedAt: holder.startedAt, memoryBytes: process.memoryUsage.rss() },
        ...router.workers().map((worker) => ({ role: 'router' as const, ...worker })),
      ],
    }
  }

  async stop(options: { instances: boolean }): Promise<void> {
    await this.#prepareStop(options)
    await this.ended
  }

  /** Does what may take long; the socket closes only after whoever asked has its answer. */
  #prepareStop({ instances }: { instances: boolean }): Promise<void> {
    this.#stopping ??= (async () => {
      this.#options.log.info({ instances }, 'agent stopping')
      this.#timers.forEach((timer) => clearInterval(timer))
      this.#probes.close()
      if (instances) await Promise.all([this.#supervisor.stopAll(), this.#tasks.stopAll(tasksStopGraceMs)])
      else {
        this.#supervisor.release()
        this.#tasks.release()
      }
      this.#events.flush()
      setImmediate(() => void this.#close())
    })()
    return this.#stopping
  }

  async #close(): Promise<void> {
    const { host, router } = this.#parts
    await router.close().catch((error: unknown) => this.#options.log.warn({ error: String(error) }, 'the router did not close cleanly'))
    this.#spoolRequests()
    this.#logs.close()
    await new Promise<void>((resolve) => {
      this.#api.server.close(() => resolve())
      this.#api.server.closeIdleConnections()
      // Watches and followed logs never end by themselves.
      setTimeout(() => this.#api.closeAllConnections(), closeGraceMs).unref()
    })
    if (host.cgroup.list().length === 0) host.cgroup.close()
    rmSync(this.#options.socket, { force: true })
    leaveHome(host.home.pidFile)
    this.#options.log.info({}, 'agent ended')
    this.#end()
  }

  #spoolRequests(): void {
    const { router } = this.#parts
    this.#spool.append(router.takeRecords())
    this.#spans.append(router.takeSpans())
  }

  /** /proc is read once for all, and only where cgroups do not count. */
  #measure(): void {
    this.#measuredMs = Date.now()
    let processes: ProcessStat[] | undefined
    const once = () => (processes ??= listProcesses())
    this.#supervisor.measure(once)
    this.#tasks.measure(once)
  }

  #sweepLogs(): void {
    this.#logs.sweep(Date.now(), (id) => this.#supervisor.has(id) || this.#tasks.has(id))
  }

  #every(intervalMs: number, act: () => void): void {
    const guarded = () => {
      try {
        act()
      } catch (error) {
        this.#options.log.error({ error: String(error) }, 'a regular duty failed; it is tried again next time')
      }
    }
    this.#timers.push(setInterval(guarded, intervalMs).unref())
  }
}

function isTask(record: RunRecord) {
  return record.kind === 'task'
}

function isInstance(record: RunRecord) {
  return record.kind === 'instance'
}

function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > socketPathMaxBytes) {
    throw fail('CONFIG_INVALID', {
      message: `The socket path is ${bytes} bytes long; Linux allows ${socketPathMaxBytes}.`,
      fix: 'Give a shorter path with --socket, for example below /tmp or /run.',
      facts: { path },
    })
  }
}

/** Listens so that nobody but this user can ever connect, not even between making the socket and restricting it. */
async function listen(server: Server, path: string): Promise<void> {
  // The home is ours, so a socket that is still there belongs to an agent that has died.
  if (existsSync(path)) rmSync(path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // The socket is made within the call, so nothing else is created with this mask.
    const before = process.umask(0o177)
    server.listen(path, () => resolve())
    process.umask(before)
  })
}
