/**
 * Faults of game days on this machine. They are in memory only and each has its end by our own clock, so none outlives what was
 * asked for, whichever of us dies: a server that is there gives them again.
 */
import { fail, type Fault, type FaultReport, type FaultReports, type WantedFaults } from '@pavior/contract'
import type { Instance } from '../instance.ts'
import type { Router } from '../router/index.ts'
import type { RunHost } from '../run/host.ts'
import { burnCpu, endBurners, holdMemory, type Burner } from './burner.ts'
import { activeOf, bytesToTake, nextEnd, taken, workOf, type Given, type Work } from './plan.ts'

export interface FaultsParts {
  host: Pick<RunHost, 'cgroup' | 'log'>
  router: Pick<Router, 'faultCounts'>
  instance: (id: string) => Instance | undefined
  /** What is done to an instance is done to one that is awake. */
  wake: (instance: Instance) => void
  /** The routers have to know. */
  publish: () => void
}

/** Faults that are over and still reported. */
const keptReports = 100

export class Faults {
  readonly #parts: FaultsParts
  #generation = 0
  #given = new Map<string, Given>()
  readonly #burners = new Map<string, Burner>()
  /** Of each fault, those that something was done to. */
  readonly #reached = new Map<string, Set<string>>()
  readonly #problems = new Map<string, string>()
  readonly #done = new Set<string>()
  #timer?: NodeJS.Timeout

  constructor(parts: FaultsParts) {
    this.#parts = parts
  }

  /** Replaces what is in force. Fails with CONFLICT when it is older than that. */
  accept({ generation, faults }: WantedFaults): void {
    if (generation < this.#generation) throw fail('CONFLICT', { message: `Faults of generation ${generation} are older than generation ${this.#generation}, which is in force.`, facts: { generation: this.#generation } })
    this.#generation = generation
    this.#given = taken(this.#given, faults, performance.now(), Date.now())
    for (const { id } of faults) if (!this.#reached.has(id)) this.#reached.set(id, new Set())
    for (const id of [...this.#reached.keys()].slice(0, -keptReports)) this.#forget(id)
    this.#converge()
  }

  /** Those for the routers. */
  ofRequests(): Fault[] {
    return activeOf(this.#given, performance.now()).filter(({ latency, errors }) => latency ?? errors)
  }

  reports(): FaultReports {
    const counts = this.#parts.router.faultCounts()
    const active = new Set(activeOf(this.#given, performance.now()).map(({ id }) => id))
    const faults = [...this.#reached].map(([id, instances]): FaultReport => {
      const problem = this.#problems.get(id)
      return { id, active: active.has(id), ...(counts[id] ?? { seen: 0, delayed: 0, failed: 0 }), instances: [...instances], ...(problem === undefined ? {} : { problem }) }
    })
    return { generation: this.#generation, faults }
  }

  /** Whatever an agent before this one burned is put out. */
  begin(instances: Iterable<Instance>): void {
    for (const instance of instances) endBurners(instance.members(() => []))
  }

  /** Nothing of it stays when the agent ends. */
  close(): void {
    this.#given = new Map()
    this.#converge()
  }

  #converge(): void {
    const now = performance.now()
    const work = workOf(activeOf(this.#given, now))
    const wanted = new Set(work.map(({ key }) => key))
    for (const [key, burner] of this.#burners) {
      if (wanted.has(key)) continue
      burner.end()
      this.#burners.delete(key)
    }
    for (const each of work) if (!this.#done.has(each.key)) this.#carryOut(each, now)
    this.#parts.publish()
    clearTimeout(this.#timer)
    const next = nextEnd(this.#given, now)
    if (next !== undefined) this.#timer = setTimeout(() => this.#converge(), Math.max(1, next - now)).unref()
  }

  #carryOut({ key, fault, target, kind }: Work, now: number): void {
    const instance = this.#parts.instance(target.instance)
    if (instance) this.#parts.wake(instance)
    const run = instance?.runOf(target.startedAt)
    if (!instance || !run) return
    if (kind === 'burn' && run.joinFiles.length === 0) {
      this.#problems.set(fault.id, 'This machine has no cgroups, so nothing would hold a burner within the limits of the instance.')
      return
    }
    this.#done.add(key)
    this.#reached.get(fault.id)?.add(instance.id)
    this.#parts.host.log.info({ fault: fault.id, gameDay: fault.gameDay, instance: instance.id, kind }, 'a game day injects a fault')
    if (kind === 'kill') return run.strike(fault.kill!.signal)
    const place = { id: fault.id, joinFiles: run.joinFiles, forMs: this.#given.get(fault.id)!.endsAt - now }
    const limit = instance.set?.workload.limits.memoryBytes ?? 0
    this.#burners.set(key, fault.cpu ? burnCpu(place, fault.cpu.cores) : holdMemory(place, bytesToTake(fault.memory!.percent, limit, run.usage().memoryBytes ?? 0)))
  }

  #forget(id: string): void {
    this.#reached.delete(id)
    this.#problems.delete(id)
    for (const key of this.#done) if (key.startsWith(`${id}/`)) this.#done.delete(key)
  }
}
