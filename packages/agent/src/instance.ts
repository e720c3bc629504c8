/** One instance of a set: starts it, watches its health, notices its end, lets it go. `plan.ts` decides when. */
import { isPaviorError, type DesiredSet, type ErrorObject, type InstanceState, type InstanceStatus } from '@pavior/contract'
import { findFreePort } from './free-port.ts'
import { listeningAddresses } from './listening.ts'
import { writerOf, type LogStore } from './logs/store.ts'
import { afterExit, type Phase, type PlannedInstance } from './plan.ts'
import { HealthWatch, type ProbeResult } from './probe.ts'
import { exitProblem, failingProblem, notHealthyProblem, startFailure, startTimeoutProblem, type Subject } from './problems.ts'
import type { CgroupUsage } from './cgroup/driver.ts'
import type { RunHost } from './run/host.ts'
import type { ProcessStat } from './run/proc.ts'
import type { Run, RunEnd } from './run/run.ts'
import { adoptRun, startRun } from './run/start.ts'
import type { InstanceRecord } from './state/records.ts'
import { useUpTo } from './use.ts'

/** What an instance needs of the supervisor. */
export interface InstanceContext {
  host: RunHost
  logs: LogStore
  random: () => number
  /** Ports that other instances have. */
  takenPorts: () => Set<number>
  /** Something changed that watchers, routes or the plan may care for. */
  onChange: (instance: Instance) => void
  /** Only the routes are concerned as yet. */
  onRoutesChange: () => void
  /** Takes it out of the routes and waits until its requests are done, at most so long. */
  leaveTraffic: (instance: Instance, timeoutMs: number) => Promise<void>
  /** It has ended for good. */
  onGone: (instance: Instance) => void
}

export class Instance {
  readonly record: InstanceRecord
  readonly order: number
  /** What it is started from next; the newest known form of its set. */
  set: DesiredSet | undefined
  readonly #context: InstanceContext
  #run?: Run
  #health?: HealthWatch
  #timers: NodeJS.Timeout[] = []
  #starting?: Promise<void>
  #leaving = false
  /** Being ended in order to be started again; holds why. */
  #restarting?: ErrorObject
  #usage: CgroupUsage = {}
  /** Given to a start that is about to be made. */
  #nextPort?: number

  constructor(context: InstanceContext, record: InstanceRecord, order: number, set: DesiredSet | undefined) {
    this.#context = context
    this.record = record
    this.order = order
    this.set = set
  }

  get id(): string {
    return this.record.id
  }

  get port(): number | undefined {
    return this.#run?.start.port
  }

