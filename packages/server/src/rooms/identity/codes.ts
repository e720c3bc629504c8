/** Codes of sign-ins under way: used once, good for minutes, kept as digests with what belongs to them. */
import type { Database, Tx } from '../../kernel/db/index.ts'
import { digestOf } from './store.ts'

export type Purpose = 'sso' | 'loopback' | 'device' | 'device-user'

/** A code that a person or a machine holds, until `lifetimeMs` from now. */
export async function keepCode(database: Database, purpose: Purpose, code: string, content: object, lifetimeMs: number): Promise<void> {
  // Whoever writes sweeps: what has ended long ago is of no use to anybody.
  await database.write(
    `with old as (delete from sign_in_codes where expires_at < now() - interval '1 hour')
     insert into sign_in_codes (digest, purpose, content, expires_at) values ($1, $2, $3, now() + make_interval(secs => $4))`,
    [digestOf(code), purpose, JSON.stringify(content), lifetimeMs / 1000],
  )
}

/** Uses the code up; undefined when it is unknown, used or too old. */
export async function useCode<C>(database: Database, purpose: Purpose, code: string): Promise<C | undefined> {
  const { rows } = await database.write<{ content: C }>('update sign_in_codes set used_at = now() where digest = $1 and purpose = $2 and used_at is null and expires_at > now() returning content', [digestOf(code), purpose])
  return rows[0]?.content
}

export async function readCode<C>(tx: Tx, purpose: Purpose, code: string): Promise<C | undefined> {
  const { rows } = await tx.query<{ content: C }>('select content from sign_in_codes where digest = $1 and purpose = $2 and used_at is null and expires_at > now()', [digestOf(code), purpose])
  return rows[0]?.content
}

/** Adds to what is kept with an unused code; false when there is none. */
export async function amendCode(database: Database, purpose: Purpose, digest: Buffer, content: object): Promise<boolean> {
  const { rows } = await database.write('update sign_in_codes set content = content || $3::jsonb where digest = $1 and purpose = $2 and used_at is null and expires_at > now() returning 1', [digest, purpose, JSON.stringify(content)])
  return rows.length > 0
}
