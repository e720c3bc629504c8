/** One WebSocket for everything that moves. Streams survive a lost connection: each is opened again from where it was. */
import { useSyncExternalStore } from 'react'
import type { Details } from './api.ts'

export interface Stream {
  /** Asked for at every opening, so that a stream goes on from where it was. */
  path: () => string
  /** JSON lines, in bundles as they came. */
  lines: (lines: unknown[]) => void
  /** The server ended it. `again` opens it once more; otherwise it stays closed. */
  ended?: (error: StreamError | undefined) => 'again' | 'closed'
}

export interface StreamError {
  message?: string
  code?: number
  reason?: string
  details?: { pavior?: Details }
}

export type LiveState = 'connecting' | 'open' | 'lost'

const firstDelayMs = 250
const longestDelayMs = 8000

class Live {
  #socket: WebSocket | undefined
  #state: LiveState = 'connecting'
  #next = 1
  #delayMs = firstDelayMs
  #timer: number | undefined
  readonly #streams = new Map<number, Stream>()
  readonly #listeners = new Set<() => void>()

  get state(): LiveState {
    return this.#state
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns the function that closes it. */
  open(stream: Stream): () => void {
    const id = this.#next++
    this.#streams.set(id, stream)
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ open: id, path: stream.path() })
    else this.#connect()
    return () => {
      if (this.#streams.delete(id)) this.#send({ close: id })
    }
  }

  /** Does not wait for the next attempt: somebody asked, or the network is back. */
  retry(): void {
    this.#delayMs = firstDelayMs
    if (this.#streams.size > 0) this.#connect()
  }

  /** After signing out: nothing of the former person may stay. */
  close(): void {
    this.#streams.clear()
    window.clearTimeout(this.#timer)
    this.#socket?.close()
    this.#socket = undefined
  }

  #connect(): void {
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return
    window.clearTimeout(this.#timer)
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/live`)
    this.#socket = socket
    socket.addEventListener('open', () => {
      this.#delayMs = firstDelayMs
      this.#setState('open')
      for (const [id, stream] of this.#streams) this.#send({ open: id, path: stream.path() })
    })
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(data as string) as { id: number; lines?: unknown[]; end?: boolean; error?: StreamError }))
    socket.addEventListener('close', () => {
      if (this.#socket !== socket) return
      this.#setState('lost')
      if (this.#streams.size === 0) return
      this.#timer = window.setTimeout(() => this.#connect(), this.#delayMs)
      this.#delayMs = Math.min(longestDelayMs, this.#delayMs * 2)
    })
  }

  #take({ id, lines, end, error }: { id: number; lines?: unknown[]; end?: boolean; error?: StreamError }): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    if (lines) stream.lines(lines)
    if (!end) return
    if ((stream.ended?.(error) ?? 'again') === 'closed') this.#streams.delete(id)
    // Not at once: a stream that ends as it begins would spin.
    else window.setTimeout(() => this.#streams.has(id) && this.#send({ open: id, path: stream.path() }), firstDelayMs)
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #setState(state: LiveState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

export const live = new Live()
window.addEventListener('online', () => live.retry())

export function useLiveState(): LiveState {
  return useSyncExternalStore(live.subscribe, () => live.state)
}
