/** Small reads and writes of cgroup files: they are not real files, so each is one write of one value. */
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmdirSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { signalProcess } from '../run/proc.ts'

/** Writes one value. Throws what the kernel answers. */
export function writeValue(file: string, value: string | number): void {
  const descriptor = openSync(file, 'w')
  try {
    writeSync(descriptor, String(value))
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a value that not every kernel has a file for. */
export function tryWriteValue(file: string, value: string | number): boolean {
  try {
    writeValue(file, value)
    return true
  } catch {
    return false
  }
}

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

export function readNumber(file: string): number | undefined {
  const text = readText(file)
  const number = text === undefined ? Number.NaN : Number(text)
  return Number.isFinite(number) ? number : undefined
}

/** A value of a file with lines of `key value`. */
export function readKey(file: string, key: string): number | undefined {
  const match = readText(file)?.match(new RegExp(`^${key} (\\d+)$`, 'm'))
  return match ? Number(match[1]) : undefined
}

export function readPids(directory: string): number[] {
  return (readText(`${directory}/cgroup.procs`) ?? '')
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter((pid) => pid > 0)
}

export function makeGroup(directory: string): void {
  mkdirSync(directory, { recursive: true })
}

/** Removes a group and groups that the app made below it. False while a process is inside. */
export function removeGroup(directory: string): boolean {
  try {
    for (const child of readdirSync(directory, { withFileTypes: true })) {
      if (child.isDirectory() && !removeGroup(`${directory}/${child.name}`)) return false
    }
    rmdirSync(directory)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** Removes a parent of groups and the one above it, each only when nothing is left in it. */
export function removeEmpty(directory: string): void {
  for (const each of [directory, dirname(directory)]) {
    try {
      rmdirSync(each)
    } catch {
      return
    }
  }
}

export function listGroups(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((each) => each.isDirectory())
      .map((each) => each.name)
  } catch {
    return []
  }
}

/** Kills one by one. A tree that forks meanwhile needs further rounds, which the caller makes until the group is empty. */
export function killPids(pids: number[]): void {
  for (const pid of pids) signalProcess(pid, 'SIGKILL')
}

/** Mount points of cgroup file systems, from mountinfo: the last one mounted at a place counts. See proc(5). */
export function readCgroupMounts(): { type: 'cgroup' | 'cgroup2'; directory: string; controllers: string[] }[] {
  const mounts = []
  for (const line of (readText('/proc/self/mountinfo') ?? '').split('\n')) {
    const [before, after] = line.split(' - ')
    const [type, , options] = after?.split(' ') ?? []
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    const fields = before?.split(' ') ?? []
    mounts.push({
      type: type as 'cgroup' | 'cgroup2',
      directory: (fields[4] ?? '').replaceAll('\\040', ' '),
      controllers: options?.split(',') ?? [],
    })
  }
  return mounts
}
