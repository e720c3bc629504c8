/** A part that does the same again and again, one run at a time. */
import type { Part } from './lifecycle.ts'

export interface RecurringOptions {
  name: string
  /** From the end of a run until the next one begins, by how long it took. The first one begins as if one had taken no time. */
  pauseMs: (tookMs: number) => number
  once: (signal: AbortSignal) => Promise<void>
  /** Told when a run fails after one that went well, and not while stopping: what lasts is told once. */
  failed: (error: Error) => void
}

/** For what is to begin every so often, however long it takes. */
export function every(intervalMs: number): (tookMs: number) => number {
  return (tookMs) => Math.max(0, intervalMs - tookMs)
}

export function recurring({ name, pauseMs, once, failed }: RecurringOptions): Part {
  const stopped = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let wellBefore = true
  const run = async (): Promise<void> => {
    const began = performance.now()
    try {
      await once(stopped.signal)
      wellBefore = true
    } catch (error) {
      if (wellBefore && !stopped.signal.aborted) failed(error as Error)
      wellBefore = false
    }
    if (!stopped.signal.aborted) runAfter(pauseMs(performance.now() - began))
  }
  const runAfter = (ms: number): void => {
    timer = setTimeout(() => {
      running = run()
    }, ms)
  }
  return {
    name,
    start: async () => runAfter(pauseMs(0)),
    stop: async () => {
      stopped.abort()
      clearTimeout(timer)
      await running
    },
  }
}
