/** The time as it passes, for what is counted on a page. */
import { useEffect, useState } from 'react'

/** Milliseconds since the epoch, anew every `tickMs` while `running`. */
export function useClock(running: boolean, tickMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!running) return undefined
    const timer = window.setInterval(() => setNow(Date.now()), tickMs)
    return () => window.clearInterval(timer)
  }, [running, tickMs])
  return now
}
