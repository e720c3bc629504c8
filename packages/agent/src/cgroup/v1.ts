/** cgroup v1: one hierarchy per controller. See the kernel's Documentation/admin-guide/cgroup-v1. */
import type { Limits } from '@pavior/contract'
import type { CgroupDriver, CgroupGroup, CgroupUsage } from './driver.ts'
import {
  killPids,
  listGroups,
  makeGroup,
  readCgroupMounts,
  readKey,
  readNumber,
  readPids,
  removeEmpty,
  removeGroup,
  tryWriteValue,
  writeValue,
} from './files.ts'

/**
 * Where the controllers of v1 are mounted. `unified` is a v2 hierarchy without controllers beside them, good for killing and
 * freezing; the freezer of v1 is taken only where there is none, because what it holds cannot be killed.
 */
export interface V1Mounts {
  memory?: string
  cpu?: string
  cpuacct?: string
  pids?: string
  freezer?: string
  unified?: string
}

const cpuPeriodMicroseconds = 100_000

export function findV1Mounts(): V1Mounts {
  const mounts: V1Mounts = {}
  for (const mount of readCgroupMounts()) {
    if (mount.type === 'cgroup2') mounts.unified = mount.directory
    else
      for (const controller of ['memory', 'cpu', 'cpuacct', 'pids', 'freezer'] as const) {
        if (mount.controllers.includes(controller)) mounts[controller] = mount.directory
      }
  }
  if (mounts.unified) delete mounts.freezer
  return mounts
}

/**
 * Makes `parent` (for example `pavior/1f2e`) in every hierarchy that lets us.
 * Undefined when there is no v1 hierarchy that we may write to.
 */
export function openV1(parent: string, mounts = findV1Mounts()): CgroupDriver | undefined {
  const usable: V1Mounts = {}
  for (const [controller, directory] of Object.entries(mounts)) {
    if (canUse(`${directory}/${parent}`)) usable[controller as keyof V1Mounts] = `${directory}/${parent}`
  }
  if (!usable.memory && !usable.cpu && !usable.pids) return undefined
  // Descendants count for their parents only where this is set; it is the default on every kernel of today.
  if (usable.memory) tryWriteValue(`${usable.memory}/memory.use_hierarchy`, 1)
  const directories = [...new Set(Object.values(usable))]
  const group = (name: string) => new V1Group(usable, name)
  return {
    kind: 'v1',
    enforces: { memory: Boolean(usable.memory), cpu: Boolean(usable.cpu), pids: Boolean(usable.pids) },
    tracks: true,
    create: (name, limits) => group(name).create(limits),
    open: group,
    list: () => [...new Set(directories.flatMap(listGroups))],
    close: () => directories.forEach(removeEmpty),
  }
}

function canUse(directory: string): boolean {
  try {
    makeGroup(directory)
    return tryWriteValue(`${directory}/notify_on_release`, 0) || tryWriteValue(`${directory}/cgroup.max.depth`, 'max')
  } catch {
    return false
  }
}

class V1Group implements CgroupGroup {
  readonly joinFiles: string[]
  readonly #at: V1Mounts

  constructor(parents: V1Mounts, name: string) {
    this.#at = Object.fromEntries(Object.entries(parents).map(([controller, directory]) => [controller, `${directory}/${name}`]))
    this.joinFiles = this.#directories().map((directory) => `${directory}/cgroup.procs`)
  }

  create(limits: Limits): this {
    this.#directories().forEach(makeGroup)
    const { memory, cpu, pids } = this.#at
    if (memory) {
      writeValue(`${memory}/memory.limit_in_bytes`, Math.floor(limits.memoryBytes))
      // Present only where the kernel accounts swap: without it an instance would swap instead of reaching its limit.
      tryWriteValue(`${memory}/memory.memsw.limit_in_bytes`, Math.floor(limits.memoryBytes))
    }
    if (cpu) {
      writeValue(`${cpu}/cpu.cfs_period_us`, cpuPeriodMicroseconds)
      writeValue(`${cpu}/cpu.cfs_quota_us`, Math.max(1000, Math.round(limits.cpu * cpuPeriodMicroseconds)))
    }
    if (pids) writeValue(`${pids}/pids.max`, Math.floor(limits.pids))
    return this
  }

  pids(): number[] {
    return [...new Set(this.#directories().flatMap(readPids))]
  }

  usage(): CgroupUsage {
    const { memory, cpuacct } = this.#at
    const nanoseconds = cpuacct && readNumber(`${cpuacct}/cpuacct.usage`)
    const used = memory && readNumber(`${memory}/memory.usage_in_bytes`)
    const cache = memory && readKey(`${memory}/memory.stat`, 'total_inactive_file')
    return {
      cpuSeconds: typeof nanoseconds === 'number' ? nanoseconds / 1e9 : undefined,
      memoryBytes: typeof used === 'number' ? Math.max(0, used - Number(cache || 0)) : undefined,
      maxMemoryBytes: (memory && readNumber(`${memory}/memory.max_usage_in_bytes`)) || undefined,
    }
  }

  outOfMemoryKills(): number {
    return (this.#at.memory && readKey(`${this.#at.memory}/memory.oom_control`, 'oom_kill')) || 0
  }

  killAll(): void {
    if (this.#at.unified && tryWriteValue(`${this.#at.unified}/cgroup.kill`, 1)) return
    killPids(this.pids())
  }

  freeze(): boolean {
    const { unified, freezer } = this.#at
    return (unified !== undefined && tryWriteValue(`${unified}/cgroup.freeze`, 1)) || (freezer !== undefined && tryWriteValue(`${freezer}/freezer.state`, 'FROZEN'))
  }

  thaw(): void {
    const { unified, freezer } = this.#at
    if (unified) tryWriteValue(`${unified}/cgroup.freeze`, 0)
    if (freezer) tryWriteValue(`${freezer}/freezer.state`, 'THAWED')
  }

  remove(): boolean {
    return this.#directories().map(removeGroup).every(Boolean)
  }

  #directories(): string[] {
    return [...new Set(Object.values(this.#at))]
  }
}
