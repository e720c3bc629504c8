/** How long ago something was; the exact time, in the reader's zone, on hover. All of a page share one clock. */
import { useCallback, useSyncExternalStore } from 'react'
import { agoText } from './time-text.ts'

const tickMs = 1000
const listeners = new Set<() => void>()
let timer: number | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= window.setInterval(() => listeners.forEach((each) => each()), tickMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    window.clearInterval(timer)
    timer = undefined
  }
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })

/** The text changes by itself, and only what shows another text is drawn again. */
export function useAgo(at: string): string {
  const atMs = Date.parse(at)
  return useSyncExternalStore(
    subscribe,
    useCallback(() => agoText(atMs, Date.now()), [atMs]),
  )
}

/** `at` is an ISO 8601 time; without one there is a dash. */
export function Ago({ at }: { at: string | undefined }) {
  return at === undefined || Number.isNaN(Date.parse(at)) ? <span>–</span> : <Known at={at} />
}

function Known({ at }: { at: string }) {
  const text = useAgo(at)
  return (
    <time dateTime={at} title={exact.format(new Date(at))} className="nowrap">
      {text}
    </time>
  )
}
