/**
 * One start of one process tree: spawned by this agent or taken over from an earlier one.
 *
 * It is over when nothing of its tree is left, its cgroup is removed and its exit is known.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { fail, type Exit, type TaskSpec, type Workload } from '@pavior/contract'
import type { CgroupGroup, CgroupUsage } from '../cgroup/driver.ts'
import type { StartRecord } from '../state/records.ts'
import { imageSupport, prepareRoot } from '../image/root.ts'
import type { RunHost } from './host.ts'
import { launchCommand, launchEnvironment, onTerminal } from './launch.ts'
import { checkDirectories, copyDirectory, giveDirectories, makeScratch, openNameless, removeScratch } from './prepare.ts'
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
import { environmentScript, parseRecord, signalName, type ShimRecord } from './shim.ts'

export interface RunSpec {
  id: string
  attempt: number
  workload: Workload
  port?: number
  /** Where files that are gone with the run live. Memory counts against the memory limit. */
  scratch: 'memory' | 'disk'
  /** Keep an input stream open; otherwise the process reads end of file. */
  input: boolean
  terminal?: TaskSpec['terminal']
  /** Open for appending; closed by the run. */
  logDescriptor: number
  logOffset: number
}

export interface RunEnd {
  exit: Exit
  /** The command never ran: it was not found, may not be executed, or the sandbox refused. */
  neverRan?: 'not found' | 'not executable' | 'sandbox' | 'limits'
  usage: CgroupUsage
}

/** The shim's limit on processes of a user id, where no cgroup counts them: several instances of an app share it. */
const userProcessesFactor = 8
const slowPollMs = 1000

/** Starts a process. Fails with START_FAILED when something that it needs is missing. */
export async function startRun(host: RunHost, spec: RunSpec): Promise<Run> {
  try {
    return await launch(host, spec)
  } finally {
    closeSync(spec.logDescriptor)
  }
}

async function launch(host: RunHost, asked: RunSpec): Promise<Run> {
  // The root of an image has a layer of its own that may be changed.
  const spec = asked.workload.ownCopy && !asked.workload.image ? { ...asked, workload: await copyDirectory(host, asked.id, asked.workload) } : asked
  const { workload } = spec
  if (spec.terminal && !host.tools.script) {
    throw fail('START_FAILED', {
      message: 'This machine has no script command, so a process cannot get a terminal.',
      fix: 'Install util-linux (Debian: bsdutils), or run the command without a terminal.',
    })
  }
  const uid = workload.imageBuilder ? host.settings.builderUidMin : host.users?.uidOf(workload.team, workload.app)
  const images = workload.image || workload.imageBuilder ? imageSupport(host, workload) : undefined
  checkDirectories(workload, uid)
  const scratch = spec.scratch === 'disk' || !host.sandbox.memoryScratch ? makeScratch(host, spec.id, uid) : undefined
  if (uid !== undefined) await giveDirectories(host, workload, uid)
  const paths = host.sandbox.paths({ directory: workload.directory, scratch, image: workload.image })
  const environment = environmentScript(
    launchEnvironment(workload, paths, { id: spec.id, port: spec.port, terminal: Boolean(spec.terminal) }),
  )
  const words = environment.leftover.length > 0 ? ['env', ...environment.leftover, ...workload.command] : workload.command
  const groupName = `${spec.id}.${spec.attempt}`
  const group = host.cgroup.create(groupName, workload.limits)
  const command = launchCommand({
    workload,
    tools: host.tools,
    sandbox: host.sandbox,
    joinFiles: group.joinFiles,
    command: spec.terminal && host.tools.script ? onTerminal(images ? images.toolbox.words('script') : [host.tools.script], spec.terminal, words) : words,
    uid,
    passwdFile: uid === undefined || workload.image || workload.imageBuilder ? undefined : host.users?.passwdFile(uid, paths.home),
    scratch,
    fileBytes: workload.limits.diskBytes,
    userProcesses: processLimit(host, workload, uid),
    image: images && workload.image ? { root: prepareRoot(host, spec.id, { rootfs: workload.directory, image: workload.image, uid }), toolbox: images.toolbox } : undefined,
  })
  const namespace = workload.imageBuilder ? await images?.builderNamespace() : undefined
  try {
    return spawnRun(host, spec, { command, environment: environment.script, group, groupName, uid, namespace })
  } catch (error) {
    group.remove()
    throw error
  }
}

/** Where no cgroup limits processes, the user id does, if it is the app's own or the sandbox counts it by itself. */
function processLimit(host: RunHost, workload: Workload, uid: number | undefined): number | undefined {
  if (host.cgroup.enforces.pids) return undefined
  if (uid !== undefined) return Math.floor(workload.limits.pids) * userProcessesFactor
  return host.sandbox.ownsPids && process.getuid?.() !== 0 ? Math.floor(workload.limits.pids) : undefined
}

