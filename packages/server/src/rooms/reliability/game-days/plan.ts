/** What a game day does next: from its plan, how far it is, and what was seen. Pure. */
import { gameDayFaults, type Cause, type Fault, type FaultTarget, type GameDaySpec, type GameDayState, type GameDayStatus, type GameDayStep, type GameDayStepState, type Resource } from '@pavior/contract'

export type GameDay = Resource<GameDaySpec, GameDayStatus>

export const usualPercent = 25
export const usualMinutes = 30
export const usualSettleSeconds = 15
/** When nobody could look for so long, nobody could have ended it either. */
export const longestUnwatchedMs = 60_000
/** That somebody looked is written as often. */
export const lookedEveryMs = 5000

export function stateOf(status: GameDayStatus | undefined): GameDayState {
  return status?.state ?? 'Planned'
}

export function isOver(state: GameDayState): boolean {
  return state === 'Finished' || state === 'Aborted' || state === 'Stopped'
}

/** How many instances a step means to reach; 0 for one that is about requests or the platform. */
export function instancesOf({ kill, cpu, memory }: GameDayStep): number {
  const fault = kill ?? cpu ?? memory
  return fault ? (fault.instances ?? 1) : 0
}

export function nameOf(step: GameDayStep): string {
  const { name, latency, errors, kill, cpu, memory, seconds } = step
  if (name !== undefined) return name
  const count = instancesOf(step)
  const some = `${count} ${count === 1 ? 'instance' : 'instances'}`
  if (latency) return `${latency.percent} % of the requests wait ${latency.ms} ms`
  if (errors) return `${errors.percent} % of the requests get ${errors.status}`
  if (kill) return `${some} killed`
  if (cpu) return `${cpu.cores} ${cpu.cores === 1 ? 'core' : 'cores'} busy in ${some}`
  if (memory) return `${memory.percent} % of the memory in use in ${some}`
  return `the control plane away for ${seconds} s`
}

export function percentOf({ blastRadius }: GameDaySpec): number {
  return blastRadius?.percent ?? usualPercent
}

export function settleMsOf({ settleSeconds = usualSettleSeconds }: GameDaySpec): number {
  return settleSeconds * 1000
}

/** From its first fault until the app had time to recover from the last one. */
export function lengthMs(spec: GameDaySpec): number {
  return spec.steps.reduce((sum, { seconds }) => sum + seconds * 1000 + settleMsOf(spec), 0)
}

export function longestMs({ blastRadius }: GameDaySpec): number {
  return (blastRadius?.minutes ?? usualMinutes) * 60_000
}

/** Rules over several fields. */
export function causesOf(spec: GameDaySpec): Cause[] {
  const over = lengthMs(spec) > longestMs(spec)
  return [
    ...spec.steps.flatMap((step, index) => stepCauses(spec, step, `spec.steps[${index}]`)),
    ...(spec.abort ?? []).flatMap((condition, index) => {
      const { slo, burnRate, errorPercent, p95Ms, query, above } = condition
      const kinds = [slo ?? burnRate, errorPercent, p95Ms, query ?? above].filter((one) => one !== undefined).length
      const whole = (slo === undefined) === (burnRate === undefined) && (query === undefined) === (above === undefined)
      return kinds === 1 && whole ? [] : [{ field: `spec.abort[${index}]`, message: 'It takes exactly one of slo with burnRate, errorPercent, p95Ms, and query with above.' }]
    }),
    ...(over ? [{ field: 'spec.steps', message: `With the time to recover they take ${Math.ceil(lengthMs(spec) / 1000)} s, and blastRadius.minutes allows ${longestMs(spec) / 1000} s.` }] : []),
  ]
}

function stepCauses(spec: GameDaySpec, step: GameDayStep, field: string): Cause[] {
  const given = gameDayFaults.filter((kind) => step[kind] !== undefined)
  if (given.length !== 1) return [{ field, message: `It takes exactly one of ${gameDayFaults.join(', ')}${given.length > 1 ? `, not ${given.join(' and ')}` : ''}.` }]
  const share = step.latency ?? step.errors
  if (share && share.match === undefined && share.percent > percentOf(spec)) return [{ field: `${field}.${given[0]}.percent`, message: `It would reach ${share.percent} % of the requests, and blastRadius.percent allows ${percentOf(spec)} %.` }]
  if (step.latency && (step.latency.jitterMs ?? 0) > step.latency.ms) return [{ field: `${field}.latency.jitterMs`, message: 'It is more than the delay itself.' }]
  return []
}

/** Most instances of so many that a step may reach. */
export function mostInstances(spec: GameDaySpec, running: number): number {
  return Math.floor((running * percentOf(spec)) / 100)
}

/** Why a step may not reach as many instances as it means to; undefined when it may. */
export function reachProblem(spec: GameDaySpec, step: GameDayStep, running: number): string | undefined {
  const wanted = instancesOf(step)
  const most = mostInstances(spec, running)
  if (wanted <= most) return undefined
  return `"${nameOf(step)}" would reach ${wanted} of ${running} ${running === 1 ? 'instance' : 'instances'} of ${spec.app}, and ${percentOf(spec)} % of them are ${most}.`
}

export function begun(spec: GameDaySpec, by: string, now: Date): GameDayStatus {
  const at = now.toISOString()
  return { state: 'Running', message: 'It begins.', startedAt: at, startedBy: by, lookedAt: at, steps: spec.steps.map((step) => ({ name: nameOf(step), state: 'Pending' })) }
}

