/** Limits and accounts for a tree of processes. One conformance suite runs over every driver. */
import type { Limits } from '@pavior/contract'

export interface CgroupUsage {
  /** CPU time of everything that ever ran in the group. */
  cpuSeconds?: number
  /** Memory in use without file cache that could be given back. */
  memoryBytes?: number
  maxMemoryBytes?: number
}

export interface CgroupGroup {
  /** Files into which a process writes `0` to join. */
  readonly joinFiles: string[]
  /** Processes inside. */
  pids(): number[]
  usage(): CgroupUsage
  /** How many processes the kernel killed here because memory ran out. */
  outOfMemoryKills(): number
  /** Sends SIGKILL to everything inside, as far as possible in one step. */
  killAll(): void
  /** Holds everything inside where it stands. False when this group cannot. */
  freeze(): boolean
  thaw(): void
  /** True when the group is gone; false while processes are still inside. */
  remove(): boolean
}

export interface CgroupDriver {
  readonly kind: 'v1' | 'v2' | 'none'
  /** Which limits are enforced. */
  readonly enforces: { memory: boolean; cpu: boolean; pids: boolean }
  /** Whether `pids()` is complete, so that nothing can leave a tree unseen. */
  readonly tracks: boolean
  create(name: string, limits: Limits): CgroupGroup
  /** A group that an earlier agent created. */
  open(name: string): CgroupGroup
  /** Names of the groups that exist. */
  list(): string[]
  /** Removes the empty parents at the very end. */
  close(): void
}

/** The driver for hosts where no cgroup may be written: holds nothing, knows nothing. */
export const noCgroup: CgroupDriver = {
  kind: 'none',
  enforces: { memory: false, cpu: false, pids: false },
  tracks: false,
  create: () => emptyGroup,
  open: () => emptyGroup,
  list: () => [],
  close: () => {},
}

const emptyGroup: CgroupGroup = {
  joinFiles: [],
  pids: () => [],
  usage: () => ({}),
  outOfMemoryKills: () => 0,
  killAll: () => {},
  freeze: () => false,
  thaw: () => {},
  remove: () => true,
}
