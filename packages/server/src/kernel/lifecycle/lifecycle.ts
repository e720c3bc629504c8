/** Background parts, started in order and stopped in reverse, each with a bounded drain. */
import { setMaxListeners } from 'node:events'
import type { Logger } from '../log.ts'

export interface Part {
  name: string
  start(signal: AbortSignal): Promise<void>
  /** Stops taking on work and resolves when what runs has ended. */
  stop(): Promise<void>
  /** Undefined when well; otherwise what is wrong, in one sentence. */
  problem?(): string | undefined
}

const stopTimeoutMs = 10_000

export class Lifecycle {
  readonly #parts: Part[]
  readonly #log: Logger
  readonly #abort = new AbortController()
  readonly #started: Part[] = []

  constructor(parts: Part[], log: Logger) {
    this.#parts = parts
    this.#log = log
    // Every part listens, and there are more than the ten that Node takes for a leak.
    setMaxListeners(0, this.#abort.signal)
  }

  async start(): Promise<void> {
    for (const part of this.#parts) {
      await part.start(this.#abort.signal)
      this.#started.push(part)
    }
  }

  /** Every part with what is wrong with it, if anything: the readiness of the process. */
  checks(): { name: string; problem: string | undefined }[] {
    return this.#parts.map((part) => ({ name: part.name, problem: this.#started.includes(part) ? part.problem?.() : 'It is starting.' }))
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    for (const part of this.#started.toReversed()) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), stopTimeoutMs)
      })
      const outcome = await Promise.race([part.stop().catch((error: Error) => error), late])
      clearTimeout(timer)
      if (outcome === 'late') this.#log.warn({ part: part.name }, 'did not stop in time')
      else if (outcome instanceof Error) this.#log.warn({ part: part.name, err: outcome.message }, 'stopped with an error')
    }
  }
}
