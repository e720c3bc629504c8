/** Keeps the router's table in step with the instances. */
import type { DesiredSet, DesiredState, Fault } from '@pavior/contract'
import type { Logger } from 'pino'
import type { Instance } from './instance.ts'
import type { Router, RouterSet, RouterTable } from './router/index.ts'

const retryMs = 1000

/** The table for a state and the instances that there are. */
export function buildTable(desired: DesiredState, instances: Instance[], isAsleep: (set: DesiredSet) => boolean, faults: Fault[]): RouterTable {
  return {
    generation: desired.generation,
    routes: desired.routes,
    ...(faults.length > 0 ? { faults } : {}),
    sets: desired.sets
      .filter((set) => set.listens)
      .map((set) =>
        routerSet(
          set,
          instances.filter((each) => each.record.set === set.id),
          isAsleep(set),
        ),
      ),
  }
}

function routerSet(set: DesiredSet, own: Instance[], asleep: boolean): RouterSet {
  const endpoints = own
    .filter((each) => each.inTraffic)
    .map((each) => ({ instance: each.id, port: each.port ?? 0, host: '127.0.0.1' as const }))
  const { team, app } = set.workload
  return {
    id: set.id,
    team,
    app,
    environment: set.environment,
    release: set.release,
    process: set.process,
    endpoints,
    ...(asleep ? { asleep } : {}),
    reason: endpoints.length > 0 ? undefined : whyNone(set, own),
  }
}

function whyNone(set: DesiredSet, own: Instance[]): string {
  if (set.replicas === 0) return `${set.workload.app} is scaled to 0 instances.`
  const problem = own.map((each) => each.record.problem).find(Boolean)
  return problem ? problem.message : `${set.workload.app} is starting.`
}

/** Serialises updates of the router: one at a time, the newest table always wins, nothing is sent twice. */
export class RoutePublisher {
  /** Newest generation that every worker serves. */
  routedGeneration = 0
  readonly #router: Router
  readonly #table: () => RouterTable
  readonly #onRouted: (generation: number) => void
  readonly #log: Logger
  #sent = ''
  #running?: Promise<void>
  #next?: Promise<void>
  #retry?: NodeJS.Timeout

  constructor(options: { router: Router; table: () => RouterTable; onRouted: (generation: number) => void; log: Logger }) {
    this.#router = options.router
    this.#table = options.table
    this.#onRouted = options.onRouted
    this.#log = options.log
  }

  /** Resolves when every worker serves a table that was made after this call. */
  publish(): Promise<void> {
    if (!this.#running) return this.#begin()
    // The update under way may be older than this call, so one more follows it; all who wait share that one.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.#begin()
    })
    return this.#next
  }

  close(): void {
    clearTimeout(this.#retry)
  }

  #begin(): Promise<void> {
    this.#running = this.#send().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #send(): Promise<void> {
    // Changes of one moment become one table.
    await new Promise((resolve) => setImmediate(resolve))
    const table = this.#table()
    const text = JSON.stringify(table)
    if (text === this.#sent) return
    try {
      await this.#router.update(table)
    } catch (error) {
      this.#log.error({ error: String(error) }, 'the router did not take its table; trying again')
      clearTimeout(this.#retry)
      this.#retry = setTimeout(() => void this.publish(), retryMs)
      return
    }
    this.#sent = text
    if (table.generation === this.routedGeneration) return
    this.routedGeneration = table.generation
    this.#onRouted(table.generation)
  }
}
