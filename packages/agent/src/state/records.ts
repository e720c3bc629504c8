/** One directory per instance or task, with what the next agent must know to take it over. No secrets in it. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorObject, Exit, InstanceState, Limits, TaskStatus } from '@pavior/contract'
import type { ProcessIdentity } from '../run/proc.ts'
import type { UseRecord } from '../use.ts'
import { writeAtomically } from './atomic.ts'

/** One start of a process. */
export interface StartRecord {
  /** 0 for the first start. */
  attempt: number
  bootId: string
  /** The process that the agent spawned: the sandbox's monitor or the shim itself. */
  spawned: ProcessIdentity
  /** The shim, parent of the command. */
  shim?: ProcessIdentity
  /** The command, as the host numbers it. */
  command?: ProcessIdentity
  group: string
  uid?: number
  port?: number
  startedAt: string
  /** Size of the log at the start: the lines behind it are of this start. */
  logOffset: number
}

export interface InstanceRecord {
  kind: 'instance'
  id: string
  set: string
  /** Fingerprint of what it was started from. */
  revision: string
  name: { team: string; app: string; process: string; release: number; environment: string }
  state: InstanceState
  /** Starts after the first. */
  restarts: number
  /** Exits since it was last healthy for long. */
  exitsInRow: number
  /** Milliseconds since the epoch of the last few exits. */
  exitTimes: number[]
  crashLoop: boolean
  /** When the next start is due, while in back-off. */
  nextStartAt?: number
  healthyAt?: string
  lastExit?: Exit
  /** Ends because it reached its memory limit. */
  outOfMemoryKills?: number
  problem?: ErrorObject
  /** CPU time of earlier starts. */
  earlierCpuSeconds: number
  /** How to end it, kept here because its set may be gone when that is needed. */
  stopGraceMs: number
  drainTimeoutMs: number
  /** Frozen since; noted before it is frozen, so that whatever is frozen is known to be. */
  asleepSince?: string
  use?: UseRecord
  start?: StartRecord
}

export interface TaskRecord extends Omit<TaskStatus, 'state'> {
  kind: 'task'
  timeoutMs: number
  limits: Limits
  directory: string
  /** Further directories whose growth counts. */
  counted?: string[]
  /** Bytes in the directory and the scratch space before the task began. */
  diskBaseBytes?: number
  /** Why the agent ended it, once it has begun to. */
  ending?: 'canceled' | 'timeout' | 'disk' | 'memory'
  start?: StartRecord
}

export type RunRecord = InstanceRecord | TaskRecord

export class RecordStore {
  readonly #directory: string
  readonly #retryMs: number
  readonly #onError: (error: unknown) => void
  readonly #unsaved = new Map<string, RunRecord>()
  #timer?: NodeJS.Timeout

  constructor(directory: string, options: { retryMs: number; onError: (error: unknown) => void }) {
    this.#directory = directory
    this.#retryMs = options.retryMs
    this.#onError = options.onError
  }

  /** Directory of one run: its record and what the shim writes. */
  path(id: string): string {
    return join(this.#directory, id)
  }

  /** Makes the directory of a run that is about to be started. */
  prepare(id: string): void {
    mkdirSync(this.path(id), { recursive: true, mode: 0o700 })
  }

  /**
   * Saves a record. It need not survive a power cut: after one the processes are gone anyway.
   * A full disk must not end supervision, so what cannot be saved now is tried again until it can.
   */
  save(record: RunRecord): void {
    this.#unsaved.delete(record.id)
    try {
      this.prepare(record.id)
      writeAtomically(join(this.path(record.id), 'record.json'), JSON.stringify(record), { durable: false })
    } catch (error) {
      this.#onError(error)
      this.#unsaved.set(record.id, record)
      this.#timer ??= setTimeout(() => this.#saveAgain(), this.#retryMs).unref()
    }
  }

  remove(id: string): void {
    this.#unsaved.delete(id)
    try {
      rmSync(this.path(id), { recursive: true, force: true })
    } catch (error) {
      this.#onError(error)
    }
  }

  #saveAgain(): void {
    this.#timer = undefined
    for (const record of [...this.#unsaved.values()]) this.save(record)
  }

  /** Every record; directories without a readable one are leftovers of a start that never was, and are removed. */
  load(): RunRecord[] {
    const records: RunRecord[] = []
    for (const id of readdirSync(this.#directory)) {
      const file = join(this.path(id), 'record.json')
      try {
        if (existsSync(file)) records.push(JSON.parse(readFileSync(file, 'utf8')) as RunRecord)
        else this.remove(id)
      } catch {
        this.remove(id)
      }
    }
    return records
  }
}
