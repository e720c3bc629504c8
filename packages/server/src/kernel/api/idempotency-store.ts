/** Idempotency keys in PostgreSQL, so that every server of an installation knows them. */
import type { Actor } from '../actor.ts'
import type { Database } from '../db/index.ts'
import { claimTimeoutMs, type Claim, type IdempotencyStore, type StoredAnswer } from './idempotency.ts'

export interface PrunableIdempotencyStore extends IdempotencyStore {
  /** Forgets keys older than this. */
  prune(keepMs: number): Promise<void>
}

interface KeyRow {
  taken: boolean
  fingerprint: string
  status: number | null
  body: string | null
}

/** A new key is taken; so is one whose holder died, when the request is the same. */
const claimStatement = `
  with taken as (
    insert into idempotency as held (actor, key, fingerprint) values ($1, $2, $3)
    on conflict (actor, key) do update set at = now()
      where held.status is null and held.fingerprint = excluded.fingerprint and held.at < now() - make_interval(secs => $4)
    returning fingerprint, status, body)
  select true as taken, fingerprint, status, body from taken
  union all
  select false, fingerprint, status, body from idempotency where actor = $1 and key = $2 and not exists (select 1 from taken)`

export function createIdempotencyStore(database: Database): PrunableIdempotencyStore {
  const claim = async ({ name }: Actor, key: string, fingerprint: string): Promise<Claim> => {
    const { rows } = await database.query<KeyRow>(claimStatement, [name, key, fingerprint, claimTimeoutMs / 1000], 'claim-idempotency')
    const [row] = rows
    // The statement saw neither: another one took the key at this very moment.
    if (!row) return { state: 'running', fingerprint }
    if (row.taken) return { state: 'claimed' }
    if (row.status === null) return { state: 'running', fingerprint: row.fingerprint }
    const { type, body } = JSON.parse(row.body ?? '{}') as { type: string; body: string }
    return { state: 'finished', fingerprint: row.fingerprint, answer: { status: row.status, type, body } }
  }
  return {
    claim,
    finish: async ({ name }, key, { status, type, body }: StoredAnswer) => {
      // The answer is a promise: it must outlive a crash as the write itself does.
      await database.write('update idempotency set status = $3, body = $4 where actor = $1 and key = $2', [name, key, status, JSON.stringify({ type, body })], 'finish-idempotency')
    },
    abandon: async ({ name }, key) => {
      await database.query('delete from idempotency where actor = $1 and key = $2 and status is null', [name, key], 'abandon-idempotency')
    },
    prune: async (keepMs) => {
      await database.query('delete from idempotency where at < now() - make_interval(secs => $1)', [keepMs / 1000])
    },
  }
}
