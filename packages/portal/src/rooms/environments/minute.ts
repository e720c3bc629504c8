/** The present minute, for what begins and ends while one looks. */
import { useSyncExternalStore } from 'react'

const minuteMs = 60_000
const lookMs = 1000

function subscribe(listener: () => void): () => void {
  const timer = window.setInterval(listener, lookMs)
  return () => window.clearInterval(timer)
}

/** Milliseconds since the epoch, at the beginning of the minute. */
export function useMinute(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / minuteMs) * minuteMs)
}
