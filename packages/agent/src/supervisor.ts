/** Holds the desired state and makes the machine be so: load → plan → apply, whenever anything changes. */
import { randomBytes } from 'node:crypto'
import { fail, type DesiredSet, type DesiredState, type InstanceStatus } from '@pavior/contract'
import type { EventHub } from './events.ts'
import { Faults } from './faults/index.ts'
import { Instance, type InstanceContext } from './instance.ts'
import type { LogStore } from './logs/store.ts'
import { plan, type Action, type WantedSet } from './plan.ts'
import type { Prober } from './probes.ts'
import type { Router } from './router/index.ts'
import { buildTable, RoutePublisher } from './routes.ts'
import type { RunHost } from './run/host.ts'
import { listProcesses, type ProcessStat } from './run/proc.ts'
import { withKeptSecrets } from './run/secrets.ts'
import type { InstanceRecord } from './state/records.ts'
import { Sleepers } from './sleepers.ts'
import { fingerprint, readSealed, writeSealed } from './state/sealed.ts'

const nothing: DesiredState = { generation: 0, sets: [], routes: [] }

export class Supervisor {
  readonly #host: RunHost
  readonly #logs: LogStore
  readonly #router: Router
  readonly #events: EventHub
  readonly #key: Buffer
  readonly #random: () => number
  readonly #routes: RoutePublisher
  readonly #probes: Prober
  readonly sleepers: Sleepers
  readonly faults: Faults
  readonly #instances = new Map<string, Instance>()
  readonly #revisions = new WeakMap<DesiredSet, string>()
  #desired = nothing
  #order = 0
  #timer?: NodeJS.Timeout
  #planned = false
  #closed = false

  constructor(options: { host: RunHost; logs: LogStore; router: Router; events: EventHub; key: Buffer; probes: Prober; random: () => number }) {
    this.#host = options.host
    this.#logs = options.logs
    this.#router = options.router
    this.#events = options.events
    this.#key = options.key
    this.#random = options.random
    this.#probes = options.probes
    this.#routes = new RoutePublisher({
      router: options.router,
      table: () => buildTable(this.#desired, [...this.#instances.values()], (set) => this.sleepers.isAsleep(set), this.faults.ofRequests()),
      onRouted: (generation) => this.#events.changed('routed', () => ({ type: 'routed', generation })),
      log: options.host.log,
    })
    this.sleepers = new Sleepers({
      router: options.router,
      sets: () => this.#desired.sets,
      instances: () => [...this.#instances.values()],
      publish: () => this.#routes.publish(),
      planSoon: () => this.#planSoon(),
    })
    this.faults = new Faults({
      host: options.host,
      router: options.router,
      instance: (id) => this.#instances.get(id),
      wake: ({ record }) => this.sleepers.wakeInstances(record.name),
      publish: () => void this.#routes.publish(),
    })
    options.router.hear({ onWake: (set) => this.sleepers.wakeFor(set), onRequests: (place) => this.sleepers.active(place) })
  }

  get generation(): number {
    return this.#desired.generation
  }

  get routedGeneration(): number {
    return this.#routes.routedGeneration
  }

