/**
 * The shared flush barrier.
 *
 * `synchronous_commit=on` would hold the counter row across a disk flush and so limit all writers to one write a flush.
 * Instead writers commit without waiting, and one connection flushes for all of them: a tiny transactional WAL message
 * is committed synchronously, which puts everything before it on disk too. Whoever arrives while a flush is under way
 * waits for the next one, because the running one may have begun before their commit.
 */
interface Waiter<T> {
  resolve: (result: T) => void
  reject: (error: Error) => void
}

export class FlushBarrier<T> {
  #waiting: Waiter<T>[] = []
  #running = false
  readonly #flush: () => Promise<T>

  /** `flush` commits one synchronous transaction and resolves when it is on disk. */
  constructor(flush: () => Promise<T>) {
    this.#flush = flush
  }

  /** What the flush that covers this call gave. */
  wait(): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    if (!this.#running) void this.#run()
    return promise
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const served = this.#waiting
      this.#waiting = []
      try {
        const result = await this.#flush()
        for (const waiter of served) waiter.resolve(result)
      } catch (error) {
        for (const waiter of served) waiter.reject(error as Error)
      }
    }
    this.#running = false
  }
}
