/**
 * The shared flush barrier.
 *
 * `synchronous_commit=on` would hold the counter row across a disk flush and so limit all writers to one write a flush.
 * Instead writers commit without waiting, and one connection flushes for all of them: a tiny transactional WAL message
 * is committed synchronously, which puts everything before it on disk too. Whoever arrives while a flush is under way
 * waits for the next one, because the running one may have begun before their commit.
 */
interface Waiter {
  resolve: () => void
  reject: (error: Error) => void
}

export class FlushBarrier {
  #waiting: Waiter[] = []
  #running = false
  readonly #flush: () => Promise<void>

  /** `flush` commits one synchronous transaction and resolves when it is on disk. */
  constructor(flush: () => Promise<void>) {
    this.#flush = flush
  }

  wait(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    if (!this.#running) void this.#run()
    return promise
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const served = this.#waiting
      this.#waiting = []
      try {
        await this.#flush()
        for (const waiter of served) waiter.resolve()
      } catch (error) {
        for (const waiter of served) waiter.reject(error as Error)
      }
    }
    this.#running = false
  }
}
