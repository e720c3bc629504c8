/** Waiting for a change without polling. */
import type { Feed } from './feed.ts'

/** Promises by name, resolved when the name is released. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Resolves at the release, at the timeout or when the signal ends, whichever comes first. */
  wait(name: string, signal: AbortSignal, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const set = this.#waiting.get(name) ?? new Set()
      this.#waiting.set(name, set)
      const finish = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', finish)
        set.delete(finish)
        if (set.size === 0 && this.#waiting.get(name) === set) this.#waiting.delete(name)
        resolve()
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(finish, timeoutMs)
      signal.addEventListener('abort', finish)
      set.add(finish)
      if (signal.aborted) finish()
    })
  }

  release(name: string): void {
    for (const finish of [...(this.#waiting.get(name) ?? [])]) finish()
  }

  releaseAll(): void {
    for (const name of [...this.#waiting.keys()]) this.release(name)
  }
}

/** Waits for published changes of resources. */
export class ChangeWaiters {
  readonly #waiters = new Waiters()

  constructor(feed: Feed) {
    feed.subscribe({
      publish: (changes) => {
        for (const { kind, namespace, object } of changes) {
          this.#waiters.release(`${kind}/${namespace}/${object.metadata.name}`)
          this.#waiters.release(`${kind}/${namespace}/*`)
        }
      },
    })
  }

  /** `name` `*`: any resource of the kind in the team. Begin to wait before you read, so that nothing falls in between. */
  wait(kind: string, namespace: string, name: string, signal: AbortSignal, timeoutMs?: number): Promise<void> {
    return this.#waiters.wait(`${kind}/${namespace}/${name}`, signal, timeoutMs)
  }
}
