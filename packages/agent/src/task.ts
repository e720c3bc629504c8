/** One task: a build step, a release process or a one-off command. */
import { isPaviorError, fail, type ErrorObject, type TaskSpec, type TaskStatus } from '@pavior/contract'
import { DiskWatch } from './disk-watch.ts'
import type { LogStore } from './logs/store.ts'
import { describeExit, formatBytes, formatDuration, startProblem } from './problems.ts'
import type { RunHost } from './run/host.ts'
import { scratchDirectory } from './run/prepare.ts'
import type { ProcessStat } from './run/proc.ts'
import type { Run, RunEnd } from './run/run.ts'
import { adoptRun, startRun } from './run/start.ts'
import type { TaskRecord } from './state/records.ts'

export interface TaskContext {
  host: RunHost
  logs: LogStore
  onChange: (task: Task) => void
}

/** Between SIGTERM and SIGKILL for a task that has reached its time or disk limit. */
const limitGraceMs = 2000

export class Task {
  readonly record: TaskRecord
  readonly #context: TaskContext
  #run?: Run
  #disk?: DiskWatch
  #timeout?: NodeJS.Timeout
  #finished!: () => void
  /** Resolves when it has ended and that is saved. */
  readonly done: Promise<void>
  #starting = Promise.resolve()

  constructor(context: TaskContext, record: TaskRecord) {
    this.#context = context
    this.record = record
    this.done = new Promise((resolve) => (this.#finished = resolve))
    if (record.finishedAt) this.#finished()
  }

  get id(): string {
    return this.record.id
  }

  /** Its standard input, when it was started with one by this agent and has not ended. */
  async input(): Promise<Run['input']> {
    await this.#starting
    return this.#run?.input
  }

  status(): TaskStatus {
    const { record } = this
    return {
      id: record.id,
      state: record.finishedAt ? 'exited' : 'running',
      startedAt: record.startedAt,
      finishedAt: record.finishedAt,
      exit: record.exit,
      problem: record.problem,
      cpuSeconds: record.cpuSeconds,
      maxMemoryBytes: record.maxMemoryBytes,
    }
  }

  /** Starts it. A start that fails ends the task; nothing is thrown. */
  start(spec: TaskSpec): void {
    this.#starting = this.#begin(spec)
  }

  async #begin(spec: TaskSpec): Promise<void> {
    const { host, logs } = this.#context
    this.#save()
    try {
      const log = logs.track(this.id)
      const run = await startRun(host, {
        id: this.id,
        attempt: 0,
        workload: spec.workload,
        scratch: 'disk',
        input: spec.interactive ?? false,
        terminal: spec.terminal,
        logDescriptor: log.openForAppend(),
        logOffset: log.size(),
      })
      this.record.start = run.start
      this.#attach(run, spec.workload.command)
      this.#save()
    } catch (error) {
      const problem = isPaviorError(error)
        ? error.toObject()
        : fail('START_FAILED', { message: 'The task could not be started.', why: String(error) }).toObject()
      this.#finish({ problem })
    }
  }

  /** Takes over a task that an earlier agent started. */
  adopt(): void {
    const { host, logs } = this.#context
    logs.track(this.id)
    if (this.record.start?.bootId === host.bootId) return this.#attach(adoptRun(host, this.id, this.record.start), [])
    this.#finish({
      problem: fail('INTERNAL', { message: 'The machine or the agent ended while the task was running.', fix: 'Run it again.' }).toObject(),
    })
  }

  /** SIGTERM, after `graceMs` SIGKILL for the whole tree. Does nothing to a task that has ended. */
  cancel(graceMs: number): void {
    void this.#end('canceled', graceMs)
  }

  measure(processes: () => ProcessStat[]): void {
    if (!this.#run) return
    const usage = this.#run.usage(processes)
    this.record.cpuSeconds = usage.cpuSeconds
    this.record.maxMemoryBytes = Math.max(this.record.maxMemoryBytes ?? 0, usage.maxMemoryBytes ?? usage.memoryBytes ?? 0)
    if (!this.#context.host.cgroup.enforces.memory && (usage.memoryBytes ?? 0) > this.record.limits.memoryBytes) this.#run.killForMemory()
  }

  release(): void {
    this.#stopWatching()
    this.#run?.release()
  }

  #attach(run: Run, command: string[]): void {
    this.#run = run
    run.onLocated = () => this.#save()
    void run.ended.then((end) => this.#ended(end, command))
    const leftMs = Date.parse(this.record.startedAt) + this.record.timeoutMs - Date.now()
    // Longer waits than a timer can hold are as good as none.
    if (leftMs < 2 ** 31) this.#timeout = setTimeout(() => void this.#end('timeout', limitGraceMs), Math.max(0, leftMs))
    this.#watchDisk()
  }

  #watchDisk(): void {
    const { host } = this.#context
    const limitBytes = this.record.limits.diskBytes
    if (limitBytes === undefined || !host.tools.du) return
    this.#disk = new DiskWatch({
      du: host.tools.du,
      paths: [this.record.directory, scratchDirectory(host, this.id), ...(this.record.counted ?? [])],
      limitBytes,
      baseBytes: this.record.diskBaseBytes,
      diskPollMs: host.settings.diskPollMs,
      diskCountMaxMs: host.settings.diskCountMaxMs,
      onBase: (bytes) => {
        this.record.diskBaseBytes = bytes
        this.#save()
      },
      onFull: () => void this.#end('disk', limitGraceMs),
    })
  }

  async #end(why: NonNullable<TaskRecord['ending']>, graceMs: number): Promise<void> {
    await this.#starting
    if (this.record.finishedAt || !this.#run) return
    // The first reason is the true one; the grace may still become shorter.
    if (!this.record.ending) {
      this.record.ending = why
      this.#save()
    }
    await this.#run.stop(graceMs)
  }

  #ended(end: RunEnd, command: string[]): void {
    const { record } = this
    record.cpuSeconds = end.usage.cpuSeconds ?? record.cpuSeconds
    record.maxMemoryBytes = end.usage.maxMemoryBytes ?? record.maxMemoryBytes
    this.#finish({ exit: end.exit, problem: taskProblem(record, end, command) })
  }

  #finish(result: Pick<TaskRecord, 'exit' | 'problem'>): void {
    this.#stopWatching()
    this.#run = undefined
    Object.assign(this.record, result, { finishedAt: result.exit?.at ?? new Date().toISOString() })
    this.#save()
    this.#context.logs.end(this.id)
    this.#context.onChange(this)
    this.#finished()
  }

  #stopWatching(): void {
    clearTimeout(this.#timeout)
    this.#disk?.close()
  }

  #save(): void {
    this.#context.host.records.save(this.record)
  }
}