  /** Goes on where the agent before this one stopped. */
  async resume(records: InstanceRecord[]): Promise<void> {
    this.#desired = (readSealed(this.#host.home.desiredFile, this.#key) as DesiredState | undefined) ?? nothing
    const sets = new Map(this.#desired.sets.map((set) => [set.id, set]))
    for (const record of records) {
      const instance = new Instance(this.#context(), record, this.#order++, sets.get(record.set))
      this.#instances.set(record.id, instance)
      instance.adopt()
    }
    this.sleepers.resume()
    this.faults.begin(this.#instances.values())
    this.#probes.ask(this.#desired.probes)
    await this.#routes.publish()
    this.#planSoon()
  }

  /**
   * Replaces the desired state; durable when it returns.
   * Fails with CONFLICT when it is older than the one in force, and with SHUTTING_DOWN.
   */
  accept(given: DesiredState): void {
    const desired = this.#withKept(given)
    if (this.#closed)
      throw fail('SHUTTING_DOWN', {
        message: 'The agent is stopping and takes no new state.',
        fix: 'Send it again when the agent has been started.',
      })
    if (desired.generation < this.#desired.generation) {
      throw fail('CONFLICT', {
        message: `The state of generation ${desired.generation} is older than generation ${this.#desired.generation}, which is in force.`,
        fix: 'Read the newest state from the database and send that.',
        facts: { generation: this.#desired.generation },
      })
    }
    writeSealed(this.#host.home.desiredFile, this.#key, desired)
    this.#desired = desired
    const sets = new Map(desired.sets.map((set) => [set.id, set]))
    for (const instance of this.#instances.values()) instance.set = sets.get(instance.record.set) ?? instance.set
    this.#keepStopSettings()
    this.#probes.ask(desired.probes)
    void this.#routes.publish()
    this.#planSoon()
  }

  /** What belongs to a set never changes, its secrets included, so those that were given once are right. */
  #withKept(given: DesiredState): DesiredState {
    const before = new Map(this.#desired.sets.map((set) => [set.id, set]))
    return { ...given, sets: given.sets.map((set) => ({ ...set, workload: withKeptSecrets(set.workload, before.get(set.id)?.workload) })) }
  }

  statuses(): InstanceStatus[] {
    return [...this.#instances.values()].map((instance) => instance.status())
  }

  /** Ports of the instances of a set that get traffic. */
  portsOf(set: string): number[] {
    return [...this.#instances.values()].flatMap((instance) => (instance.record.set === set && instance.inTraffic && instance.port !== undefined ? [instance.port] : []))
  }

  has(id: string): boolean {
    return this.#instances.has(id)
  }

  /** Reads CPU and memory of every instance. */
  measure(processes: () => ProcessStat[]): void {
    for (const instance of this.#instances.values()) instance.measure(processes)
  }

  /** Processes of every instance by `team/app`, as far as this host can tell. */
  *processes(): Generator<[app: string, pids: number[]]> {
    let all: ProcessStat[] | undefined
    for (const instance of this.#instances.values()) {
      const { team, app } = instance.record.name
      yield [`${team}/${app}`, instance.members(() => (all ??= listProcesses()))]
    }
  }

  /** Lets every instance go on by itself. */
  release(): void {
    this.#close()
    for (const instance of this.#instances.values()) instance.release()
  }

  /** Drains and ends every instance. The desired state stays: the next agent starts them again. */
  async stopAll(): Promise<void> {
    this.#close()
    await Promise.all([...this.#instances.values()].map((instance) => instance.retire()))
  }

  #close(): void {
    this.#closed = true
    this.faults.close()
    clearTimeout(this.#timer)
    this.#routes.close()
  }

  #planSoon(): void {
    if (this.#planned || this.#closed) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      if (!this.#closed) this.#converge()
    })
  }

  #converge(): void {
    const { startGiveUpFactor, replaceSurge } = this.#host.settings
    const observed = [...this.#instances.values()].map((instance) => instance.planned(startGiveUpFactor))
    const { actions, wakeAtMs } = plan(this.#wanted(), observed, Date.now(), replaceSurge)
    for (const action of actions) this.#apply(action)
    const due = [wakeAtMs, this.sleepers.look(Date.now())].filter((time) => time !== undefined)
    clearTimeout(this.#timer)
    if (due.length > 0) this.#timer = setTimeout(() => this.#planSoon(), Math.max(1, Math.min(...due) - Date.now()))
  }

  #apply(action: Action): void {
    if (action.do === 'create') return this.#create(action.set)
    const instance = this.#instances.get(action.instance)
    if (instance) this.sleepers.wakeInstances(instance.record.name)
    this.#host.log.debug({ instance: action.instance, action: action.do }, 'applying')
    if (action.do === 'start') instance?.start()
    else if (action.do === 'restart') instance?.restart()
    else void instance?.retire()
  }

  #create(setId: string): void {
    const set = this.#desired.sets.find((each) => each.id === setId)
    if (!set) return
    const { team, app } = set.workload
    this.sleepers.wakeInstances({ team, app, environment: set.environment })
    const id = `${app}-${set.process}-${set.release}-${randomBytes(5).toString('hex')}`
    const record: InstanceRecord = {
      kind: 'instance',
      id,
      set: set.id,
      revision: this.#revision(set),
      name: { team, app, process: set.process, release: set.release, environment: set.environment },
      state: 'starting',
      restarts: 0,
      exitsInRow: 0,
      exitTimes: [],
      crashLoop: false,
      earlierCpuSeconds: 0,
      stopGraceMs: set.stopGraceMs,
      drainTimeoutMs: set.drainTimeoutMs,
    }
    const instance = new Instance(this.#context(), record, this.#order++, set)
    this.#instances.set(id, instance)
    instance.start()
  }

  #wanted(): WantedSet[] {
    return this.#desired.sets.map((set) => ({ id: set.id, replicas: set.replicas, revision: this.#revision(set) }))
  }

  /** Names what an instance is started from. Secrets are part of it, so it is made with the key. */
  #revision(set: DesiredSet): string {
    const known = this.#revisions.get(set)
    if (known !== undefined) return known
    const revision = fingerprint(this.#key, [set.workload, set.listens, set.restartToken ?? ''])
    this.#revisions.set(set, revision)
    return revision
  }

  #keepStopSettings(): void {
    for (const { record, set } of this.#instances.values()) {
      if (set) Object.assign(record, { stopGraceMs: set.stopGraceMs, drainTimeoutMs: set.drainTimeoutMs })
    }
  }

  #context(): InstanceContext {
    return {
      host: this.#host,
      logs: this.#logs,
      random: this.#random,
      takenPorts: () => new Set([...this.#instances.values()].flatMap((each) => each.heldPorts)),
      onChange: (instance) => {
        this.#events.changed(instance.id, () => ({ type: 'instance', instance: instance.status() }))
        void this.#routes.publish()
        this.#planSoon()
      },
      onRoutesChange: () => void this.#routes.publish(),
      leaveTraffic: (instance, timeoutMs) => this.#leaveTraffic(instance, timeoutMs),
      onGone: (instance) => {
        this.#instances.delete(instance.id)
        this.#events.flush()
        this.#events.changed(instance.id, () => ({ type: 'removed', id: instance.id, set: instance.record.set }))
        this.#planSoon()
      },
    }
  }

  /** New requests stop first, then those in flight are waited for. */
  async #leaveTraffic(instance: Instance, timeoutMs: number): Promise<void> {
    await this.#routes.publish()
    const { inFlight } = await this.#router.drain(instance.id, timeoutMs).catch((error: unknown) => {
      this.#host.log.error({ instance: instance.id, error: String(error) }, 'the router could not drain')
      return { inFlight: 0 }
    })
    if (inFlight > 0)
      this.#host.log.warn({ instance: instance.id, inFlight, timeoutMs }, 'requests were still in flight when the instance had to go')
  }
}
