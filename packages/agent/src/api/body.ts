/** Checks the shape of what the server sends, as far as wrong values could do harm here. */
import { fail, type DesiredSet, type DesiredState, type Fault, type LogsWanted, type TaskSpec, type WantedFaults, type Workload, type WorkloadImage } from '@pavior/contract'

/** Ids become file names and cgroup names. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,180}$/

/** Fails with BAD_REQUEST for ids that could not be file names. */
export function checkId(id: string): string {
  if (!idPattern.test(id))
    throw fail('BAD_REQUEST', {
      message: `${JSON.stringify(id)} cannot be used as an id.`,
      fix: 'Use letters, digits, dots, hyphens and underscores.',
    })
  return id
}

export function checkLogsWanted(value: unknown): LogsWanted {
  const wanted = object(value, 'what is wanted') as Partial<LogsWanted>
  if (typeof wanted.session !== 'string') throw wrong('session', 'a text')
  for (const name of ['bytes', 'waitMs'] as const) checkNumber(wanted[name], name)
  for (const [id, offset] of Object.entries(object(wanted.taken, 'taken'))) {
    checkId(id)
    checkNumber(offset, `taken.${id}`)
  }
  return wanted as LogsWanted
}

export function checkFaults(value: unknown): WantedFaults {
  const wanted = object(value, 'the faults') as Partial<WantedFaults>
  if (!Number.isSafeInteger(wanted.generation) || Number(wanted.generation) < 0) throw wrong('generation', 'a whole number')
  if (!Array.isArray(wanted.faults)) throw wrong('faults', 'a list')
  wanted.faults.forEach((fault, index) => checkFault(fault, `faults[${index}]`))
  return wanted as WantedFaults
}

function checkFault(value: unknown, at: string): void {
  const fault = object(value, at) as Partial<Fault>
  for (const name of ['id', 'team', 'app', 'environment'] as const) if (typeof fault[name] !== 'string') throw wrong(`${at}.${name}`, 'a text')
  // It becomes a line of a response head as it is.
  if (typeof fault.gameDay !== 'string' || !/^[\x21-\x7e]{1,253}$/.test(fault.gameDay)) throw wrong(`${at}.gameDay`, 'a name')
  if (Number.isNaN(Date.parse(fault.until ?? ''))) throw wrong(`${at}.until`, 'a time in ISO 8601')
  const effects = [fault.latency, fault.errors, fault.kill, fault.cpu, fault.memory].filter((effect) => effect !== undefined)
  if (effects.length !== 1) throw wrong(at, 'exactly one of latency, errors, kill, cpu and memory')
}

export function checkDesired(value: unknown): DesiredState {
  const desired = object(value, 'the desired state') as Partial<DesiredState>
  if (!Number.isSafeInteger(desired.generation) || Number(desired.generation) < 0) throw wrong('generation', 'a whole number')
  if (!Array.isArray(desired.sets)) throw wrong('sets', 'a list')
  if (!Array.isArray(desired.routes)) throw wrong('routes', 'a list')
  desired.sets.forEach((set, index) => checkSet(set, `sets[${index}]`))
  if (desired.probes !== undefined && !Array.isArray(desired.probes)) throw wrong('probes', 'a list')
  return desired as DesiredState
}

function checkSet(value: unknown, at: string): void {
  const set = object(value, at) as Partial<DesiredSet>
  if (typeof set.id !== 'string') throw wrong(`${at}.id`, 'a text')
  if (typeof set.process !== 'string') throw wrong(`${at}.process`, 'a text')
  checkId(`${set.workload?.app}-${set.process}`)
  const numbers = ['replicas', 'release', 'startTimeoutMs', 'minReadyMs', 'stopGraceMs', 'drainTimeoutMs'] as const
  for (const name of numbers) checkNumber(set[name], `${at}.${name}`)
  if (set.sleepAfterMs !== undefined) checkNumber(set.sleepAfterMs, `${at}.sleepAfterMs`)
  const probe = object(set.probe, `${at}.probe`) as Partial<DesiredSet['probe']>
  for (const name of ['intervalMs', 'timeoutMs', 'failureThreshold'] as const) checkNumber(probe[name], `${at}.probe.${name}`)
  // It becomes part of a request line as it is.
  if (probe.path !== undefined && !/^\/[\x21-\x7e]*$/.test(probe.path))
    throw wrong(`${at}.probe.path`, 'a path that begins with / and holds no spaces')
  checkWorkload(set.workload, `${at}.workload`)
}

export function checkTask(value: unknown): TaskSpec {
  const task = object(value, 'the task') as Partial<TaskSpec>
  checkNumber(task.timeoutMs, 'timeoutMs')
  if (task.terminal) {
    checkNumber(task.terminal.columns, 'terminal.columns')
    checkNumber(task.terminal.rows, 'terminal.rows')
  }
  checkWorkload(task.workload, 'workload')
  return task as TaskSpec
}

function checkWorkload(value: unknown, at: string): void {
  const workload = object(value, at) as Partial<Workload>
  for (const name of ['team', 'app'] as const) if (typeof workload[name] !== 'string') throw wrong(`${at}.${name}`, 'a text')
  checkPath(workload.directory, `${at}.directory`)
  if (
    !Array.isArray(workload.command) ||
    workload.command.length === 0 ||
    !workload.command.every((word) => typeof word === 'string' && !word.includes('\0'))
  ) {
    throw wrong(`${at}.command`, 'a list of texts that is not empty')
  }
  for (const [name, text] of Object.entries(object(workload.env, `${at}.env`)))
    if (typeof text !== 'string') throw wrong(`${at}.env.${name}`, 'a text')
  if (workload.image !== undefined) {
    const { directory, home, user, stopSignal } = object(workload.image, `${at}.image`) as Partial<WorkloadImage>
    checkPath(directory, `${at}.image.directory`)
    checkPath(home, `${at}.image.home`)
    if (typeof user !== 'string') throw wrong(`${at}.image.user`, 'a text')
    if (stopSignal !== undefined && !/^SIG[A-Z0-9]+$/.test(stopSignal)) throw wrong(`${at}.image.stopSignal`, 'the name of a signal')
  }
  const limits = object(workload.limits, `${at}.limits`) as Partial<Workload['limits']>
  for (const name of ['memoryBytes', 'cpu', 'pids'] as const) checkNumber(limits[name], `${at}.limits.${name}`)
  for (const [index, mount] of (workload.mounts ?? []).entries()) {
    checkPath(mount.source, `${at}.mounts[${index}].source`)
    checkPath(mount.target, `${at}.mounts[${index}].target`)
  }
}

function checkPath(value: unknown, at: string): void {
  if (typeof value !== 'string' || !value.startsWith('/') || value.includes('\0')) throw wrong(at, 'an absolute path')
}

function checkNumber(value: unknown, at: string): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw wrong(at, 'a number that is not negative')
}

function object(value: unknown, at: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object')
  return value
}

function wrong(at: string, wanted: string) {
  return fail('BAD_REQUEST', `${at} must be ${wanted}.`)
}
