/** Reads /proc. Everything here is one small synchronous read: procfs answers from memory. */
import { readdirSync, readFileSync } from 'node:fs'

/** A process, told apart from a later one with the same pid. */
export interface ProcessIdentity {
  pid: number
  /** Start time in clock ticks since boot (field 22 of /proc/pid/stat). */
  startTicks: number
}

export interface ProcessStat extends ProcessIdentity {
  parent: number
  session: number
  /** `Z` is a zombie. */
  state: string
  cpuSeconds: number
  residentBytes: number
}

const ticksPerSecond = 100
const pageBytes = 4096

/** Names this boot of the kernel: pids and start times mean nothing after it. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** The state of a process, undefined when there is none. See proc(5) for the field numbers. */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The command name is in parentheses and may hold anything, so fields are counted behind the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    pid,
    state: fields[0] ?? '?',
    parent: field(4),
    session: field(6),
    startTicks: field(22),
    cpuSeconds: (field(14) + field(15) + field(16) + field(17)) / ticksPerSecond,
    residentBytes: field(24) * pageBytes,
  }
}

/** The identity of a running process; undefined when it is gone or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid)
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTicks: stat.startTicks } : undefined
}

/** Whether this very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTicks === identity.startTicks
}

/** Every process that this one may see, zombies left out. */
export function listProcesses(): ProcessStat[] {
  const found: ProcessStat[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const stat = readStat(pid)
    if (stat && stat.state !== 'Z' && stat.state !== 'X') found.push(stat)
  }
  return found
}

/** Direct children of a process, oldest first; empty where the kernel does not tell. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Sends a signal; a process that is gone or not ours is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended meanwhile.
  }
}

/** What marks the processes of one run, for hosts where neither a namespace nor a cgroup holds them together. */
export interface TreeMark {
  root?: ProcessIdentity
  /** Session of the first process. */
  session?: number
  /** An entry of the environment that only this run has: `NAME=value`. */
  environment: string
}

/** Processes that belong to a run: descendants, members of its session, and daemons that carry its mark. */
export function findTree(mark: TreeMark, processes = listProcesses()): number[] {
  const members = new Set<number>()
  for (const each of processes) {
    if (each.pid === process.pid) continue
    if (each.session === mark.session || members.has(each.parent) || each.pid === mark.root?.pid || carries(each.pid, mark.environment)) {
      members.add(each.pid)
    }
  }
  // A child may stand before its parent in the list when pids have wrapped around.
  for (let grown = true; grown; ) {
    grown = false
    for (const each of processes) {
      if (!members.has(each.pid) && members.has(each.parent)) grown = Boolean(members.add(each.pid))
    }
  }
  return [...members]
}

function carries(pid: number, entry: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${entry}\0`)
  } catch {
    return false
  }
}
