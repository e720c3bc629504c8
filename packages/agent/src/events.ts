/** Tells watchers what changes. */
import type { AgentEvent } from '@pavior/contract'

export type Listener = (event: AgentEvent) => void

/** Changes of the same thing within one turn of the event loop become one event. */
export class EventHub {
  readonly #listeners = new Set<Listener>()
  readonly #pending = new Map<string, () => AgentEvent>()
  #scheduled = false

  /** Calls the listener for every event from now on; returns how to stop that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Something changed; `make` is asked for its newest form soon. */
  changed(key: string, make: () => AgentEvent): void {
    this.#pending.delete(key)
    this.#pending.set(key, make)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  /** Sends what is pending, now. */
  flush(): void {
    this.#scheduled = false
    const makers = [...this.#pending.values()]
    this.#pending.clear()
    if (this.#listeners.size === 0) return
    for (const event of makers.map((make) => make())) for (const listener of [...this.#listeners]) listener(event)
  }
}
