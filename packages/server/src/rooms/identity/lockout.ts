/**
 * Guesses at passwords and codes, counted by name and by address over all replicas. An attempt counts before it is judged, so
 * that many at once do not slip through, and a right one takes the count away. A name that nobody has is counted alike.
 */
import type { Database } from '../../kernel/db/index.ts'
import { fail } from '@pavior/contract'

export interface LockoutSettings {
  /** Attempts that are free. */
  free: number
  /** First pause; each further attempt doubles it. */
  firstPauseMs: number
  longestPauseMs: number
}

export const byName: LockoutSettings = { free: 8, firstPauseMs: 30_000, longestPauseMs: 15 * 60_000 }
/** Many people may share one address. */
export const byAddress: LockoutSettings = { free: 50, firstPauseMs: 30_000, longestPauseMs: 15 * 60_000 }
/** Attempts are forgotten after this long without another. */
const forgetAfterMs = 3600_000

/** How long after so many attempts no other counts, in milliseconds; 0 while they are free. */
export function pauseAfter(attempts: number, { free, firstPauseMs, longestPauseMs }: LockoutSettings): number {
  return attempts < free ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts - free, 30))
}

/** Attempts after which the pause grows no more. */
const mostPauses = 100

/** Counts and locks in one statement: of many at once no more than the free ones pass. $3 has the pause after each number of attempts, in seconds. */
const count = `insert into sign_in_failures as known (subject, failures, failed_at) values ($1, 1, now())
  on conflict (subject) do update set failed_at = now(),
    failures = case when known.failed_at < now() - make_interval(secs => $2) then 1 else known.failures + 1 end,
    locked_until = case when known.failed_at < now() - make_interval(secs => $2) then null
      else now() + make_interval(secs => nullif(($3::float8[])[least(known.failures + 1, ${mostPauses})], 0)) end
    where known.locked_until is null or known.locked_until <= now()
  returning failures`

function pausesOf(settings: LockoutSettings): number[] {
  return Array.from({ length: mostPauses }, (_, index) => pauseAfter(index + 1, settings) / 1000)
}

export interface Lockout {
  /** Counts the attempt. Throws SIGN_IN_LOCKED with the wait when it comes too early. */
  attempt(username: string, address: string): Promise<void>
  /** It was right. */
  passed(username: string, address: string): Promise<void>
  /** It was no guess, as when only the code of the second factor was left out; what failed before stays. */
  undo(username: string, address: string): Promise<void>
}

export function createLockout(database: Database): Lockout {
  const take = async (subject: string, settings: LockoutSettings): Promise<void> => {
    const { rows } = await database.query(count, [subject, forgetAfterMs / 1000, pausesOf(settings)])
    if (rows.length === 0) throw await locked(subject)
  }
  const locked = async (subject: string): Promise<Error> => {
    const { rows } = await database.query<{ wait: number }>('select extract(epoch from locked_until - now())::float8 as wait from sign_in_failures where subject = $1', [subject])
    const retryAfterSeconds = Math.max(1, Math.ceil(rows[0]?.wait ?? 1))
    const what = subject.startsWith('name:') ? 'for this name' : 'from this address'
    return fail('SIGN_IN_LOCKED', { message: `Too many sign-ins have failed ${what}.`, fix: `Wait ${retryAfterSeconds} s, or ask an administrator for a login link.`, facts: { retryAfterSeconds } })
  }
  const lower = (subject: string): Promise<unknown> => database.query(`update sign_in_failures set failures = greatest(0, failures - 1), locked_until = null where subject = $1`, [subject])
  return {
    undo: async (username, address) => {
      await lower(`name:${username}`)
      await lower(`address:${address}`)
    },
    attempt: async (username, address) => {
      await take(`address:${address}`, byAddress)
      await take(`name:${username}`, byName)
    },
    passed: async (username, address) => {
      await database.query(`delete from sign_in_failures where subject = $1`, [`name:${username}`])
      await lower(`address:${address}`)
    },
  }
}
