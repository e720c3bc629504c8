/** Resources as they are now: a watch that begins with the present state, shared by everybody on the page who looks at the same. */
import type { Resource } from '@pavior/contract'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { resourcePath } from './api.ts'
import { live, type StreamError } from './live.ts'

export interface Query {
  /** One team; every team that may be read when absent. */
  team?: string | undefined
  labelSelector?: string
  /** On declared indexes only, for example spec.app=shop. */
  fieldSelector?: string
}

export interface Snapshot<R> {
  items: R[]
  /** Until the present state has arrived whole. */
  loading: boolean
  error: StreamError | undefined
}

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: Resource & StreamError
}

/** A collection that nobody looks at is kept this long, so that going back is instant. */
const lingerMs = 30_000
const initialEventsEnd = 'k8s.io/initial-events-end'
const empty: Snapshot<never> = { items: [], loading: true, error: undefined }

class Collection {
  snapshot: Snapshot<Resource> = empty
  readonly #path: string
  readonly #search: string
  readonly #gone: () => void
  readonly #items = new Map<string, Resource>()
  readonly #listeners = new Set<() => void>()
  #version: string | undefined
  /** Of the present state, while it arrives: what is not in it was deleted meanwhile. */
  #arrived: Set<string> | undefined = new Set()
  #close: (() => void) | undefined
  #linger: number | undefined
  #frame: number | undefined
  #error: StreamError | undefined

  constructor(path: string, search: string, gone: () => void) {
    this.#path = path
    this.#search = search
    this.#gone = gone
  }

  subscribe = (listener: () => void): (() => void) => {
    window.clearTimeout(this.#linger)
    this.#listeners.add(listener)
    this.#close ??= live.open({ path: () => this.#url(), lines: (lines) => this.#take(lines as WatchEvent[]), ended: (error) => this.#ended(error) })
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#linger = window.setTimeout(() => {
        this.#close?.()
        this.#gone()
      }, lingerMs)
    }
  }

  #url(): string {
    const from = this.#version === undefined ? 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan' : `resourceVersion=${this.#version}`
    if (this.#version === undefined) this.#arrived = new Set()
    return `${this.#path}?watch=1&allowWatchBookmarks=true&${from}${this.#search}`
  }

  #take(events: WatchEvent[]): void {
    for (const { type, object } of events) {
      if (type === 'ERROR') {
        // Too long away: what happened meanwhile is forgotten, so the state is read anew.
        if (object.code === 410) this.#version = undefined
        else this.#error = object
        continue
      }
      this.#version = object.metadata.resourceVersion
      if (type === 'BOOKMARK') {
        if (object.metadata.annotations?.[initialEventsEnd]) this.#complete()
        continue
      }
      const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`
      if (type === 'DELETED') this.#items.delete(key)
      else this.#items.set(key, object)
      this.#arrived?.add(key)
    }
    this.#publishSoon()
  }

  #complete(): void {
    for (const key of this.#items.keys()) if (!this.#arrived?.has(key)) this.#items.delete(key)
    this.#arrived = undefined
    this.#error = undefined
  }

  #ended(error: StreamError | undefined): 'again' | 'closed' {
    if (error === undefined) return 'again'
    if (error.code === 410) {
      this.#version = undefined
      return 'again'
    }
    this.#error = error
    this.#publishSoon()
    return (error.code ?? 500) >= 500 || error.code === 429 ? 'again' : 'closed'
  }

  /** Once a frame at most, however much moves. */
  #publishSoon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      this.snapshot = { items: [...this.#items.values()], loading: this.#arrived !== undefined && this.#error === undefined, error: this.#error }
      for (const listener of this.#listeners) listener()
    })
  }
}

const collections = new Map<string, Collection>()

function collection(plural: string, { team, labelSelector, fieldSelector }: Query): Collection {
  const path = resourcePath(plural, team)
  const search = `${labelSelector ? `&labelSelector=${encodeURIComponent(labelSelector)}` : ''}${fieldSelector ? `&fieldSelector=${encodeURIComponent(fieldSelector)}` : ''}`
  const key = path + search
  const found = collections.get(key) ?? new Collection(path, search, () => collections.delete(key))
  collections.set(key, found)
  return found
}

/** Live resources of a kind, in no order. */
export function useCollection<R extends Resource = Resource>(plural: string, query: Query = {}): Snapshot<R> {
  const { team, labelSelector, fieldSelector } = query
  const shared = useMemo(() => collection(plural, { team, ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) }), [plural, team, labelSelector, fieldSelector])
  return useSyncExternalStore(shared.subscribe, () => shared.snapshot) as Snapshot<R>
}

export interface One<R> {
  /** Undefined while it is loading, or when there is none. */
  resource: R | undefined
  loading: boolean
  error: StreamError | undefined
}

/** One live resource. */
export function useResource<R extends Resource = Resource>(plural: string, team: string | undefined, name: string): One<R> {
  const { items, loading, error } = useCollection<R>(plural, { team, fieldSelector: `metadata.name=${name}` })
  return { resource: items[0], loading, error }
}

/** Forgets everything, when somebody signs out. */
export function forgetCollections(): void {
  collections.clear()
}

/** The newest first, by when they were made. */
export function useNewest<R extends Resource>(items: R[]): R[] {
  const order = useCallback((one: R, other: R) => Number(other.metadata.resourceVersion) - Number(one.metadata.resourceVersion), [])
  return useMemo(() => items.toSorted((one, other) => other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp) || order(one, other)), [items, order])
}
