/** What one query may cost, and how it leaves room for everybody else. */
import { fail } from '@pavior/contract'

/** Points that functions may look at, counted as often as they do. */
export const mostTouched = 50_000_000
/** Points of intermediate results. */
export const mostHeld = 20_000_000
/** Points read from the store, of all selectors together. */
export const mostLoaded = 4_000_000
/** How long a query computes before others have their turn. */
const turnMs = 5
/** Points between two looks at the clock. */
const touchedPerLook = 20_000

export interface BudgetDeps {
  signal: AbortSignal
  /** Milliseconds that only rise. */
  now: () => number
  /** Lets others have their turn. */
  pause: () => Promise<unknown>
}

export class Budget {
  touched = 0
  #held = 0
  #loaded = 0
  #lookAt = touchedPerLook
  #turnBegan: number
  readonly #deps: BudgetDeps

  constructor(deps: BudgetDeps) {
    this.#deps = deps
    this.#turnBegan = deps.now()
  }

  /** Counts points that are looked at. True when it is time to `breathe`. */
  touch(points: number): boolean {
    this.touched += points
    if (this.touched > mostTouched) throw tooLarge(`looks at more than ${mostTouched} points`)
    if (this.touched < this.#lookAt) return false
    this.#lookAt = this.touched + touchedPerLook
    return this.#deps.now() - this.#turnBegan >= turnMs
  }

  hold(points: number): void {
    this.#held += points
    if (this.#held > mostHeld) throw tooLarge(`holds more than ${mostHeld} points at once`)
    this.touched += points
  }

  load(points: number): void {
    this.#loaded += points
    if (this.#loaded > mostLoaded) throw tooLarge(`reads more than ${mostLoaded} points`)
  }

  /** Throws QUERY_TIMEOUT, or the reason of whoever gave up. */
  async breathe(): Promise<void> {
    await this.#deps.pause()
    checkSignal(this.#deps.signal)
    this.#turnBegan = this.#deps.now()
  }
}

export function checkSignal(signal: AbortSignal): void {
  if (!signal.aborted) return
  const { name } = signal.reason as Error
  throw fail('QUERY_TIMEOUT', { message: name === 'TimeoutError' ? 'The query took longer than it may.' : 'The query was given up.' })
}

function tooLarge(what: string): Error {
  return fail('QUERY_TOO_LARGE', { message: `The query ${what}.` })
}
