/** Keys that sign tokens of workloads: made ahead, published with overlap, private parts sealed. Shared by all replicas through the database. */
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import type { Clock } from '../../../kernel/clock.ts'
import type { PgDatabase, Row, Tx } from '../../../kernel/db/index.ts'
import type { Sealer } from '../../../kernel/sealer.ts'
import { planKeys, signingKey, type Algorithm, type KeySettings, type KeyTimes, type NewKey } from './plan.ts'

/** Held while keys are made, so that two replicas do not make them twice. */
const lockKey = 7_461_730_117

export interface SigningKey extends KeyTimes {
  publicKey: JWK
  sealed: Buffer
}

export interface WorkloadKeys {
  /** Public keys of every token that may still be valid, and of those to come. */
  published(): Promise<JWK[]>
  signer(algorithm: Algorithm): Promise<{ id: string; key: CryptoKey }>
  /** Retires what signs now; what it has signed stays valid. */
  rotate(): Promise<void>
}

export interface WorkloadKeysDeps {
  database: PgDatabase
  sealer: Sealer
  clock: Clock
  settings: KeySettings
}

export function createWorkloadKeys({ database, sealer, clock, settings }: WorkloadKeysDeps): WorkloadKeys {
  const current = async (): Promise<SigningKey[]> => {
    const keys = await readKeys(database)
    const { make, remove } = planKeys(keys, clock.now(), settings)
    if (make.length === 0 && remove.length === 0) return keys
    return database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [lockKey])
      const plan = planKeys(await readKeys(tx), clock.now(), settings)
      for (const wanted of plan.make) await insertKey(tx, await makeKey(sealer, wanted))
      await tx.query('delete from signing_keys where id = any($1)', [plan.remove])
      return readKeys(tx)
    })
  }

  return {
    published: async () => (await current()).map(({ publicKey }) => publicKey),
    signer: async (algorithm) => {
      const { id, sealed } = signingKey(await current(), algorithm, clock.now())!
      return { id, key: (await importJWK(JSON.parse((await sealer.open(sealed)).value!) as JWK, algorithm)) as CryptoKey }
    },
    rotate: async () => {
      await database.transaction(async (tx) => {
        await tx.query('select pg_advisory_xact_lock($1)', [lockKey])
        await tx.query('update signing_keys set retires_at = least(retires_at, $1), gone_at = least(gone_at, $2)', [clock.now(), new Date(clock.now().getTime() + settings.longestTokenMs + settings.overlapMs)])
      })
      await current()
    },
  }
}

async function makeKey(sealer: Sealer, wanted: NewKey): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(wanted.algorithm, { extractable: true })
  const id = crypto.randomUUID()
  const shown: JWK = { ...(await exportJWK(publicKey)), kid: id, alg: wanted.algorithm, use: 'sig' }
  return { ...wanted, id, publicKey: shown, sealed: await sealer.seal({ value: JSON.stringify(await exportJWK(privateKey)) }) }
}

async function readKeys(tx: Tx): Promise<SigningKey[]> {
  const { rows } = await tx.query<Row>('select * from signing_keys order by signs_from')
  return rows.map((row) => ({ id: row.id, algorithm: row.algorithm, publicKey: row.public_key, sealed: row.sealed, signsFrom: row.signs_from, retiresAt: row.retires_at, goneAt: row.gone_at }))
}

async function insertKey(tx: Tx, { id, algorithm, publicKey, sealed, signsFrom, retiresAt, goneAt }: SigningKey): Promise<void> {
  await tx.query('insert into signing_keys (id, algorithm, public_key, sealed, signs_from, retires_at, gone_at) values ($1, $2, $3, $4, $5, $6, $7)', [id, algorithm, JSON.stringify(publicKey), sealed, signsFrom, retiresAt, goneAt])
}
