/** What to do so that the machine becomes as desired. Pure: everything that it needs to know comes in. */

/** What a set wants. */
export interface WantedSet {
  id: string
  replicas: number
  /** Fingerprint of what instances are started from, and of the restart token. */
  revision: string
}

/**
 * Where an instance is. `up` serves · `coming` is starting · `failing` was up and fails its checks · `waiting` has exited
 * and waits for its next start · `leaving` was told to go.
 */
export type Phase = 'up' | 'coming' | 'failing' | 'waiting' | 'leaving'

export interface PlannedInstance {
  id: string
  set: string
  revision: string
  phase: Phase
  /** Order of creation; later ones are higher. */
  order: number
  /** In phase `waiting`: when its next start is due, in milliseconds. */
  dueMs?: number
  /** In phase `coming`: when this start is given up, in milliseconds. */
  giveUpMs?: number
}

export type Action =
  | { do: 'create'; set: string }
  /** Take it out of traffic, let it finish, end it for good. */
  | { do: 'retire'; instance: string }
  /** Start it again after its wait. */
  | { do: 'start'; instance: string }
  /** End this start of it; it comes back after its wait. */
  | { do: 'restart'; instance: string }

export interface Plan {
  actions: Action[]
  /** When to plan again even if nothing happens. */
  wakeAtMs?: number
}

/** Decides for all sets. `surge` is how many instances a set may have above its replicas while they are replaced. */
export function plan(wanted: WantedSet[], instances: PlannedInstance[], nowMs: number, surge: number): Plan {
  const actions: Action[] = []
  const wantedIds = new Set(wanted.map((set) => set.id))
  for (const instance of instances) {
    if (!wantedIds.has(instance.set) && instance.phase !== 'leaving') actions.push({ do: 'retire', instance: instance.id })
  }
  for (const set of wanted) {
    const own = instances.filter((instance) => instance.set === set.id)
    const retired = chooseRetired(set, own, surge)
    actions.push(...retired.map((instance) => ({ do: 'retire', instance: instance.id }) as const))
    actions.push(...Array.from({ length: countMissing(set, own, retired, surge) }, () => ({ do: 'create', set: set.id }) as const))
    const staying = own.filter((instance) => instance.phase !== 'leaving' && !retired.includes(instance))
    actions.push(...staying.flatMap((instance) => planInstance(instance, nowMs)))
  }
  return { actions, wakeAtMs: nextWake(instances, nowMs) }
}

/**
 * Which instances go. Old ones give way to healthy new ones, one for one; one that does not serve gives way at once,
 * because nothing is lost with it. Without old ones, only what is above the replicas goes: what serves last, oldest last.
 */
function chooseRetired(set: WantedSet, own: PlannedInstance[], surge: number): PlannedInstance[] {
  const live = own.filter((instance) => instance.phase !== 'leaving')
  const surplus = live.length - set.replicas
  const outdated = (instance: PlannedInstance) => instance.revision !== set.revision
  const byNeed = [...live].sort((one, other) => need(one, outdated(one)) - need(other, outdated(other)) || other.order - one.order)
  if (!live.some(outdated)) return byNeed.slice(0, Math.max(0, surplus))

  const retired: PlannedInstance[] = []
  const isUp = (instance: PlannedInstance) => instance.phase === 'up'
  let upLeft = live.filter(isUp).length
  for (const instance of byNeed) {
    const left = live.length - retired.length
    if (!isUp(instance)) {
      // A new one that is coming up may stand beside the old ones, up to the surge.
      const allowed = outdated(instance) ? Number.NEGATIVE_INFINITY : set.replicas + surge
      if (left > allowed) retired.push(instance)
    } else if (left > set.replicas && upLeft > set.replicas) {
      retired.push(instance)
      upLeft--
    }
  }
  return retired
}

/** The lower, the sooner it goes. */
function need(instance: PlannedInstance, outdated: boolean): number {
  const serving = instance.phase === 'up' ? 2 : 0
  return serving + (outdated ? 0 : 1)
}

/** How many to create: up to the replicas, and while old ones are replaced up to the surge above them. */
function countMissing(set: WantedSet, own: PlannedInstance[], retired: PlannedInstance[], surge: number): number {
  const leaving = own.filter((instance) => instance.phase === 'leaving').length + retired.length
  const staying = own.length - leaving
  const current = own.filter(
    (instance) => instance.revision === set.revision && instance.phase !== 'leaving' && !retired.includes(instance),
  ).length
  const wantedNow = Math.max(set.replicas - staying, Math.min(set.replicas - current, set.replicas + surge - staying))
  // What is still leaving uses the machine too, so it counts against the limit.
  const room = set.replicas + surge - own.length
  return Math.max(0, Math.min(wantedNow, room))
}

function planInstance(instance: PlannedInstance, nowMs: number): Action[] {
  if (instance.phase === 'waiting' && (instance.dueMs ?? 0) <= nowMs) return [{ do: 'start', instance: instance.id }]
  if (instance.phase === 'failing') return [{ do: 'restart', instance: instance.id }]
  if (instance.phase === 'coming' && (instance.giveUpMs ?? Number.POSITIVE_INFINITY) <= nowMs)
    return [{ do: 'restart', instance: instance.id }]
  return []
}

function nextWake(instances: PlannedInstance[], nowMs: number): number | undefined {
  const times = instances
    .map((instance) => (instance.phase === 'waiting' ? instance.dueMs : instance.phase === 'coming' ? instance.giveUpMs : undefined))
    .filter((time): time is number => time !== undefined && time > nowMs)
  return times.length > 0 ? Math.min(...times) : undefined
}

export interface DelaySettings {
  restartDelayMinMs: number
  restartDelayMaxMs: number
  restartDelayJitter: number
}

/**
 * Wait before the next start after `exitsInRow` exits: doubles from the shortest to the longest, spread by the jitter.
 * `random` is between 0 and 1.
 */
export function restartDelayMs(exitsInRow: number, settings: DelaySettings, random: number): number {
  const doubled = settings.restartDelayMinMs * 2 ** Math.min(Math.max(0, exitsInRow - 1), 30)
  const spread = 1 + settings.restartDelayJitter * (2 * random - 1)
  return Math.round(Math.min(settings.restartDelayMaxMs, doubled) * spread)
}

/** What is known of the exits of an instance. */
export interface Exits {
  /** Since it was last healthy for long. */
  exitsInRow: number
  /** Milliseconds since the epoch of the last few. */
  exitTimes: number[]
  crashLoop: boolean
}

export interface ExitSettings extends DelaySettings {
  crashLoopWindowMs: number
  crashLoopExits: number
}

/** The same with one exit more, and when the next start is due. `random` is between 0 and 1. */
export function afterExit(before: Exits, settings: ExitSettings, nowMs: number, random: number): Exits & { nextStartAt: number } {
  const exitsInRow = before.exitsInRow + 1
  const exitTimes = [...before.exitTimes, nowMs].filter((timeMs) => nowMs - timeMs < settings.crashLoopWindowMs)
  return { exitsInRow, exitTimes, crashLoop: before.crashLoop || exitTimes.length > settings.crashLoopExits, nextStartAt: nowMs + restartDelayMs(exitsInRow, settings, random) }
}
