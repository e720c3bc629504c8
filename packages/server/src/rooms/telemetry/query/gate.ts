/** So many queries are answered at the same time; others wait their turn, so that memory is bounded whoever asks. */
import { fail } from '@pavior/contract'
import { checkSignal } from '../promql/budget.ts'

export const queriesAtOnce = 4
export const mostWaiting = 100

export class Gate {
  #running = 0
  readonly #waiting = new Set<() => void>()

  /** Throws TOO_MANY_REQUESTS when too many wait already, QUERY_TIMEOUT when the signal ends the wait. */
  async through<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running < queriesAtOnce) this.#running++
    else await this.#turn(signal)
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      // Whoever waits longest takes over the place.
      if (next) next()
      else this.#running--
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= mostWaiting) throw fail('TOO_MANY_REQUESTS', { message: 'Too many queries wait to be answered.', fix: 'Try again in a moment.', facts: { retryAfterSeconds: 1 } })
    checkSignal(signal)
    return new Promise((resolve, reject) => {
      const settled = (settle: () => void) => (): void => {
        this.#waiting.delete(goOn)
        signal.removeEventListener('abort', giveUp)
        settle()
      }
      const goOn = settled(resolve)
      const giveUp = settled(() => {
        try {
          checkSignal(signal)
        } catch (error) {
          reject(error as Error)
        }
      })
      this.#waiting.add(goOn)
      signal.addEventListener('abort', giveUp)
    })
  }
}
