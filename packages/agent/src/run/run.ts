/**
 * One start of one process tree: spawned by this agent or taken over from an earlier one.
 *
 * It is over when nothing of its tree is left, its cgroup is removed and its exit is known.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, statSync, watch, type FSWatcher } from 'node:fs'
import type { Writable } from 'node:stream'
import type { CgroupGroup, CgroupUsage } from '../cgroup/driver.ts'
import type { StartRecord } from '../state/records.ts'
import type { RunHost } from './host.ts'
import { removeScratch } from './prepare.ts'
import { removeSecretFiles } from './secrets.ts'
import {
  childrenOf,
  findTree,
  identify,
  isAlive,
  listProcesses,
  readStat,
  signalProcess,
  type ProcessIdentity,
  type ProcessStat,
} from './proc.ts'
import { parseRecord, shimFiles, type ShimRecord } from './shim.ts'
import { judge, type Verdict } from './verdict.ts'

export interface RunEnd extends Verdict {
  usage: CgroupUsage
}

const slowPollMs = 1000

export class Run {
  readonly id: string
  readonly start: StartRecord
  /** Resolves when nothing of the tree is left. */
  readonly ended: Promise<RunEnd>
  readonly input?: Writable
  /** Called when `start` has learned something that is worth saving. */
  onLocated: () => void = () => {}
  readonly #host: RunHost
  readonly #group: CgroupGroup
  readonly #directory: string
  #stopping = false
  #killAt = Number.POSITIVE_INFINITY
  #finish!: (end: RunEnd) => void
  #finishing = false
  #overMemory = false
  #released = false
  /** How it is held, by its cgroup or as processes that were stopped; undefined while it runs. */
  #frozen?: 'cgroup' | ReadonlySet<number>
  #watcher?: FSWatcher
  #timer?: NodeJS.Timeout
  readonly #child?: ChildProcess

  constructor(host: RunHost, from: { id: string; start: StartRecord; group: CgroupGroup; child?: ChildProcess }) {
    this.#host = host
    this.id = from.id
    this.start = from.start
    this.#group = from.group
    this.#directory = host.records.path(from.id)
    this.ended = new Promise((resolve) => (this.#finish = resolve))
    if (from.child) {
      this.#child = from.child
      this.input = from.child.stdin ?? undefined
      this.input?.on('error', () => {})
      from.child.once('exit', () => this.#spawnedEnded())
    } else {
      this.#pollUntilEnded()
    }
  }

  /** The command's pid as the host numbers it; the nearest known process above it until it is known. */
  get pid(): number {
    this.locate()
    return (this.start.command ?? this.start.shim ?? this.start.spawned).pid
  }

  /** Files into which a process writes `0` to share the limits of this one; none where there is no cgroup. */
  get joinFiles(): string[] {
    return this.#group.joinFiles
  }

  get cgroupPids(): number[] {
    return this.#group.pids()
  }

  /** Whether the command was begun. */
  get began(): boolean {
    return this.#record().pid !== undefined
  }

  /** Looks for the shim and the command below what was spawned. */
  locate(): void {
    const { start } = this
    if (start.command) return
    start.shim ??= this.#findShim()
    const own = start.shim && this.#record().pid
    if (!start.shim || own === undefined) return
    start.command = identify(this.#host.sandbox.ownsPids ? (childrenOf(start.shim.pid)[0] ?? start.shim.pid) : own)
    if (start.command) this.onLocated()
  }

  #findShim(): ProcessIdentity | undefined {
    if (!this.#host.sandbox.ownsPids) return this.start.spawned
    const pid = /"child-pid":\s*(\d+)/.exec(readIfThere(shimFiles(this.#directory).status))?.[1]
    const stat = pid === undefined ? undefined : readStat(Number(pid))
    // Its session shows that the pid was not given to another process since.
    return stat && stat.session === this.start.spawned.pid ? { pid: stat.pid, startTicks: stat.startTicks } : undefined
  }

  /** Holds every process of the tree where it stands; done again, it changes nothing. */
  freeze(): void {
    if (this.#group.freeze()) this.#frozen = 'cgroup'
    else this.#frozen = this.#stopAll()
  }

  /** Lets them go on. */
  thaw(): void {
    if (this.#frozen === 'cgroup') this.#group.thaw()
    // What is stopped cannot have made others meanwhile.
    else this.#frozen?.forEach((pid) => signalProcess(pid, 'SIGCONT'))
    this.#frozen = undefined
  }

  /** A process that forks meanwhile needs another round, and none does once all have stopped. */
  #stopAll(): ReadonlySet<number> {
    const stopped = new Set<number>()
    for (let left = this.members(); left.some((pid) => !stopped.has(pid)); left = this.members()) {
      for (const pid of left) {
        stopped.add(pid)
        signalProcess(pid, 'SIGSTOP')
      }
    }
    return stopped
  }

  /** SIGTERM to the command; after `graceMs` SIGKILL for everything. Resolves when all is gone. */
  stop(graceMs: number): Promise<RunEnd> {
    this.#stopping = true
    this.thaw()
    this.#killAt = Math.min(this.#killAt, Date.now() + graceMs)
    this.locate()
    if (this.start.shim && this.began && graceMs > 0) signalProcess(this.start.shim.pid, 'SIGTERM')
    else this.kill()
    const timer = setTimeout(() => this.kill(), Math.max(0, this.#killAt - Date.now()))
    void this.ended.then(() => clearTimeout(timer))
    return this.ended
  }

  /** A signal to the command, as if it came from somewhere outside: what becomes of it is no stop that was wanted. */
  strike(signal: NodeJS.Signals): void {
    this.thaw()
    signalProcess(this.pid, signal)
  }

  /** SIGKILL to everything, at once. */
  kill(): void {
    this.#stopping = true
    this.#killAt = 0
    this.#killOnce()
  }

  /** Ends it because it uses more memory than it may, where no cgroup does that. */
  killForMemory(): void {
    this.#overMemory = true
    this.#killOnce()
  }

  /** Forgets about it without ending it: the agent ends and the process goes on. */
  release(): void {
    this.#released = true
    this.#child?.unref()
    this.#stopWatching()
  }

  #stopWatching(): void {
    this.#watcher?.close()
    clearTimeout(this.#timer)
  }

  /** CPU and memory of the tree. `processes` saves reading /proc once for every run. */
  usage(processes?: () => ProcessStat[]): CgroupUsage {
    const usage = this.#group.usage()
    if (usage.cpuSeconds !== undefined && usage.memoryBytes !== undefined) return usage
    const stats = this.members(processes)
      .map((pid) => readStat(pid))
      .filter((stat) => stat !== undefined)
    return {
      cpuSeconds: usage.cpuSeconds ?? stats.reduce((sum, stat) => sum + stat.cpuSeconds, 0),
      memoryBytes: usage.memoryBytes ?? stats.reduce((sum, stat) => sum + stat.residentBytes, 0),
      maxMemoryBytes: usage.maxMemoryBytes,
    }
  }

  /** Every process of the tree, as far as this host can tell. */
  members(processes: () => ProcessStat[] = listProcesses): number[] {
    if (this.#host.cgroup.tracks) return this.#group.pids()
    const list = processes()
    return findTree({ root: this.start.spawned, session: this.start.spawned.pid, environment: `PAVIOR_INSTANCE=${this.id}` }, list)
  }

  #record(): ShimRecord {
    return parseRecord(readIfThere(shimFiles(this.#directory).record))
  }

  #alive(): boolean {
    if (this.start.bootId !== this.#host.bootId) return false
    this.locate()
    const shim = this.start.shim
    return shim ? isAlive(shim) : isAlive(this.start.spawned)
  }

  #spawnedEnded(): void {
    // Killing the sandbox's monitor from outside does not end what it watches.
    if (this.#alive()) this.#pollUntilEnded()
    else void this.#wrapUp()
  }

  #pollUntilEnded(): void {
    const check = () => {
      if (!this.#finishing && !this.#alive()) void this.#wrapUp()
    }
    try {
      this.#watcher = watch(this.#directory, { persistent: false }, check)
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // Without a watch the poll below notices, a second later.
    }
    const poll = () => {
      check()
      if (!this.#finishing) this.#timer = setTimeout(poll, this.#host.settings.adoptedPollMs).unref()
    }
    this.#timer = setTimeout(poll, 0)
  }

  async #wrapUp(): Promise<void> {
    if (this.#finishing || this.#released) return
    this.#finishing = true
    this.#stopWatching()
    await this.#clearTree()
    const counted = this.#group.usage()
    const end = { ...this.#verdict(), usage: { ...counted, cpuSeconds: counted.cpuSeconds ?? this.#record().cpuSeconds } }
    await this.#until(() => this.#group.remove())
    await removeScratch(this.#host, this.id)
    removeSecretFiles(this.#host, this.id)
    this.#finish(end)
  }

  /** What outlives the command gets the rest of the grace when it was stopped, and none when it ended by itself. */
  async #clearTree(): Promise<void> {
    if (this.start.bootId !== this.#host.bootId) return
    if (this.#stopping && Date.now() < this.#killAt) {
      this.members().forEach((pid) => signalProcess(pid, 'SIGTERM'))
      await this.#until(() => Date.now() >= this.#killAt || this.members().length === 0)
    }
    await this.#until(() => {
      const left = this.members()
      if (left.length > 0) this.#killOnce(left)
      return left.length === 0
    })
  }

  #killOnce(members = this.members()): void {
    this.locate()
    const { shim, spawned } = this.start
    this.thaw()
    this.#group.killAll()
    for (const each of [shim, spawned]) if (each && isAlive(each)) signalProcess(each.pid, 'SIGKILL')
    members.forEach((pid) => signalProcess(pid, 'SIGKILL'))
  }

  /** Waits for a condition that no event tells of, quickly at first. */
  async #until(done: () => boolean): Promise<void> {
    for (let waitMs = this.#host.settings.treePollMs / 8; !done(); waitMs = Math.min(waitMs * 1.5, slowPollMs)) {
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }

  #verdict(): Verdict {
    const record = this.#record()
    const recordFile = shimFiles(this.#directory).record
    return judge({
      record,
      at: record.ended && existsSync(recordFile) ? statSync(recordFile).mtime : new Date(),
      stopping: this.#stopping,
      overMemory: this.#overMemory,
      outOfMemoryKills: this.#group.outOfMemoryKills(),
    })
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
