/** All tasks that the server started and has not forgotten. */
import { fail, type TaskSpec, type TaskStatus } from '@pavior/contract'
import type { EventHub } from './events.ts'
import type { LogStore } from './logs/store.ts'
import type { RunHost } from './run/host.ts'
import type { ProcessStat } from './run/proc.ts'
import type { TaskRecord } from './state/records.ts'
import { Task, type TaskContext } from './task.ts'

export class Tasks {
  readonly #context: TaskContext
  readonly #tasks = new Map<string, Task>()
  #closed = false

  constructor(options: { host: RunHost; logs: LogStore; events: EventHub }) {
    this.#context = {
      host: options.host,
      logs: options.logs,
      onChange: (task) => options.events.changed(`task ${task.id}`, () => ({ type: 'task', task: task.status() })),
    }
  }

  /** Goes on where the agent before this one stopped. */
  resume(records: TaskRecord[]): void {
    for (const record of records) {
      const task = new Task(this.#context, record)
      this.#tasks.set(record.id, task)
      if (!record.finishedAt) task.adopt()
    }
  }

  /** Starts a task, unless one of this id exists: then that one is reported. */
  start(id: string, spec: TaskSpec): TaskStatus {
    const known = this.#tasks.get(id)
    if (known) return known.status()
    if (this.#closed)
      throw fail('SHUTTING_DOWN', {
        message: 'The agent is stopping and starts no new task.',
        fix: 'Send it again when the agent has been started.',
      })
    const { limits, directory } = spec.workload
    const task = new Task(this.#context, {
      kind: 'task',
      id,
      startedAt: new Date().toISOString(),
      timeoutMs: spec.timeoutMs,
      limits,
      directory,
      ...(spec.workload.imageBuilder ? { counted: (spec.workload.mounts ?? []).filter(({ readOnly }) => !readOnly).map(({ source }) => source) } : {}),
    })
    this.#tasks.set(id, task)
    task.start(spec)
    this.#context.onChange(task)
    return task.status()
  }

  /** Fails with NOT_FOUND. */
  get(id: string): Task {
    const task = this.#tasks.get(id)
    if (!task) throw fail('NOT_FOUND', { message: `There is no task ${id}.`, fix: 'It was forgotten, or never started on this machine.' })
    return task
  }

  has(id: string): boolean {
    return this.#tasks.has(id)
  }

  /** Forgets a task and its log. Fails with CONFLICT while it runs; unknown ids are no error. */
  forget(id: string): void {
    const task = this.#tasks.get(id)
    if (!task) return
    if (!task.record.finishedAt) throw fail('CONFLICT', { message: `Task ${id} is still running.`, fix: 'Cancel it first.' })
    this.#tasks.delete(id)
    this.#context.logs.remove(id)
    this.#context.host.records.remove(id)
  }

  statuses(): TaskStatus[] {
    return [...this.#tasks.values()].map((task) => task.status())
  }

  measure(processes: () => ProcessStat[]): void {
    for (const task of this.#tasks.values()) task.measure(processes)
  }

  release(): void {
    this.#closed = true
    for (const task of this.#tasks.values()) task.release()
  }

  async stopAll(graceMs: number): Promise<void> {
    this.#closed = true
    for (const task of this.#tasks.values()) task.cancel(graceMs)
    await Promise.all([...this.#tasks.values()].map((task) => task.done))
  }
}