interface Prepared {
  command: string[]
  environment: string
  group: CgroupGroup
  groupName: string
  uid?: number
  /** Becomes descriptor 6. */
  namespace?: number
}

function spawnRun(host: RunHost, spec: RunSpec, prepared: Prepared): Run {
  const directory = host.records.path(spec.id)
  const files = shimFiles(directory)
  const descriptors = [
    openSync(files.record, 'w', 0o600),
    openSync(files.status, 'w', 0o600),
    openNameless(host.memoryDirectory, prepared.environment),
  ]
  const [file = '', ...args] = prepared.command
  let child: ChildProcess
  try {
    child = spawn(file, args, {
      cwd: spec.workload.directory,
      // Nothing of the agent's own environment: it may hold secrets, and apps must not depend on who started the agent.
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: [spec.input ? 'pipe' : 'ignore', spec.logDescriptor, spec.logDescriptor, ...descriptors, ...(prepared.namespace === undefined ? [] : [prepared.namespace])],
      detached: true,
    })
  } finally {
    descriptors.forEach((descriptor) => closeSync(descriptor))
  }
  child.on('error', (error) => host.log.warn({ run: spec.id, error: error.message }, 'could not spawn'))
  if (child.pid === undefined)
    throw fail('START_FAILED', {
      message: `The process of ${spec.workload.app} could not be spawned.`,
      why: 'The machine may be out of processes or memory.',
    })
  const start: StartRecord = {
    attempt: spec.attempt,
    bootId: host.bootId,
    spawned: { pid: child.pid, startTicks: readStat(child.pid)?.startTicks ?? 0 },
    group: prepared.groupName,
    uid: prepared.uid,
    port: spec.port,
    startedAt: new Date().toISOString(),
    logOffset: spec.logOffset,
  }
  return new Run(host, { id: spec.id, start, group: prepared.group, child })
}

/** Takes over a process that an earlier agent started. It may have ended meanwhile: then its exit is read from disk. */
export function adoptRun(host: RunHost, id: string, start: StartRecord): Run {
  return new Run(host, { id, start, group: host.cgroup.open(start.group) })
}

function shimFiles(directory: string): { record: string; status: string } {
  return { record: join(directory, 'shim'), status: join(directory, 'sandbox') }
}

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

  /** SIGTERM to the command; after `graceMs` SIGKILL for everything. Resolves when all is gone. */
  stop(graceMs: number): Promise<RunEnd> {
    this.#stopping = true
    this.#killAt = Math.min(this.#killAt, Date.now() + graceMs)
    this.locate()
    if (this.start.shim && this.began && graceMs > 0) signalProcess(this.start.shim.pid, 'SIGTERM')
    else this.kill()
    const timer = setTimeout(() => this.kill(), Math.max(0, this.#killAt - Date.now()))
    void this.ended.then(() => clearTimeout(timer))
    return this.ended
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
    const stats = this.members(processes?.())
      .map((pid) => readStat(pid))
      .filter((stat) => stat !== undefined)
    return {
      cpuSeconds: usage.cpuSeconds ?? stats.reduce((sum, stat) => sum + stat.cpuSeconds, 0),
      memoryBytes: usage.memoryBytes ?? stats.reduce((sum, stat) => sum + stat.residentBytes, 0),
      maxMemoryBytes: usage.maxMemoryBytes,
    }
  }

  /** Every process of the tree, as far as this host can tell. */
  members(processes?: ProcessStat[]): number[] {
    if (this.#host.cgroup.tracks) return this.#group.pids()
    const list = processes ?? listProcesses()
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
    const end = { ...this.#judge(), usage: { ...counted, cpuSeconds: counted.cpuSeconds ?? this.#record().cpuSeconds } }
    await this.#until(() => this.#group.remove())
    await removeScratch(this.#host, this.id)
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

  #judge(): Omit<RunEnd, 'usage'> {
    const record = this.#record()
    const recordFile = shimFiles(this.#directory).record
    const at = record.ended && existsSync(recordFile) ? statSync(recordFile).mtime : new Date()
    const exit: Exit = { ...(record.ended ?? { signal: signalName(9) }), at: at.toISOString() }
    if (this.#wasOutOfMemory(exit)) exit.outOfMemory = true
    if (record.refused) return { exit, neverRan: 'limits' }
    if (record.missing) return { exit: { code: 127, at: exit.at }, neverRan: 'not found' }
    if (record.pid === undefined && !this.#stopping) return { exit, neverRan: 'sandbox' }
    if (exit.code === 126) return { exit, neverRan: 'not executable' }
    if (exit.code === 127) return { exit, neverRan: 'not found' }
    return { exit }
  }

  /** The kernel kills one process of the tree; the command itself may then exit by itself because of it. */
  #wasOutOfMemory(exit: Exit): boolean {
    if (this.#overMemory) return true
    if (exit.code === 0 || this.#group.outOfMemoryKills() === 0) return false
    return !this.#stopping || exit.signal === 'SIGKILL'
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
