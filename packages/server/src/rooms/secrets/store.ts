/** Sealed values, and who had to do with them. */
import type { SecretAccess, SecretAction } from '@pavior/contract'
import type { Database, Tx } from '../../kernel/db/index.ts'
import type { SealedValue, VersionOf } from './envelope.ts'
import type { WrappedKey } from './ports.ts'

/** Whoever wraps holds it shared; whoever forgets master keys holds it alone. */
const keysLock = 7_161_603

export async function holdKeys(tx: Tx): Promise<void> {
  await tx.query('select pg_advisory_xact_lock_shared($1)', [keysLock], 'hold-keys')
}

export async function holdKeysAlone(tx: Tx): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [keysLock], 'hold-keys-alone')
}

export async function insertValue(tx: Tx, { secret, version }: VersionOf, { keyId, wrapped, nonce, sealed, tag }: SealedValue): Promise<void> {
  await tx.query('insert into secret_values (secret, version, key_id, wrapped, nonce, sealed, tag) values ($1, $2, $3, $4, $5, $6, $7)', [secret, version, keyId, wrapped, nonce, sealed, tag], 'insert-secret-value')
}

export type StoredValue = VersionOf & SealedValue

export async function readValues(tx: Tx, wanted: VersionOf[]): Promise<StoredValue[]> {
  const { rows } = await tx.query(
    `select v.secret, v.version, v.key_id as "keyId", v.wrapped, v.nonce, v.sealed, v.tag from secret_values v
       join unnest($1::uuid[], $2::int[]) as w(secret, version) on (v.secret, v.version) = (w.secret, w.version)`,
    [wanted.map(({ secret }) => secret), wanted.map(({ version }) => version)],
    'read-secret-values',
  )
  return rows as StoredValue[]
}

/** Which of these have a value. */
export async function storedVersions(tx: Tx, wanted: VersionOf[]): Promise<VersionOf[]> {
  const { rows } = await tx.query(
    'select v.secret, v.version from secret_values v join unnest($1::uuid[], $2::int[]) as w(secret, version) on (v.secret, v.version) = (w.secret, w.version)',
    [wanted.map(({ secret }) => secret), wanted.map(({ version }) => version)],
    'stored-secret-versions',
  )
  return rows as VersionOf[]
}

export async function destroyValue(tx: Tx, { secret, version }: VersionOf): Promise<void> {
  await tx.query('delete from secret_values where secret = $1 and version = $2', [secret, version], 'destroy-secret-value')
}

export async function destroyValues(database: Database, secret: string): Promise<void> {
  await database.write('delete from secret_values where secret = $1', [secret], 'destroy-secret-values')
}

/** Wrapped keys that another master key than this one wraps, held until the transaction ends. */
export async function keysToWrap(tx: Tx, current: string, limit: number): Promise<(VersionOf & WrappedKey)[]> {
  const { rows } = await tx.query(
    'select secret, version, key_id as "keyId", wrapped from secret_values where key_id <> $1 order by secret, version limit $2 for update skip locked',
    [current, limit],
    'secret-keys-to-wrap',
  )
  return rows as (VersionOf & WrappedKey)[]
}

export async function storeWrapped(tx: Tx, rows: (VersionOf & WrappedKey)[]): Promise<void> {
  await tx.query(
    `update secret_values v set key_id = w.key_id, wrapped = w.wrapped
       from unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[]) as w(secret, version, key_id, wrapped) where (v.secret, v.version) = (w.secret, w.version)`,
    [rows.map(({ secret }) => secret), rows.map(({ version }) => version), rows.map(({ keyId }) => keyId), rows.map(({ wrapped }) => wrapped)],
    'store-wrapped-keys',
  )
}

export async function keysInUse(tx: Tx): Promise<{ keyId: string; values: number }[]> {
  const { rows } = await tx.query('select key_id as "keyId", count(*)::int as values from secret_values group by key_id', [], 'secret-keys-in-use')
  return rows as { keyId: string; values: number }[]
}

export interface AccessRow extends Omit<SecretAccess, 'at' | 'secret'> {
  secret: string
  team: string
  name: string
  action: SecretAction
}

const accessColumns = 'secret, team, name, version, action, actor, app, environment, reader'

/** Reads that are known already are left out; resolves with those that were new. */
export async function recordAccesses(tx: Tx, rows: AccessRow[]): Promise<AccessRow[]> {
  const { rows: noted } = await tx.query(
    `insert into secret_accesses (${accessColumns}) select ${accessColumns} from jsonb_to_recordset($1::jsonb)
       as r(secret uuid, team text, name text, version int, action text, actor text, app text, environment text, reader text)
     on conflict (secret, version, reader) where action = 'read' do nothing returning ${accessColumns}`,
    [JSON.stringify(rows)],
    'record-secret-accesses',
  )
  return noted as AccessRow[]
}

/** The newest first. */
export async function listAccesses(tx: Tx, secret: string, limit: number): Promise<SecretAccess[]> {
  const { rows } = await tx.query(`select at, ${accessColumns} from secret_accesses where secret = $1 order by id desc limit $2`, [secret, limit], 'list-secret-accesses')
  return rows.map(({ at, name, version, action, actor, app, environment, reader }) => ({
    at: at.toISOString(),
    secret: name,
    version,
    action,
    actor,
    ...(app === null ? {} : { app }),
    ...(environment === null ? {} : { environment }),
    ...(reader === null ? {} : { reader }),
  }))
}

export async function lastRead(tx: Tx, secret: string): Promise<Date | undefined> {
  const { rows } = await tx.query<{ at: Date | null }>(`select max(at) as at from secret_accesses where secret = $1 and action = 'read'`, [secret], 'last-secret-read')
  return rows[0]?.at ?? undefined
}

/** Forgets accesses older than this. */
export async function pruneAccesses(database: Database, keepMs: number): Promise<void> {
  await database.query('delete from secret_accesses where at < now() - make_interval(secs => $1)', [keepMs / 1000], 'prune-secret-accesses')
}
