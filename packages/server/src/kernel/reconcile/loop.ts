/** Runs reconcilers from the queue: claims what is due, runs it, settles it; takes over from dead processes. */
import { isPaviorError } from '@pavior/contract'
import type { Counter, Histogram } from 'prom-client'
import type { PgDatabase } from '../db/index.ts'
import type { Part } from '../lifecycle/lifecycle.ts'
import type { Logger } from '../log.ts'
import { claimWork, nextDue, reapDeadWorkers, requestWork, settleWork, workerLockClass, type ClaimedWork, type Settlement } from '../queue/queue.ts'
import type { Feed } from '../store/feed.ts'
import type { Reconciler } from './types.ts'

const reapIntervalMs = 1000
/** Work that another process freed is found after this long at most. */
const longestSleepMs = 1500
/** Pause after the database failed us, whatever happens meanwhile. */
const failurePauseMs = 500
const firstRetryMs = 100
const longestRetryMs = 60_000

export interface LoopDeps {
  database: PgDatabase
  feed: Feed
  reconcilers: Reconciler[]
  metrics: { runs: Counter<'controller' | 'outcome'>; seconds: Histogram<'controller'> }
  log: Logger
}

/** A session of its own with the database: its claims hold as long as it does. */
interface Worker {
  id: number
  end(): Promise<void>
  /** Aborted when the session is lost: what runs under it is told to stop. */
  abort: AbortController
}

/** 100 ms, doubled with each attempt, at most a minute. */
export function retryDelayMs(attempts: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempts - 1, 20))
}

export class ReconcileLoop implements Part {
  readonly name = 'reconcilers'
  readonly #deps: LoopDeps
  readonly #byName = new Map<string, Reconciler>()
  readonly #running = new Map<string, Set<Promise<void>>>()
  /** By controller and key. */
  readonly #latest = new Map<string, Promise<void>>()
  #worker: Worker | undefined
  readonly #stop = new AbortController()
  #wake: (() => void) | undefined
  #poked = false
  #loop: Promise<void> | undefined
  #reaper: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined

  constructor(deps: LoopDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    for (const reconciler of this.#deps.reconcilers) {
      this.#byName.set(reconciler.name, reconciler)
      this.#running.set(reconciler.name, new Set())
    }
    this.#unsubscribe = this.#deps.feed.subscribe({ publish: () => this.poke() })
    this.#loop = this.#run()
    this.#reaper = setInterval(() => {
      reapDeadWorkers(this.#deps.database).then(
        (freed) => {
          if (freed === 0) return
          this.#deps.log.warn({ freed }, 'took over work of a process that is gone')
          this.poke()
        },
        () => {},
      )
    }, reapIntervalMs)
  }

  problem(): string | undefined {
    return this.#worker ? undefined : 'No session of its own with the database yet.'
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#reaper)
    this.#unsubscribe?.()
    this.#worker?.abort.abort()
    this.poke()
    await this.#loop
    await Promise.allSettled([...this.#running.values()].flatMap((set) => [...set]))
    await this.#worker?.end()
  }

  /** Something may be due. */
  poke(): void {
    this.#poked = true
    this.#wake?.()
  }

  /** Asks for runs that no resource change asks for, for example because the agent reported something. */
  async request(entries: { controller: string; key: string; afterMs?: number }[]): Promise<void> {
    await requestWork(this.#deps.database, entries)
    this.poke()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        // Before anything is awaited: what is asked for from here on is not slept over.
        this.#poked = false
        const worker = (this.#worker ??= await this.#register())
        const claimed = await claimWork(this.#deps.database, worker.id, this.#freeSlots())
        // What was claimed for a session that is lost by now is freed by the reaper.
        if (worker !== this.#worker) continue
        for (const work of claimed) this.#start(work, worker)
        if (claimed.length > 0) continue
        if (!this.#poked) await this.#sleep(this.#freeSlots().length > 0 ? await nextDue(this.#deps.database, this.#freeSlots().map(({ name }) => name)) : undefined)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#deps.log.warn({ err: (error as Error).message }, 'the queue cannot be read; trying again')
        // Not `#sleep`: changes and finished runs would wake it, over and over, while the database is away.
        await this.#pause(failurePauseMs)
      }
    }
  }

  #freeSlots(): { name: string; free: number }[] {
    return [...this.#byName.values()].map(({ name, concurrency }) => ({ name, free: concurrency - this.#running.get(name)!.size })).filter(({ free }) => free > 0)
  }

  /** A session lock says that this process lives. When the session breaks, its claims are void and its runs are told to stop. */
  async #register(): Promise<Worker> {
    const abort = new AbortController()
    const session = await this.#deps.database.session(() => {
      abort.abort()
      if (this.#worker?.abort === abort) this.#worker = undefined
      this.poke()
    })
    const { rows } = await session.query(`select nextval('queue_workers')::int as id`)
    const id = rows[0]!.id as number
    await session.query('select pg_advisory_lock($1, $2)', [workerLockClass, id])
    return { id, end: session.end, abort }
  }

  #sleep(dueInMs: number | undefined): Promise<void> {
    const ms = Math.max(1, Math.min(longestSleepMs, dueInMs ?? longestSleepMs))
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(finish, ms)
      this.#wake = finish
      if (this.#poked) finish()
    })
  }

  /** Nothing but the stop of the loop ends it early. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, ms)
      signal.addEventListener('abort', finish)
    })
  }

  #start(work: ClaimedWork, worker: Worker): void {
    const running = this.#running.get(work.controller)!
    const name = `${work.controller}\n${work.key}`
    // After a lost session the same work may be claimed again while its earlier run has not yet noticed: never both at once.
    const earlier = this.#latest.get(name) ?? Promise.resolve()
    const run = earlier
      .then(() => this.#reconcile(work, worker))
      .finally(() => {
        running.delete(run)
        if (this.#latest.get(name) === run) this.#latest.delete(name)
        this.poke()
      })
    running.add(run)
    this.#latest.set(name, run)
  }

  async #reconcile(work: ClaimedWork, worker: Worker): Promise<void> {
    const { database, log, metrics } = this.#deps
    const stop = metrics.seconds.startTimer({ controller: work.controller })
    let settlement: Settlement
    try {
      const outcome = await this.#byName.get(work.controller)!.reconcile(work.key, worker.abort.signal)
      settlement = outcome
    } catch (error) {
      const ms = retryDelayMs(work.attempts)
      settlement = { type: 'retry', ms, error: (error as Error).message }
      if (!worker.abort.signal.aborted) log.warn({ controller: work.controller, key: work.key, attempt: work.attempts, ...toldError(error), retryInMs: ms }, 'reconcile failed; trying again')
    }
    stop()
    metrics.runs.inc({ controller: work.controller, outcome: settlement.type })
    await settleWork(database, worker.id, work, settlement).catch((error: Error) => {
      // The row stays claimed by us until the database is back: then our session is new and the reaper frees it.
      log.warn({ controller: work.controller, key: work.key, err: error.message }, 'a finished run could not be settled')
      if (this.#worker !== worker) return
      this.#worker = undefined
      // Its other runs lose their claims too.
      worker.abort.abort()
      worker.end().catch(() => {})
    })
  }
}

/** A coded error says enough; a fault of ours comes with its stack. */
function toldError(error: unknown): { err: unknown } | { code: string; why: string } {
  return isPaviorError(error) ? { code: error.code, why: error.details.why ?? error.message } : { err: error }
}
