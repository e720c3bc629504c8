/**
 * Publishes changes to watchers, in order and without a gap.
 *
 * Only what a finished flush barrier covers is published. One NOTIFY a barrier wakes every process; each reads what is new
 * once and fans it out in memory. A process that missed notifications (lost connection) reads up to the current version
 * after a barrier of its own.
 */
import type { PgDatabase } from '../db/index.ts'
import type { Logger } from '../log.ts'
import { channel, readChanges, readVersions, type StoredChange } from './store.ts'

const batchSize = 1000

export interface Subscriber {
  /** Called in order of version; `caughtUpTo` is published even when nothing of it concerned the subscriber. */
  publish(changes: StoredChange[], caughtUpTo: bigint): void
}

export class Feed {
  readonly #database: PgDatabase
  readonly #log: Logger
  readonly #subscribers = new Set<Subscriber>()
  readonly #lagged: (seconds: number) => void
  #published = 0n
  #target = 0n
  #pumping = false
  #closed = false

  /** `lagged` hears how old the oldest change of each batch is when it is published. */
  constructor(database: PgDatabase, log: Logger, lagged: (seconds: number) => void = () => {}) {
    this.#database = database
    this.#log = log
    this.#lagged = lagged
  }

  async start(): Promise<void> {
    await this.#database.listen(
      channel,
      (payload) => this.advance(BigInt(payload)),
      () => void this.#catchUp(),
    )
    const { current } = await this.#database.durable(() => readVersions(this.#database))
    this.#published = current
    this.#target = current
  }

  /** Newest version that watchers have been given. */
  get published(): bigint {
    return this.#published
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  /** Everything up to `version` is on disk: publish it. */
  advance(version: bigint): void {
    if (version > this.#target) this.#target = version
    if (!this.#pumping && !this.#closed && this.#published < this.#target) void this.#pump()
  }

  stop(): void {
    this.#closed = true
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    while (this.#published < this.#target && !this.#closed) {
      try {
        const upTo = this.#target
        const changes = await readChanges(this.#database, this.#published, upTo, batchSize)
        const caughtUpTo = changes.length === batchSize ? changes.at(-1)!.version : upTo
        this.#published = caughtUpTo
        for (const subscriber of this.#subscribers) subscriber.publish(changes, caughtUpTo)
        if (changes[0]) this.#lagged(changes[0].ageSeconds)
      } catch (error) {
        this.#log.warn({ err: (error as Error).message }, 'changes could not be read; trying again')
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
    this.#pumping = false
  }

  async #catchUp(): Promise<void> {
    while (!this.#closed) {
      try {
        const { current } = await this.#database.durable(() => readVersions(this.#database))
        this.advance(current)
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }
}
