/** The time that panels show: it ends at a whole part of a step, and moves on when the next one is complete. */
import { useEffect, useState } from 'react'
import { useTimeRange } from '../../../pieces/time-range.tsx'
import { stepFor } from '../lines.ts'
import type { AskedTime } from './batch.ts'

/** What was measured at a step is there so long afterwards. */
const settleMs = 2500
/** Of long steps, so that what is new is seen before a whole one is over. */
const partsOfStep = 8
const leastPartSeconds = 15

export interface ShownTime extends AskedTime {
  lengthMs: number
  /** It does not move on. */
  fixed: { from: string; until: string } | undefined
  zoom: (fromSeconds: number, untilSeconds: number) => void
}

export function useShownTime(usual: string | undefined): ShownTime {
  const { lengthMs, fixed, zoom } = useTimeRange(usual)
  const step = stepFor(lengthMs)
  const part = Math.min(step, Math.max(leastPartSeconds, Math.ceil(step / partsOfStep)))
  const end = useLastPart(part, fixed === undefined)
  const until = fixed ? Math.floor(Date.parse(fixed.until) / 1000 / part) * part : end
  return { from: until - Math.floor(lengthMs / 1000 / step) * step, until, step, lengthMs, fixed, zoom }
}

/** Seconds since the epoch of the last part that is complete; a page that nobody sees stands still. */
function useLastPart(part: number, moving: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  const last = Math.floor((now - settleMs) / 1000 / part) * part
  useEffect(() => {
    if (!moving) return undefined
    const look = (): void => void (document.visibilityState === 'visible' && setNow(Date.now()))
    const timer = window.setTimeout(look, Math.max(0, (last + part) * 1000 + settleMs - Date.now()))
    document.addEventListener('visibilitychange', look)
    return () => {
      window.clearTimeout(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [last, part, moving])
  return last
}