/** What a look saw. */
export interface Seen {
  now: Date
  /** Whether the environment allows faults. */
  allowed: boolean
  /** Instances that serve, in an order that chance gave. */
  serving: readonly FaultTarget[]
  /** Why it is to end at once. */
  abort: string | undefined
}

/** How it stands after a look. The status is the same object when nothing moved. */
export function goOn({ spec, status = {} }: Pick<GameDay, 'spec' | 'status'>, seen: Seen): GameDayStatus {
  if (stateOf(status) !== 'Running') return status
  const reason = reasonToEnd(spec, status, seen)
  if (reason !== undefined) return ended(status, 'Aborted', reason, seen.now)
  let next = status
  for (;;) {
    const moved = move(spec, next, seen)
    if (moved === next || stateOf(moved) !== 'Running') return moved
    next = moved
  }
}

function reasonToEnd(spec: GameDaySpec, status: GameDayStatus, { now, allowed, abort }: Seen): string | undefined {
  if (!allowed) return `The environment ${spec.environment} does not allow faults any more.`
  const unwatched = now.getTime() - watchedUntil(spec, status)
  if (unwatched > longestUnwatchedMs) return `Nobody could look for ${Math.round(unwatched / 1000)} s, because the control plane was away.`
  if (now.getTime() - Date.parse(status.startedAt!) > longestMs(spec)) return `It took longer than the ${longestMs(spec) / 60_000} minutes that it may take.`
  return abort
}

/** While the control plane is away on purpose nobody looks, and that is well. */
function watchedUntil({ steps }: GameDaySpec, { lookedAt, startedAt, steps: states = [] }: GameDayStatus): number {
  const away = states.findIndex(({ state }, index) => state === 'Running' && steps[index]?.server !== undefined)
  return Math.max(Date.parse(lookedAt ?? startedAt!), away < 0 ? 0 : Date.parse(states[away]!.until!))
}

function move(spec: GameDaySpec, status: GameDayStatus, { now, serving }: Seen): GameDayStatus {
  const states = status.steps!
  const index = states.findIndex(({ state }) => state === 'Pending' || state === 'Running' || state === 'Settling')
  const at = now.toISOString()
  if (index < 0) return { ...status, state: 'Finished', message: 'All steps were gone through. Say what it showed.', finishedAt: at }
  const state = states[index]!
  const step = spec.steps[index]!
  if (state.state === 'Pending') {
    const problem = reachProblem(spec, step, serving.length)
    if (problem !== undefined) return ended(status, 'Aborted', problem, now)
    const targets = serving.slice(0, instancesOf(step))
    return { ...status, message: `It is at work: ${state.name}.`, steps: states.with(index, { ...state, state: 'Running', from: at, until: new Date(now.getTime() + step.seconds * 1000).toISOString(), ...(targets.length > 0 ? { targets: [...targets] } : {}) }) }
  }
  if (state.state === 'Running') {
    if (now.getTime() < Date.parse(state.until!)) return status
    return { ...status, message: `The app has time to recover from: ${state.name}.`, steps: states.with(index, { ...state, state: 'Settling', settledAt: new Date(Math.max(Date.parse(state.until!), now.getTime()) + settleMsOf(spec)).toISOString() }) }
  }
  return now.getTime() < Date.parse(state.settledAt!) ? status : { ...status, steps: states.with(index, { ...state, state: 'Done' }) }
}

/** Everything ends at once: what was at work is cut, what was to come is left out. */
export function ended(status: GameDayStatus, state: 'Aborted' | 'Stopped', reason: string, now: Date, by?: string): GameDayStatus {
  const at = now.toISOString()
  const cut = (step: GameDayStepState): GameDayStepState => {
    if (step.state === 'Pending') return { ...step, state: 'Skipped' }
    if (step.state === 'Settling') return { ...step, state: 'Done' }
    return step.state === 'Running' ? { ...step, state: 'Cut', until: at < step.until! ? at : step.until! } : step
  }
  return { ...status, state, message: `${state === 'Aborted' ? 'It ended by itself' : 'It was stopped'}: ${reason}`, reason, finishedAt: at, ...(by === undefined ? {} : { stoppedBy: by }), steps: (status.steps ?? []).map(cut) }
}

/** What is at work now, for the agent; nothing for the step that takes the control plane away. */
export function faultOf({ metadata, spec, status }: GameDay): Fault | undefined {
  if (stateOf(status) !== 'Running' || metadata.deletionTimestamp) return undefined
  const index = status!.steps!.findIndex(({ state }) => state === 'Running')
  const step = spec.steps[index]
  if (!step || step.server) return undefined
  const { until, targets = [] } = status!.steps![index]!
  const { latency, errors, kill, cpu, memory } = step
  return {
    id: faultId(metadata.uid, index),
    gameDay: metadata.name,
    team: metadata.namespace!,
    app: spec.app,
    environment: spec.environment,
    until: until!,
    ...(latency ? { latency } : {}),
    ...(errors ? { errors } : {}),
    ...(kill ? { kill: { signal: kill.signal ?? 'SIGKILL', targets } } : {}),
    ...(cpu ? { cpu: { cores: cpu.cores, targets } } : {}),
    ...(memory ? { memory: { percent: memory.percent, targets } } : {}),
  }
}

export function faultId(uid: string, step: number): string {
  return `${uid}/${step}`
}

/** The same plan as a new one is called `name-2`, then `name-3`. */
export function nextName(name: string): string {
  const match = /^(.*)-([0-9]{1,4})$/.exec(name)
  const [base, number] = match ? [match[1]!, Number(match[2]) + 1] : [name, 2]
  return `${base.slice(0, 57)}-${number}`
}
