/** Who is told when, and when a message is tried again. Pure. */
import type { AlertSpec, AlertStatus, EscalationLevel, EscalationPolicySpec } from '@pavior/contract'
import { pauseAfter } from '../../../kernel/backoff.ts'

export type Escalation = NonNullable<AlertStatus['escalation']>

const usualLevelMinutes = 5
const usualRounds = 3
const minuteMs = 60_000

/** What is to be told now; undefined: nothing, or not yet. A ticket is told of once. */
export function nextTelling({ levels, repeat = usualRounds }: Pick<EscalationPolicySpec, 'levels' | 'repeat'>, before: Escalation | undefined, severity: AlertSpec['severity'], now: Date): Escalation | undefined {
  if (before && (severity === 'ticket' || before.nextAt === undefined || Date.parse(before.nextAt) > now.getTime())) return undefined
  const { level: last = 0, round = 1 } = before ?? {}
  const wraps = last >= levels.length
  if (wraps && round >= repeat) return undefined
  return telling(levels, wraps ? 1 : last + 1, wraps ? round + 1 : round, repeat, severity, now)
}

function telling(levels: readonly EscalationLevel[], level: number, round: number, repeat: number, severity: AlertSpec['severity'], now: Date): Escalation {
  const isLast = level >= levels.length && round >= repeat
  const waitMs = (levels[level - 1]!.minutes ?? usualLevelMinutes) * minuteMs
  return { level, round, ...(severity === 'page' && !isLast ? { nextAt: new Date(now.getTime() + waitMs).toISOString() } : {}) }
}

const pauses = { firstMs: 2000, longestMs: 300_000 }
/** After so long nobody tries any more. */
export const giveUpMs = 24 * 3600_000

/** Pause before the next attempt, after so many that failed; `lot` is from 0 to 1. What the other side asks for counts, within bounds. */
export function retryAfterMs(failures: number, asked: number | undefined, lot: number): number {
  return pauseAfter(failures, pauses, asked, lot)
}

export type Afterwards = { state: 'Queued'; afterMs: number } | { state: 'HandedOver' } | { state: 'Failed' }

/** What becomes of a message after an attempt that failed. */
export function afterFailure(of: { attempts: number; ageMs: number; final: boolean; retryAfterMs?: number; fallback: boolean; failuresBeforeFallback: number }, lot: number): Afterwards {
  if (of.fallback && (of.final || of.attempts >= of.failuresBeforeFallback)) return { state: 'HandedOver' }
  if (of.final || of.ageMs >= giveUpMs) return { state: 'Failed' }
  return { state: 'Queued', afterMs: retryAfterMs(of.attempts, of.retryAfterMs, lot) }
}
