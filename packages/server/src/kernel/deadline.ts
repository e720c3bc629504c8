/** A time limit beside whatever else may end some work. */

export interface Deadline {
  /** Aborts with the given signal, or when the time is over. */
  signal: AbortSignal
  /** When the work has ended. */
  clear: () => void
}

/** Instead of AbortSignal.any with AbortSignal.timeout: Node 20 holds the latter weakly there, and after a collection of garbage it never comes. */
export function deadline(ms: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const stop = (): void => controller.abort(outer?.reason)
  const timer = setTimeout(() => controller.abort(new DOMException('The time is over.', 'TimeoutError')), ms)
  if (outer?.aborted) stop()
  outer?.addEventListener('abort', stop, { once: true })
  const clear = (): void => {
    clearTimeout(timer)
    outer?.removeEventListener('abort', stop)
  }
  controller.signal.addEventListener('abort', clear, { once: true })
  if (outer?.aborted) clear()
  return { signal: controller.signal, clear }
}
