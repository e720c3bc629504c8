/** The histogram as bars: where they stand and how wide they are, as shares of the time. Pure. */
import type { LogHistogram, LogLevel } from '@pavior/contract'

export type ShownLevel = LogLevel | 'other'

/** From the ground up: what is bad lies lowest, so that it is seen whatever is over it. */
export const shownLevels: ShownLevel[] = ['error', 'warn', 'info', 'debug', 'other']

export interface Bar {
  /** Milliseconds since the epoch. */
  at: number
  /** 0 … 1. */
  left: number
  width: number
  counts: LogHistogram['steps'][number]['counts']
}

const gap = 0.15

export function barsOf({ from, until, stepSeconds, steps }: LogHistogram): { bars: Bar[]; most: number; fromMs: number; lengthMs: number } {
  const fromMs = Date.parse(from)
  const lengthMs = Math.max(1, Date.parse(until) - fromMs)
  const width = ((stepSeconds * 1000) / lengthMs) * (1 - gap)
  const bars = steps.map(({ at, counts }) => ({ at: Date.parse(at), left: (Date.parse(at) - fromMs) / lengthMs, width, counts }))
  return { bars, most: Math.max(1, ...steps.map(({ counts }) => Object.values(counts).reduce((sum, lines) => sum + lines, 0))), fromMs, lengthMs }
}

export function totalsOf({ steps }: LogHistogram): { level: ShownLevel; lines: number }[] {
  return shownLevels.map((level) => ({ level, lines: steps.reduce((sum, { counts }) => sum + (counts[level] ?? 0), 0) })).filter(({ lines }) => lines > 0)
}
