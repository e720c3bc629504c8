import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, type RequestSpan } from '@pavior/contract'
import type { FoundCallers } from './callers.ts'
import { portInUse, type ListeningHandle } from './listening-handle.ts'
import type { FromWorker, RouterTable, ToWorker, WorkerStats } from './protocol.ts'
import type { CountedRequests } from './records.ts'
import type { RouterSettings } from './settings.ts'

// Small young generation: what a request allocates dies with it, and idle memory counts more than a rare collection.
const workerFlags = ['--max-semi-space-size=2', '--max-old-space-size=256']

/** What a worker tells its owner. */
export interface WorkerEvents {
  onRecords(intervalStart: number, counted: CountedRequests[]): void
  onSpans(spans: RequestSpan[]): void
  /** It asks who has the connections with these ports. */
  onLook(worker: WorkerProcess, ports: number[]): void
  /** Requests wait for a set that is asleep. */
  onWake(set: string): void
  onLog(level: 'warn' | 'error', message: string, detail?: string): void
  onExit(worker: WorkerProcess, how: string): void
}

/** One worker process as its parent sees it. */
export class WorkerProcess {
  readonly startedAt = new Date().toISOString()
  readonly listening: Promise<void>
  stats: WorkerStats | undefined
  generation = -1
  alive = true
  private readonly child: ChildProcess
  private readonly waiting = new Map<string, (message: FromWorker | undefined) => void>()

  constructor(
    entry: string | URL, handle: ListeningHandle, port: number, settings: RouterSettings, table: RouterTable | null, events: WorkerEvents,
  ) {
    this.child = fork(typeof entry === 'string' ? entry : fileURLToPath(entry), [], {
      execArgv: workerFlags, env: { PAVIOR_ROLE: 'router-worker' }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.child.on('message', (message: FromWorker) => this.receive(message, events))
    this.child.on('error', (error) => events.onLog('error', 'A router worker could not be reached.', error.message))
    this.child.on('exit', (code, signal) => this.onExit(events, signal ?? `exit code ${code}`))
    this.listening = this.answer('listening').then((message) => {
      if (message?.type === 'failed' && message.code === 'EADDRINUSE') throw portInUse(port)
      if (message?.type === 'failed') throw fail('INTERNAL', { message: `A router worker cannot listen: ${message.message}.` })
      if (!message) throw fail('INTERNAL', { message: 'A router worker ended before it listened.' })
    })
    this.listening.catch(() => undefined)
    this.send({ type: 'start', settings, table }, handle)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Resident bytes; 0 when it has just ended. */
  get memoryBytes(): number {
    return residentBytes(this.pid)
  }

  /** Resolves when the worker serves this table, or is gone. */
  async apply(table: RouterTable): Promise<void> {
    const applied = this.answer(`applied ${table.generation}`)
    this.send({ type: 'table', table })
    await applied
  }

  /** Resolves with what is in flight to the instance at the end. */
  async drain(id: number, instance: string, timeoutMs: number): Promise<number> {
    const drained = this.answer(`drained ${id}`)
    this.send({ type: 'drain', id, instance, timeoutMs })
    const message = await drained
    return message?.type === 'drained' ? message.inFlight : 0
  }

  /** Resolves when everything counted so far was handed over. */
  async flush(id: number): Promise<void> {
    const flushed = this.answer(`flushed ${id}`)
    this.send({ type: 'flush', id })
    await flushed
  }

  /** Answers who has which connection. */
  tellCallers(found: FoundCallers): void {
    this.send({ type: 'callers', found })
  }

  /** Lets requests to these sets go on. */
  tellAwake(sets: string[]): void {
    this.send({ type: 'awake', sets })
  }

  /** Resolves when the process has ended; it is killed after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (!this.alive) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.send({ type: 'close' })
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
  }

  private send(message: ToWorker, handle?: ListeningHandle): void {
    if (!this.child.connected) return
    this.child.send(message, handle as never, {}, () => { /* a worker that is gone shows by its exit */ })
  }

  private answer(key: string): Promise<FromWorker | undefined> {
    if (!this.alive) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const others = this.waiting.get(key)
      this.waiting.set(key, (message) => {
        others?.(message)
        resolve(message)
      })
    })
  }

  private receive(message: FromWorker, events: WorkerEvents): void {
    switch (message.type) {
      case 'records': return events.onRecords(message.intervalStart, message.counted)
      case 'spans': return events.onSpans(message.spans)
      case 'look': return events.onLook(this, message.ports)
      case 'wake': return events.onWake(message.set)
      case 'log': return events.onLog(message.level, message.message, message.detail)
      case 'stats':
        this.stats = message.stats
        return
      case 'listening':
      case 'failed': return this.settle('listening', message)
      case 'applied':
        this.generation = message.generation
        return this.settle(`applied ${message.generation}`, message)
      case 'drained':
      case 'flushed': return this.settle(`${message.type} ${message.id}`, message)
    }
  }

  private settle(key: string, message: FromWorker): void {
    this.waiting.get(key)?.(message)
    this.waiting.delete(key)
  }

  private onExit(events: WorkerEvents, how: string): void {
    this.alive = false
    for (const resolve of this.waiting.values()) resolve(undefined)
    this.waiting.clear()
    events.onExit(this, how)
  }
}

const pageBytes = 4_096

/** Resident memory of a process from /proc; 0 where that is not to be had. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageBytes
  } catch {
    return 0
  }
}
