/**
 * Many small questions to the database as few large ones. A question that finds the way free goes at once; those that come
 * while others are under way go together when one of these is back, so a batch is never waited for and grows with the load.
 */
interface Waiting<Q, A> {
  question: Q
  resolve: (answer: A) => void
  reject: (error: unknown) => void
}

export interface CoalescerOptions<Q, A> {
  /** Answers in the order of the questions; throws when none of them took effect. */
  run: (questions: Q[]) => Promise<A[]>
  /** Batches under way at once. */
  inFlight: number
  /** Questions in one batch. */
  largest: number
  /** Questions of the same key never share a batch; undefined: any may. */
  apart?: (question: Q) => string
  /** One question may have spoilt the batch: each is asked alone then, so that only that one fails. */
  alone: (error: unknown) => boolean
}

export class Coalescer<Q, A> {
  #waiting: Waiting<Q, A>[] = []
  #underWay = 0
  readonly #options: CoalescerOptions<Q, A>

  constructor(options: CoalescerOptions<Q, A>) {
    this.#options = options
  }

  ask(question: Q): Promise<A> {
    // What came in the same turn of the event loop goes together.
    if (this.#waiting.length === 0) setImmediate(() => this.#start())
    return new Promise<A>((resolve, reject) => this.#waiting.push({ question, resolve, reject }))
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#underWay < this.#options.inFlight) {
      this.#underWay++
      void this.#run(this.#next()).finally(() => {
        this.#underWay--
        this.#start()
      })
    }
  }

  #next(): Waiting<Q, A>[] {
    const { largest, apart } = this.#options
    if (!apart) return this.#waiting.splice(0, largest)
    const keys = new Set<string>()
    const batch: Waiting<Q, A>[] = []
    const later: Waiting<Q, A>[] = []
    for (const one of this.#waiting) {
      const key = apart(one.question)
      // Also when it is only kept back for its key, those behind it with the same key stay behind it.
      if (batch.length < largest && !keys.has(key)) batch.push(one)
      else later.push(one)
      keys.add(key)
    }
    this.#waiting = later
    return batch
  }

  async #run(batch: Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = await this.#options.run(batch.map(({ question }) => question))
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index]!)
    } catch (error) {
      if (batch.length > 1 && this.#options.alone(error)) for (const one of batch) await this.#run([one])
      else for (const { reject } of batch) reject(error)
    }
  }
}
