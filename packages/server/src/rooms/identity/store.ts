/** Tokens and login keys. Only sha256 digests of them are stored. */
import { createHash } from 'node:crypto'
import type { AccessRule, Role } from '@pavior/contract'
import type { Database, Row, Tx } from '../../kernel/db/index.ts'

/** Told whenever a token is made, used after a while, or revoked. */
export const tokensChannel = 'pavior_tokens'
const tell = `pg_notify('${tokensChannel}', '')`
/** Told whenever one is revoked, so that nobody goes on with it. */
export const revocationsChannel = 'pavior_tokens_revoked'
const tellRevoked = `${tell}, pg_notify('${revocationsChannel}', '')`

export interface TokenRecord {
  id: string
  prefix: string
  description: string
  username?: string
  team?: string
  role?: Role
  app?: string
  /** With `team`: acts as this account. */
  serviceAccount?: string
  /** Nothing beyond these rules. */
  bounds?: AccessRule[]
  /** Identity provider that the session came through, and its session id there. */
  provider?: string
  providerSession?: string
  createdBy: string
  createdAt: string
  expiresAt?: string
  lastUsed?: string
  revokedAt?: string
  /** Of a browser; shown apart from the tokens that people made. */
  session: boolean
}

export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function toRecord(row: Row): TokenRecord {
  const time = (value: Date | null): string | undefined => value?.toISOString()
  return {
    id: row.id,
    prefix: row.prefix,
    description: row.description,
    username: row.username ?? undefined,
    team: row.team ?? undefined,
    role: row.role ?? undefined,
    app: row.app ?? undefined,
    serviceAccount: row.service_account ?? undefined,
    bounds: row.bounds ?? undefined,
    provider: row.provider ?? undefined,
    providerSession: row.provider_session ?? undefined,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: time(row.expires_at),
    lastUsed: time(row.last_used),
    revokedAt: time(row.revoked_at),
    session: row.session,
  }
}

export type NewToken = Omit<TokenRecord, 'createdAt' | 'lastUsed' | 'revokedAt'>

export async function insertToken(database: Database, token: NewToken, digest: Buffer): Promise<TokenRecord> {
  const { rows } = await database.write(
    `with made as (insert into tokens (id, digest, prefix, description, username, team, role, app, created_by, expires_at, session, service_account, bounds, provider, provider_session)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) returning *) select made.*, ${tell} from made`,
    [token.id, digest, token.prefix, token.description, token.username, token.team, token.role, token.app, token.createdBy, token.expiresAt, token.session, token.serviceAccount, token.bounds === undefined ? null : JSON.stringify(token.bounds), token.provider, token.providerSession],
  )
  return toRecord(rows[0]!)
}

/** The token with this digest, unless it is revoked, expired, or of a session that nobody used for this long. */
export async function findToken(tx: Tx, digest: Buffer, sessionIdleMs: number): Promise<TokenRecord | undefined> {
  const { rows } = await tx.query(
    `select * from tokens where digest = $1 and revoked_at is null and (expires_at is null or expires_at > now())
       and (not session or coalesce(last_used, created_at) > now() - make_interval(secs => $2))`,
    [digest, sessionIdleMs / 1000],
    'find-token',
  )
  return rows[0] && toRecord(rows[0])
}

export async function listTokens(tx: Tx, filter: { username?: string; teams?: string[] }): Promise<TokenRecord[]> {
  const { rows } = await tx.query(
    'select * from tokens where revoked_at is null and ($1::text is null or username = $1) and ($2::text[] is null or team = any($2)) order by created_at',
    [filter.username ?? null, filter.teams ?? null],
  )
  return rows.map(toRecord)
}

export async function readToken(tx: Tx, id: string): Promise<TokenRecord | undefined> {
  const { rows } = await tx.query('select * from tokens where id = $1', [id])
  return rows[0] && toRecord(rows[0])
}