/** Why the platform ended a task or could not run it; undefined when it ended by itself. Pure. */
export function taskProblem(
  record: Pick<TaskRecord, 'ending' | 'timeoutMs' | 'limits'>,
  end: Pick<RunEnd, 'exit' | 'neverRan'>,
  command: string[],
): ErrorObject | undefined {
  if (record.ending === 'canceled') return fail('CANCELED', { message: 'The task was cancelled.', fix: 'Run it again.' }).toObject()
  if (record.ending === 'timeout') {
    return fail('BUILD_TIMEOUT', {
      message: `The task took longer than ${formatDuration(record.timeoutMs)} and was ended.`,
      facts: { timeoutMs: record.timeoutMs },
    }).toObject()
  }
  if (record.ending === 'disk' || end.exit.signal === 'SIGXFSZ') {
    const limit = formatBytes(record.limits.diskBytes ?? 0)
    return fail('BUILD_DISK_FULL', {
      message: `The task wrote more than the ${limit} of disk that it may use.`,
      facts: { diskBytes: record.limits.diskBytes },
    }).toObject()
  }
  if (end.exit.outOfMemory) {
    const limit = formatBytes(record.limits.memoryBytes)
    return fail('OUT_OF_MEMORY', {
      message: `The task used more than its ${limit} of memory; it ${describeExit(end.exit)}.`,
      facts: { memoryBytes: record.limits.memoryBytes },
    }).toObject()
  }
  return end.neverRan ? startProblem('The task', end, command) : undefined
}
