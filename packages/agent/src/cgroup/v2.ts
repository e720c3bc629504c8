/** cgroup v2: one hierarchy for all controllers. See the kernel's Documentation/admin-guide/cgroup-v2. */
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
  readText,
  removeEmpty,
  removeGroup,
  tryWriteValue,
  writeValue,
} from './files.ts'

const cpuPeriodMicroseconds = 100_000
const wanted = ['memory', 'cpu', 'pids'] as const
type Controller = (typeof wanted)[number]

/** Places below which our groups could live: our own group (where a service manager delegated it), then the root. */
export function findV2Bases(): string[] {
  const mount = readCgroupMounts().find((each) => each.type === 'cgroup2')
  if (!mount) return []
  const own = /^0::(.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  return [...new Set([`${mount.directory}${own === '/' ? '' : own}`, mount.directory])]
}

/**
 * Opens the first base that lets us limit anything. Undefined when none does.
 *
 * A group with processes of its own cannot hand controllers down, so the agent moves itself into a group beside the
 * instances first; the root of the whole hierarchy is exempt from that rule.
 */
export function openV2(parent: string, bases = findV2Bases()): CgroupDriver | undefined {
  for (const base of bases) {
    const controllers = prepare(base, parent)
    if (controllers && controllers.length > 0) return driver(`${base}/${parent}`, controllers)
    removeGroup(`${base}/${parent}`)
  }
  return undefined
}

function prepare(base: string, parent: string): Controller[] | undefined {
  const offered = (readText(`${base}/cgroup.controllers`) ?? '').trim().split(' ')
  const controllers = wanted.filter((controller) => offered.includes(controller))
  if (controllers.length === 0) return undefined
  try {
    makeGroup(`${base}/${parent}`)
  } catch {
    return undefined
  }
  if (!enable(base, controllers)) {
    moveSelf(base)
    if (!enable(base, controllers)) return undefined
  }
  let path = base
  for (const part of parent.split('/')) {
    path = `${path}/${part}`
    if (!enable(path, controllers)) return undefined
  }
  return controllers
}

function enable(directory: string, controllers: Controller[]): boolean {
  const on = (readText(`${directory}/cgroup.subtree_control`) ?? '').trim().split(' ')
  const missing = controllers.filter((controller) => !on.includes(controller))
  return missing.length === 0 || tryWriteValue(`${directory}/cgroup.subtree_control`, missing.map((each) => `+${each}`).join(' '))
}

function moveSelf(base: string): void {
  try {
    makeGroup(`${base}/pavior-agent`)
    writeValue(`${base}/pavior-agent/cgroup.procs`, process.pid)
  } catch {
    // Not permitted: the next attempt to enable controllers fails and the caller goes on to another place.
  }
}

function driver(parent: string, controllers: Controller[]): CgroupDriver {
  const has = (controller: Controller) => controllers.includes(controller)
  return {
    kind: 'v2',
    enforces: { memory: has('memory'), cpu: has('cpu'), pids: has('pids') },
    tracks: true,
    create: (name, limits) => new V2Group(`${parent}/${name}`).create(limits, controllers),
    open: (name) => new V2Group(`${parent}/${name}`),
    list: () => listGroups(parent),
    close: () => removeEmpty(parent),
  }
}

class V2Group implements CgroupGroup {
  readonly joinFiles: string[]
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
    this.joinFiles = [`${directory}/cgroup.procs`]
  }

  create(limits: Limits, controllers: Controller[]): this {
    makeGroup(this.#directory)
    for (const [file, value] of v2Values(limits, controllers)) writeValue(`${this.#directory}/${file}`, value)
    if (controllers.includes('memory')) tryWriteValue(`${this.#directory}/memory.swap.max`, 0)
    return this
  }

  pids(): number[] {
    return readPids(this.#directory)
  }

  usage(): CgroupUsage {
    const microseconds = readKey(`${this.#directory}/cpu.stat`, 'usage_usec')
    const used = readNumber(`${this.#directory}/memory.current`)
    const cache = readKey(`${this.#directory}/memory.stat`, 'inactive_file') ?? 0
    return {
      cpuSeconds: microseconds === undefined ? undefined : microseconds / 1e6,
      memoryBytes: used === undefined ? undefined : Math.max(0, used - cache),
      maxMemoryBytes: readNumber(`${this.#directory}/memory.peak`),
    }
  }

  outOfMemoryKills(): number {
    return readKey(`${this.#directory}/memory.events`, 'oom_kill') ?? 0
  }

  killAll(): void {
    // Linux 5.14 and later: one write, and nothing can fork its way out.
    if (!tryWriteValue(`${this.#directory}/cgroup.kill`, 1)) killPids(this.pids())
  }

  freeze(): boolean {
    return tryWriteValue(`${this.#directory}/cgroup.freeze`, 1)
  }

  thaw(): void {
    tryWriteValue(`${this.#directory}/cgroup.freeze`, 0)
  }

  remove(): boolean {
    return removeGroup(this.#directory)
  }
}

/** The files that express limits, in the order in which they are written. */
export function v2Values(limits: Limits, controllers: readonly Controller[]): [string, string][] {
  const values: [Controller, string, string][] = [
    ['memory', 'memory.max', String(Math.floor(limits.memoryBytes))],
    ['cpu', 'cpu.max', `${Math.max(1000, Math.round(limits.cpu * cpuPeriodMicroseconds))} ${cpuPeriodMicroseconds}`],
    ['pids', 'pids.max', String(Math.floor(limits.pids))],
  ]
  return values.filter(([controller]) => controllers.includes(controller)).map(([, file, value]) => [file, value])
}
