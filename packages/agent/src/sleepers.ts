/**
 * Freezes what nobody asks for, and thaws it for the next request. The workers of the router are told first, so that none sends
 * a request to a frozen instance; what is in flight then keeps everything awake.
 */
import { fail, type DesiredSet } from '@pavior/contract'
import type { Instance } from './instance.ts'
import type { Router } from './router/index.ts'
import { planSleep, type SleepGroup } from './sleep-plan.ts'

export interface SleepersParts {
  router: Pick<Router, 'drain' | 'awake'>
  sets: () => DesiredSet[]
  instances: () => Instance[]
  /** Resolves when every worker serves a table that was made after this call. */
  publish: () => Promise<void>
  /** Something may be due at another time now. */
  planSoon: () => void
}

interface GroupState {
  state: SleepGroup['state']
  activeMs: number
}

interface Place {
  team: string
  app: string
  environment: string
}

export class Sleepers {
  /** Times that something was woken by a request. */
  wakes = 0
  readonly #parts: SleepersParts
  readonly #groups = new Map<string, GroupState>()

  constructor(parts: SleepersParts) {
    this.#parts = parts
  }

  /** Whether requests to a set have to wait until it is awake. */
  isAsleep(set: DesiredSet): boolean {
    return this.#stateOf(keyOfSet(set)).state !== 'awake'
  }

  /** Takes over what an earlier agent left: asleep together, or awake. */
  resume(): void {
    for (const [key, members] of this.#members()) {
      if (members.every(({ record }) => record.asleepSince !== undefined)) this.#groups.set(key, { state: 'asleep', activeMs: Date.now() })
      else members.forEach((member) => member.wake())
    }
  }

  /** Begins to put to sleep what is due; returns when something is next. */
  look(nowMs: number): number | undefined {
    const { sleep, wakeAtMs } = planSleep(this.#views(), nowMs)
    for (const key of sleep) void this.#fallAsleep(key)
    return wakeAtMs
  }

  /** A request, a start or a change. */
  active(place: Place): void {
    this.#stateOf(keyOf(place)).activeMs = Date.now()
  }

  /** What is about to change has to be awake. */
  wakeInstances(place: Place): void {
    this.#wake(keyOf(place))
  }

  /** Answers a worker that holds requests for a set, whatever became of the set. */
  wakeFor(setId: string): void {
    const set = this.#parts.sets().find(({ id }) => id === setId)
    if (set && this.#stateOf(keyOfSet(set)).state !== 'awake') {
      this.wakes++
      this.#wake(keyOfSet(set))
    } else this.#parts.router.awake([setId])
  }

  /** For people; fails with CONFLICT while an instance starts or a request is under way. */
  async sleepNow(setId: string): Promise<void> {
    const set = this.#mustFind(setId)
    const view = this.#views().find(({ key }) => key === keyOfSet(set))
    const refused = (why: string) => fail('CONFLICT', { message: `${set.workload.app} cannot be put to sleep now.`, why, fix: 'Try again in a moment.' })
    if (view?.state === 'asleep') return
    if (!view?.settled) throw refused('Not every instance of it serves, or none listens.')
    if (!(await this.#fallAsleep(view.key))) throw refused('Requests are under way.')
  }

  wakeNow(setId: string): void {
    this.#wake(keyOfSet(this.#mustFind(setId)))
  }

  #mustFind(setId: string): DesiredSet {
    const set = this.#parts.sets().find(({ id }) => id === setId)
    if (!set) throw fail('NOT_FOUND', { message: `There is no set ${setId} here.` })
    return set
  }

  async #fallAsleep(key: string): Promise<boolean> {
    const group = this.#stateOf(key)
    group.state = 'falling'
    await this.#parts.publish()
    const members = this.#members().get(key) ?? []
    for (const member of members) {
      if (!this.#isFalling(group)) return false
      if (member.inTraffic && (await this.#isBusy(member))) this.#wake(key)
    }
    if (!this.#isFalling(group)) return false
    group.state = 'asleep'
    members.forEach((member) => member.sleep())
    return true
  }

  /** A router that cannot tell may have requests under way. */
  async #isBusy({ id }: Instance): Promise<boolean> {
    const { inFlight } = await this.#parts.router.drain(id, 0).catch(() => ({ inFlight: 1 }))
    return inFlight > 0
  }

  /** It may have been woken while this waited. */
  #isFalling({ state }: GroupState): boolean {
    return state === 'falling'
  }

  /** The processes first, then the requests that wait for them, then the books. */
  #wake(key: string): void {
    const group = this.#stateOf(key)
    group.activeMs = Date.now()
    if (group.state === 'awake') return
    group.state = 'awake'
    const members = this.#members().get(key) ?? []
    members.forEach((member) => member.thaw())
    this.#parts.router.awake(this.#parts.sets().filter((set) => keyOfSet(set) === key).map(({ id }) => id))
    members.forEach((member) => member.wake())
    void this.#parts.publish()
    this.#parts.planSoon()
  }

  #stateOf(key: string): GroupState {
    const known = this.#groups.get(key) ?? { state: 'awake' as const, activeMs: Date.now() }
    this.#groups.set(key, known)
    return known
  }

  #members(): Map<string, Instance[]> {
    return groupBy(this.#parts.instances(), ({ record }) => keyOf(record.name))
  }

  #views(): SleepGroup[] {
    const members = this.#members()
    const groups = groupBy(this.#parts.sets(), keyOfSet)
    for (const key of this.#groups.keys()) if (!groups.has(key) && !members.has(key)) this.#groups.delete(key)
    return [...groups].map(([key, sets]) => {
      const own = members.get(key) ?? []
      const waits = sets.flatMap(({ sleepAfterMs }) => sleepAfterMs ?? [])
      const isUp = own.length > 0 && own.every(({ record }) => record.state === 'healthy') && own.length === sets.reduce((sum, { replicas }) => sum + replicas, 0)
      const { state, activeMs } = this.#stateOf(key)
      const sinceMs = Math.max(activeMs, ...own.map(({ record }) => Date.parse(record.healthyAt ?? '') || 0))
      return { key, state, activeMs: sinceMs, sleepAfterMs: waits.length === sets.length ? Math.max(...waits) : undefined, settled: isUp && own.some((each) => each.inTraffic) }
    })
  }
}

function groupBy<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one])
  return groups
}

function keyOf({ team, app, environment }: Place): string {
  return `${team}/${app}/${environment}`
}

function keyOfSet({ workload: { team, app }, environment }: DesiredSet): string {
  return keyOf({ team, app, environment })
}
