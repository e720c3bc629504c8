/** When the instances of an app in an environment fall asleep. Pure. */

/** Every instance of one app in one environment: they sleep and wake together. */
export interface SleepGroup {
  key: string
  /** Undefined: never by itself. */
  sleepAfterMs: number | undefined
  /** Last request, start or change, in milliseconds. */
  activeMs: number
  state: 'awake' | 'falling' | 'asleep'
  /** Every instance of it serves, and there is one that listens. */
  settled: boolean
}

export interface SleepPlan {
  sleep: string[]
  /** When to look again even if nothing happens. */
  wakeAtMs?: number
}

export function planSleep(groups: readonly SleepGroup[], nowMs: number): SleepPlan {
  const idle = groups.flatMap(({ key, sleepAfterMs, activeMs, state, settled }) =>
    sleepAfterMs !== undefined && state === 'awake' && settled ? [{ key, dueMs: activeMs + sleepAfterMs }] : [])
  const later = idle.filter(({ dueMs }) => dueMs > nowMs).map(({ dueMs }) => dueMs)
  return { sleep: idle.filter(({ dueMs }) => dueMs <= nowMs).map(({ key }) => key), ...(later.length > 0 ? { wakeAtMs: Math.min(...later) } : {}) }
}