  /** Ports that nobody else may get. */
  get heldPorts(): number[] {
    return [this.record.start?.port, this.#nextPort].filter((port) => port !== undefined)
  }

  /** Whether requests may be sent to it. */
  get inTraffic(): boolean {
    return this.record.state === 'healthy' && this.port !== undefined && this.set?.listens !== false
  }

  /** As the plan sees it. */
  planned(startGiveUpFactor: number): PlannedInstance {
    const { record } = this
    const startedMs = record.start ? Date.parse(record.start.startedAt) : undefined
    const neverGivenUp = this.#restarting || startedMs === undefined || !this.set?.listens
    const giveUpMs = neverGivenUp ? undefined : startedMs + this.set!.startTimeoutMs * startGiveUpFactor
    const { id, set, revision, nextStartAt: dueMs } = record
    return { id, set, revision, phase: this.#phase(), order: this.order, dueMs, giveUpMs }
  }

  #phase(): Phase {
    if (this.#leaving) return 'leaving'
    if (this.#restarting) return 'coming'
    if (this.record.state === 'healthy') return 'up'
    if (this.record.state === 'unhealthy') return 'failing'
    return this.record.state === 'backoff' ? 'waiting' : 'coming'
  }

  status(): InstanceStatus {
    const { record } = this
    const running = this.#run && record.start
    return {
      id: record.id,
      set: record.set,
      state: record.state,
      pid: running ? this.#run?.pid : undefined,
      port: running ? record.start?.port : undefined,
      startedAt: record.start?.startedAt,
      healthyAt: record.healthyAt,
      restarts: record.restarts,
      crashLoop: record.crashLoop,
      lastExit: record.lastExit,
      outOfMemoryKills: record.outOfMemoryKills ?? 0,
      problem: record.problem,
      cpuSeconds: record.earlierCpuSeconds + (this.#usage.cpuSeconds ?? 0),
      memoryBytes: this.#usage.memoryBytes,
      asleepSince: record.asleepSince,
      use: record.use,
    }
  }

  /** What a game day does to it; undefined unless this very start runs. */
  runOf(startedAt: string): Run | undefined {
    return this.record.start?.startedAt === startedAt ? this.#run : undefined
  }

  /** Processes that belong to it. */
  members(processes: () => ProcessStat[]): number[] {
    return this.#run?.members(processes) ?? []
  }

  /** Starts it, the first time or again. */
  start(): void {
    const again = this.record.start !== undefined
    if (again) this.record.restarts++
    this.record.nextStartAt = undefined
    this.#enter('starting')
    this.#starting = this.#begin().finally(() => (this.#starting = undefined))
  }

  /** Takes over what an earlier agent left. */
  adopt(): void {
    const { record } = this
    this.#context.logs.track(record.id, writerOf(this.set))
    const wasLeaving = record.state === 'draining' || record.state === 'stopping' || record.state === 'stopped'
    // A start that was begun but not saved was ended as a leftover.
    const isSaved = record.start?.attempt === record.restarts
    if (isSaved && record.start?.bootId === this.#context.host.bootId && record.state !== 'backoff')
      this.#attach(adoptRun(this.#context.host, record.id, record.start))
    else if (!wasLeaving) this.#enter('backoff', { nextStartAt: Date.now(), asleepSince: undefined })
    if (wasLeaving) void this.retire()
  }

  /** Ends this start, because it does not serve; it is started again after its wait. */
  restart(): void {
    if (this.#restarting || this.#leaving || !this.#run) return
    this.#restarting = this.record.problem ?? startTimeoutProblem(this.#subject())
    this.#stopWatching()
    void this.#run.stop(this.record.stopGraceMs)
  }

  /** Freezes it; it stays in the routes, and counts as healthy. */
  sleep(): void {
    if (!this.#run || this.record.state !== 'healthy' || this.record.asleepSince !== undefined) return
    this.#health?.pause()
    this.#count()
    this.#enter('healthy', { asleepSince: new Date().toISOString() })
    this.#run.freeze()
  }

  /** Lets its processes go on, and nothing more: `wake()` does the rest when there is time for it. */
  thaw(): void {
    this.#run?.thaw()
  }

  wake(): void {
    if (this.record.asleepSince === undefined) return
    this.thaw()
    this.#count()
    this.#health?.resume()
    this.#enter(this.record.state, { asleepSince: undefined })
  }

  /** Takes it out of traffic, lets it finish its requests, ends it for good. */
  async retire(): Promise<void> {
    if (this.#leaving) return
    this.#leaving = true
    this.wake()
    const served = this.record.state === 'healthy'
    this.#stopWatching()
    await this.#starting
    if (this.#run && served && this.port !== undefined) {
      this.#enter('draining')
      await this.#context.leaveTraffic(this, this.record.drainTimeoutMs)
    }
    if (this.#run) {
      this.#enter('stopping')
      await this.#run.stop(this.record.stopGraceMs)
    }
    this.#enter('stopped')
    this.#context.logs.end(this.id)
    this.#context.host.records.remove(this.id)
    this.#context.onGone(this)
  }

  /** Reads CPU and memory, and ends it when it uses more memory than it may and no cgroup sees to that. */
  measure(processes: () => ProcessStat[]): void {
    if (!this.#run) return
    this.#usage = this.#run.usage(processes)
    this.#count()
    if (this.set?.sleepAfterMs !== undefined) this.#save()
    const limit = this.set?.workload.limits.memoryBytes
    const enforced = this.#context.host.cgroup.enforces.memory
    if (!enforced && limit !== undefined && (this.#usage.memoryBytes ?? 0) > limit) this.#run.killForMemory()
  }

  /** The agent ends; the instance goes on by itself. */
  release(): void {
    this.#stopWatching()
    this.#run?.release()
  }

  async #begin(): Promise<void> {
    const { host, logs, random, takenPorts } = this.#context
    const { set, record } = this
    if (!set) return
    try {
      host.records.prepare(record.id)
      const log = logs.track(record.id, writerOf(this.set))
      const port = (this.#nextPort = set.listens ? await findFreePort(host.settings, takenPorts(), random) : undefined)
      const run = await startRun(host, {
        id: record.id,
        attempt: record.restarts,
        workload: set.workload,
        port,
        scratch: 'memory',
        input: false,
        logDescriptor: log.openForAppend(),
        logOffset: log.size(),
      })
      record.start = run.start
      record.healthyAt = undefined
      this.#attach(run)
      this.#save()
    } catch (error) {
      this.#startFailed(error)
    }
  }

  /** Watches a running start: its end, and its health. */
  #attach(run: Run): void {
    this.#run = run
    this.#usage = {}
    run.onLocated = () => this.#save()
    // An earlier agent may have ended between noting that it sleeps and freezing it.
    if (this.record.asleepSince !== undefined) run.freeze()
    void run.ended.then((end) => this.#ended(run, end))
    if (!this.#leaving) this.#watchHealth(run)
  }

  #watchHealth(run: Run): void {
    const { set, record } = this
    if (!set) return
    const startedMs = Date.parse(run.start.startedAt)
    const left = (durationMs: number) => Math.max(0, startedMs + durationMs - Date.now())
    if (!set.listens || run.start.port === undefined) {
      if (record.state !== 'healthy') this.#after(left(set.minReadyMs), () => this.#becameHealthy())
      return
    }
    const { startProbeMinMs, startProbeMaxMs } = this.#context.host.settings
    this.#health = new HealthWatch({
      port: run.start.port,
      probe: () => (this.set ?? set).probe,
      startProbeMinMs,
      startProbeMaxMs,
      random: this.#context.random,
      healthy: record.state === 'healthy',
      onHealthy: () => this.#becameHealthy(),
      onFailing: (result) => void this.#isFailing(run, result),
    })
    if (record.asleepSince !== undefined) this.#health.pause()
    if (record.state === 'starting') this.#after(left(set.startTimeoutMs), () => void this.#isLate(run))
  }

  #becameHealthy(): void {
    this.#clearTimers()
    this.#run?.locate()
    this.#enter('healthy', { healthyAt: new Date().toISOString(), problem: undefined })
    const { restartDelayResetAfterMs, crashLoopWindowMs } = this.#context.host.settings
    this.#after(restartDelayResetAfterMs, () => {
      this.record.exitsInRow = 0
      this.#save()
    })
    if (this.record.crashLoop) this.#after(crashLoopWindowMs, () => this.#enter('healthy', { crashLoop: false }))
  }

  /** It runs but is not healthy after its start timeout. It may still become so: the plan gives it up later. */
  async #isLate(run: Run): Promise<void> {
    const { set } = this
    const last = this.#health?.last
    if (!set || run.start.port === undefined) return
    const problem = notHealthyProblem(this.#subject(), {
      port: run.start.port,
      path: set.probe.path,
      timeoutMs: set.startTimeoutMs,
      last,
      listening: listeningAddresses(run.members()),
      exposed: set.exposedPorts ?? [],
      lastLines: await this.#lastLines(run),
    })
    if (this.#run === run && this.record.state === 'starting') this.#enter('starting', { problem })
  }

  async #isFailing(run: Run, last: ProbeResult): Promise<void> {
    const { set } = this
    if (!set) return
    const context = { path: set.probe.path, failures: set.probe.failureThreshold, last, lastLines: await this.#lastLines(run) }
    if (this.#run === run && !this.#leaving) this.#enter('unhealthy', { problem: failingProblem(this.#subject(), context) })
  }

  async #ended(run: Run, end: RunEnd): Promise<void> {
    if (this.#run !== run) return
    this.#stopWatching()
    this.#count()
    this.#run = undefined
    this.#usage = {}
    const { record } = this
    record.asleepSince = undefined
    const wasHealthy = record.healthyAt !== undefined
    record.earlierCpuSeconds += end.usage.cpuSeconds ?? 0
    record.lastExit = end.exit
    if (end.exit.outOfMemory) record.outOfMemoryKills = (record.outOfMemoryKills ?? 0) + 1
    if (this.#leaving) return
    const restarting = this.#restarting
    this.#restarting = undefined
    this.#backOff()
    // Out of the routes at once; watchers hear of it with its last lines, which have to be read first.
    this.#context.onRoutesChange()
    const describe = (lastLines: string[]) => restarting ?? this.#describeExit(run, end, wasHealthy, lastLines)
    record.problem = describe([])
    const problem = describe(await this.#lastLines(run))
    // It may have been started again meanwhile; why it had to be is still worth knowing.
    if (record.state === 'backoff' || record.state === 'starting') this.#enter(record.state, { problem })
  }

  #describeExit(run: Run, end: RunEnd, wasHealthy: boolean, lastLines: string[]): ErrorObject {
    const { command, limits } = this.set?.workload ?? { command: [], limits: { memoryBytes: 0, cpu: 0, pids: 0 } }
    const ranMs = Date.parse(end.exit.at) - Date.parse(run.start.startedAt)
    return exitProblem(this.#subject(), end, { command, limits, ranMs, wasHealthy, lastLines })
  }

  #startFailed(error: unknown): void {
    const problem = isPaviorError(error) ? error.toObject() : startFailure(this.#subject(), error)
    if (!isPaviorError(error)) this.#context.host.log.error({ instance: this.id, error: String(error) }, 'instance could not be started')
    this.#backOff()
    this.#enter('backoff', { problem })
  }

  /** Notes an exit and when the next start is due. */
  #backOff(): void {
    const { host, random } = this.#context
    Object.assign(this.record, { state: 'backoff', healthyAt: undefined, ...afterExit(this.record, host.settings, Date.now(), random()) })
  }

  #enter(state: InstanceState, changes: Partial<InstanceRecord> = {}): void {
    Object.assign(this.record, changes, { state })
    this.#save()
    this.#context.onChange(this)
  }

  #count(): void {
    this.record.use = useUpTo(this.record, Date.now(), this.#run !== undefined, this.#usage.memoryBytes)
  }

  #save(): void {
    this.#context.host.records.save(this.record)
  }

  #subject(): Subject {
    return { ...this.record.name, instance: this.id }
  }

  #lastLines(run: Run): Promise<string[]> {
    return this.#context.logs.lastLines(this.id, run.start.logOffset, this.#context.host.settings.problemLines)
  }

  #after(waitMs: number, then: () => void): void {
    this.#timers.push(setTimeout(then, waitMs))
  }

  #clearTimers(): void {
    this.#timers.forEach((timer) => clearTimeout(timer))
    this.#timers = []
  }

  #stopWatching(): void {
    this.#health?.close()
    this.#clearTimers()
  }
}
