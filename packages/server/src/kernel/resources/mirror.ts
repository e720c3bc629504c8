/** A live copy of all resources of a kind in memory, for questions that are asked at every request. */
import type { Resource } from '@pavior/contract'
import { systemActor } from '../actor.ts'
import { hasCode } from '../errors.ts'
import type { Part } from '../lifecycle/lifecycle.ts'
import type { Logger } from '../log.ts'
import type { Resources } from './types.ts'

const retryDelayMs = 500

export class Mirror<R extends Resource> implements Part {
  readonly name: string
  readonly #resources: Resources
  readonly #kind: string
  readonly #log: Logger
  #items = new Map<string, R>()
  #synced = false
  #changed: (() => void)[] = []
  #version = 0n
  #waiting: { version: bigint; resolve: () => void }[] = []

  constructor(resources: Resources, kind: string, log: Logger) {
    this.name = `mirror of ${kind}`
    this.#resources = resources
    this.#kind = kind
    this.#log = log
  }

  get(namespace: string, name: string): R | undefined {
    return this.#items.get(`${namespace}/${name}`)
  }

  values(): IterableIterator<R> {
    return this.#items.values()
  }

  /** Resolves when the copy is as new as this version, or after the time; for who reads what they have just written. */
  reached(resourceVersion: string, timeoutMs: number): Promise<void> {
    const version = BigInt(resourceVersion)
    if (this.#version >= version) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#waiting.push({
        version,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
      })
    })
  }

  #arrived(resourceVersion: string): void {
    this.#version = BigInt(resourceVersion)
    if (this.#waiting.length === 0) return
    for (const waiter of this.#waiting.filter(({ version }) => version <= this.#version)) waiter.resolve()
    this.#waiting = this.#waiting.filter(({ version }) => version > this.#version)
  }

  /** Calls back after every change. */
  onChange(callback: () => void): void {
    this.#changed.push(callback)
  }

  /** Resolves when the first state is complete. */
  start(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      void this.#follow(signal, resolve)
    })
  }

  async stop(): Promise<void> {
    // The signal given to start ends the watch.
  }

  problem(): string | undefined {
    return this.#synced ? undefined : `The ${this.#kind} resources have not been read yet.`
  }

  async #follow(signal: AbortSignal, synced: () => void): Promise<void> {
    let resourceVersion: string | undefined
    while (!signal.aborted) {
      try {
        const fresh = resourceVersion === undefined ? new Map<string, R>() : this.#items
        for await (const change of this.#resources.watch(systemActor('mirror'), this.#kind, undefined, { resourceVersion, signal })) {
          resourceVersion = change.type === 'BOOKMARK' || this.#synced ? change.resourceVersion : resourceVersion
          if (change.type === 'BOOKMARK') {
            if (this.#items !== fresh) this.#items = fresh
            this.#synced = true
            synced()
          } else this.#apply(fresh, change)
          if (this.#synced) {
            for (const callback of this.#changed) callback()
            this.#arrived(change.resourceVersion)
          }
        }
      } catch (error) {
        if (signal.aborted) break
        if (hasCode(error, 'EXPIRED')) resourceVersion = undefined
        this.#log.warn({ kind: this.#kind, err: (error as Error).message }, 'a mirror lost its watch; trying again')
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs))
      }
    }
    synced()
  }

  #apply(items: Map<string, R>, { type, object }: { type: string; object: Resource }): void {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`
    if (type === 'DELETED') items.delete(key)
    else items.set(key, object as R)
  }
}