export async function revokeToken(database: Database, id: string): Promise<void> {
  await database.write(`with revoked as (update tokens set revoked_at = coalesce(revoked_at, now()) where id = $1 returning 1) select ${tellRevoked} from revoked`, [id])
}

export async function touchToken(tx: Tx, id: string): Promise<void> {
  await tx.query(`with touched as (update tokens set last_used = now() where id = $1 returning 1) select ${tell} from touched`, [id])
}

export async function insertLoginKey(database: Database, username: string, digest: Buffer, expiresAt: string): Promise<void> {
  await database.write('insert into login_keys (digest, username, expires_at) values ($1, $2, $3)', [digest, username, expiresAt])
}

/** Uses the key up; undefined when it is unknown, used or too old. */
export async function consumeLoginKey(database: Database, digest: Buffer): Promise<string | undefined> {
  const { rows } = await database.write<{ username: string }>(
    'update login_keys set used_at = now() where digest = $1 and used_at is null and expires_at > now() returning username',
    [digest],
  )
  return rows[0]?.username
}

/** The user that the key would sign in; the key stays. */
export async function peekLoginKey(tx: Tx, digest: Buffer): Promise<string | undefined> {
  const { rows } = await tx.query<{ username: string }>('select username from login_keys where digest = $1 and used_at is null and expires_at > now()', [digest])
  return rows[0]?.username
}

export async function readPassword(tx: Tx, username: string): Promise<string | undefined> {
  return (await tx.query<{ hash: string }>('select hash from passwords where username = $1', [username])).rows[0]?.hash
}

export async function writePassword(database: Database, username: string, hash: string): Promise<void> {
  await database.write('insert into passwords (username, hash) values ($1, $2) on conflict (username) do update set hash = excluded.hash, changed_at = now()', [username, hash])
}

/** Revokes everything that acts as this user: sessions and tokens. */
export async function revokeTokensOf(database: Database, username: string): Promise<void> {
  await database.write(`with ended as (update tokens set revoked_at = now() where username = $1 and revoked_at is null returning 1) select ${tellRevoked} from ended`, [username])
}

/** Everything that lets somebody in as this user; for one who is gone, so that nobody of the same name inherits it. */
export async function forgetUser(database: Database, username: string): Promise<void> {
  await revokeTokensOf(database, username)
  for (const table of ['passwords', 'second_factors', 'login_keys']) await database.write(`delete from ${table} where username = $1`, [username])
}

export async function revokeServiceAccountTokens(database: Database, team: string, name: string): Promise<void> {
  await database.write(`with ended as (update tokens set revoked_at = now() where team = $1 and service_account = $2 and revoked_at is null returning 1) select ${tellRevoked} from ended`, [team, name])
}

/** Ends the sessions that an identity provider says are over; all of one session there, or of one person. */
export async function endProviderSessions(database: Database, provider: string, { session, username }: { session?: string; username?: string }): Promise<void> {
  await database.write(
    `with ended as (update tokens set revoked_at = now() where provider = $1 and revoked_at is null and ($2::text is null or provider_session = $2) and ($3::text is null or username = $3) returning 1) select ${tellRevoked} from ended`,
    [provider, session ?? null, username ?? null],
  )
}

/** Ends every browser session of a user but one. */
export async function endSessions(database: Database, username: string, except: string | undefined): Promise<void> {
  await database.write(`with ended as (update tokens set revoked_at = now() where username = $1 and session and revoked_at is null and prefix is distinct from $2 returning 1) select ${tellRevoked} from ended`, [username, except ?? null])
}

/** When somebody first signed in, and first used a token of their own outside a browser. */
export async function firstUses(tx: Tx, username: string): Promise<{ signedIn: Date | undefined; connected: Date | undefined }> {
  const { rows } = await tx.query(
    `select min(created_at) filter (where session) as signed_in, min(last_used) filter (where not session) as connected from tokens where username = $1`,
    [username],
  )
  return { signedIn: rows[0]!.signed_in ?? undefined, connected: rows[0]!.connected ?? undefined }
}
