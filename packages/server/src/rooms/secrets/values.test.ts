/** Sealed values on a real database, under every kind of master key. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RekeyProgress, SecretRef } from '@pavior/contract'
import { describe, expect, onTestFinished, test } from 'vitest'
import { testDatabase } from '../../../test/kernel.ts'
import { startVault } from '../../../test/vault.ts'
import { createFileKeys, createGivenKeys } from '../../drivers/keys/local.ts'
import { createTransitKeys } from '../../drivers/keys/transit.ts'
import { createVaultStore } from '../../drivers/vault/kv.ts'
import { createNotes } from '../../kernel/audit/notes.ts'
import type { PgDatabase } from '../../kernel/db/index.ts'
import { createLog } from '../../kernel/log.ts'
import { sealValue } from './envelope.ts'
import { createHandOut, type HandOut, type Reader } from './hand-out.ts'
import type { MasterKeys } from './ports.ts'
import { createRekey } from './rekey.ts'
import { insertValue, keysInUse, listAccesses } from './store.ts'

const log = createLog('silent', 'test')
const signal = new AbortController().signal
const valuesAtOnce = 1000

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'pavior keys '))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function store(database: PgDatabase, keys: MasterKeys, value: string, version = 1, uid = randomUUID() as string): Promise<SecretRef> {
  await insertValue(database, { secret: uid, version }, await sealValue(keys, { secret: uid, version }, Buffer.from(value)))
  return { secret: 'a', uid, key: `KEY_${version}`, version, as: 'env' }
}

const handOutOf = (database: PgDatabase, keys: MasterKeys): HandOut => createHandOut({ database, keys, audit: createNotes(database), onRead: () => {}, log })
const reader = (refs: SecretRef[], id = 'set-1'): Reader => ({ id, name: id, team: 'blue', app: 'shop', environment: 'production', refs })
const open = async (database: PgDatabase, keys: MasterKeys, ref: SecretRef): Promise<string> => (await handOutOf(database, keys).forTask(reader([ref]))).env[ref.key]!
const rekeyed = async (database: PgDatabase, keys: MasterKeys): Promise<RekeyProgress[]> => {
  const told: RekeyProgress[] = []
  await createRekey({ database, keys, log }).run(async (progress) => void told.push(progress), signal)
  return told
}

async function everyDriver(): Promise<[string, MasterKeys][]> {
  const vault = await startVault()
  onTestFinished(() => vault.close())
  return [
    ['file', createFileKeys(join(directory(), 'master'))],
    ['given', createGivenKeys(async () => [randomBytes(32).toString('base64')], 'the test')],
    ['transit', createTransitKeys({ url: vault.url, key: 'pavior', mount: 'transit', token: async () => vault.token })],
  ]
}

describe('every master key', () => {
  test('seals and opens, and what is moved, swapped or changed in the database opens no more', async () => {
    const database = await testDatabase()
    for (const [name, keys] of await everyDriver()) {
      const [one, two] = [await store(database, keys, 'value of one'), await store(database, keys, 'value of two')]
      expect([name, await open(database, keys, one), await open(database, keys, two)]).toEqual([name, 'value of one', 'value of two'])
      // The whole row of another secret under this name.
      await database.query('update secret_values t set key_id = f.key_id, wrapped = f.wrapped, nonce = f.nonce, sealed = f.sealed, tag = f.tag from secret_values f where t.secret = $1 and f.secret = $2', [one.uid, two.uid])
      await expect(open(database, keys, one)).rejects.toMatchObject({ code: 'SECRET_CORRUPT' })
      await database.query('update secret_values set sealed = set_byte(sealed, 3, get_byte(sealed, 3) # 1) where secret = $1', [two.uid])
      const refused = await open(database, keys, two).catch((error: Error) => JSON.stringify({ ...error, message: error.message, cause: error.cause }))
      expect(refused).toContain('SECRET_CORRUPT')
      expect(refused).not.toContain('value of')
      await database.query('delete from secret_values')
    }
  })

  test('can be changed: every data key is wrapped anew and the values stay', async () => {
    const database = await testDatabase()
    for (const [name, keys] of await everyDriver()) {
      const refs = await Promise.all(Array.from({ length: 230 }, (_, index) => store(database, keys, `value ${index}`)))
      const before = await keys.current()
      const told = await rekeyed(database, keys)
      const inUse = await keysInUse(database)
      expect([inUse.length, inUse[0]!.keyId === before]).toEqual([1, name === 'given'])
      expect(told.at(-1)).toMatchObject(name === 'given' ? { wrapped: 0, remaining: 0 } : { wrapped: 230, remaining: 0 })
      expect(await open(database, keys, refs[229]!)).toBe('value 229')
      await database.query('delete from secret_values')
    }
  })
})

describe('master keys in files', () => {
  test('are private, made once by whoever comes first, and the old one goes when nothing needs it', async () => {
    const database = await testDatabase()
    const path = join(directory(), 'master')
    const [one, two] = [createFileKeys(path), createFileKeys(path)]
    expect(new Set(await Promise.all([one.current(), two.current(), one.current()])).size).toBe(1)
    for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
    const ref = await store(database, one, 'kept')
    const old = await one.current()
    await rekeyed(database, one)
    expect(readdirSync(path).filter((name) => name.endsWith('.key'))).toEqual([`${await two.current()}.key`])
    expect(readdirSync(path)).not.toContain(`${old}.key`)
    expect(await open(database, two, ref)).toBe('kept')
  })

  test('go on where a crash left off, and keep the old one until then', async () => {
    const database = await testDatabase()
    const path = join(directory(), 'master')
    const keys = createFileKeys(path)
    const refs = await Promise.all(Array.from({ length: 250 }, (_, index) => store(database, keys, `value ${index}`)))
    const stop = new AbortController()
    await createRekey({ database, keys, log }).run(async ({ wrapped }) => void (wrapped > 0 && stop.abort()), stop.signal)
    expect((await keysInUse(database)).length).toBe(2)
    expect(readdirSync(path).filter((name) => name.endsWith('.key'))).toHaveLength(2)
    const afterCrash = createFileKeys(path)
    expect(await Promise.all([open(database, afterCrash, refs[0]!), open(database, afterCrash, refs[249]!)])).toEqual(['value 0', 'value 249'])
    const { part } = createRekey({ database, keys: afterCrash, log })
    await part.start(signal)
    await part.stop()
    expect((await keysInUse(database)).map(({ keyId }) => keyId)).toEqual([await afterCrash.current()])
    expect(readdirSync(path).filter((name) => name.endsWith('.key'))).toHaveLength(1)
  })

  test('that are gone, broken or others are named with what to do, and opening goes on when they are back', async () => {
    const database = await testDatabase()
    const path = join(directory(), 'master')
    const ref = await store(database, createFileKeys(path), 'kept')
    const file = join(path, readdirSync(path).find((name) => name.endsWith('.key'))!)
    const right = readFileSync(file)
    for (const wrong of [randomBytes(32).toString('base64'), 'short', '']) {
      writeFileSync(file, wrong)
      await expect(open(database, createFileKeys(path), ref)).rejects.toMatchObject({ code: 'SECRETS_SEALED', details: { fix: expect.stringMatching(/Restore|openssl/) } })
    }
    rmSync(file)
    const keys = createFileKeys(path)
    const handOut = handOutOf(database, keys)
    expect((await handOut.forSets([reader([ref])])).get('set-1')).toBe('kept')
    writeFileSync(file, right)
    expect((await handOut.forSets([reader([ref])])).get('set-1')).toEqual({ env: { KEY_1: 'kept' }, files: {} })
  })
})

test('a given key opens with the earlier one beside it, and not without', async () => {
  const database = await testDatabase()
  const [old, next] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
  const ref = await store(database, createGivenKeys(async () => [old], 'PAVIOR_MASTER_KEY'), 'kept')
  await expect(open(database, createGivenKeys(async () => [next], 'PAVIOR_MASTER_KEY'), ref)).rejects.toMatchObject({ code: 'SECRETS_SEALED' })
  const both = createGivenKeys(async () => [next, old], 'PAVIOR_MASTER_KEY')
  expect(await open(database, both, ref)).toBe('kept')
  await rekeyed(database, both)
  expect(await open(database, createGivenKeys(async () => [next], 'PAVIOR_MASTER_KEY'), ref)).toBe('kept')
})

describe('giving out', () => {
  test('is noted once for each reader, says what is missing, and one broken value keeps back its own set only', async () => {
    const database = await testDatabase()
    const keys = createFileKeys(join(directory(), 'master'))
    const [good, bad] = [await store(database, keys, 'good'), await store(database, keys, 'bad')]
    const gone: SecretRef = { ...good, version: 7 }
    await database.query('update secret_values set tag = set_byte(tag, 0, get_byte(tag, 0) # 1) where secret = $1', [bad.uid])
    const handOut = handOutOf(database, keys)
    for (let times = 0; times < 3; times++) {
      const given = await handOut.forSets([reader([good], 'well'), reader([good, bad], 'broken'), reader([gone], 'gone'), reader([], 'none')])
      expect([...given]).toEqual([['well', { env: { KEY_1: 'good' }, files: {} }], ['broken', 'kept'], ['gone', 'kept']])
    }
    expect((await listAccesses(database, good.uid, 10)).map(({ reader: who, action }) => [who, action])).toEqual([['broken', 'read'], ['well', 'read']])
    await expect(handOut.forTask(reader([gone], 'task'))).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' })
  })

  test(`of ${valuesAtOnce} values takes well under a second, and again nothing`, async () => {
    const database = await testDatabase()
    const keys = createFileKeys(join(directory(), 'master'))
    const uid = randomUUID()
    const refs: SecretRef[] = []
    for (let version = 1; version <= valuesAtOnce; version++) refs.push(await store(database, keys, `value ${version}`, version, uid))
    const handOut = handOutOf(database, keys)
    const timed = async (): Promise<number> => {
      const began = performance.now()
      const values = (await handOut.forSets([reader(refs)])).get('set-1')
      expect(values).toMatchObject({ env: { KEY_1: 'value 1', [`KEY_${valuesAtOnce}`]: `value ${valuesAtOnce}` } })
      return performance.now() - began
    }
    const [first, again] = [await timed(), await timed()]
    process.stderr.write(`opening ${valuesAtOnce} values: ${first.toFixed(1)} ms, again ${again.toFixed(1)} ms\n`)
    expect(first).toBeLessThan(2000)
  })
})

describe('a Vault', () => {
  const path = 'team/shop'
  const ask = async (mood: 'well' | 'sealed' | 'silent' | 'garbage', prepare: (vault: Awaited<ReturnType<typeof startVault>>) => void = () => {}, token?: string): Promise<unknown> => {
    const vault = await startVault()
    onTestFinished(() => vault.close())
    vault.put(path, { key: 'planted-in-vault', number: 5 })
    prepare(vault)
    vault.mood = mood
    return createVaultStore()
      .read({ type: 'vault', url: vault.url, token: { secret: 't' }, timeoutSeconds: 0.5 }, token ?? vault.token, path, signal)
      .catch((error: Error) => error)
  }

  test('gives its newest version, and says which of its refusals can pass', async () => {
    expect(await ask('well', (vault) => vault.put(path, { key: 'second', number: 6 }))).toEqual({ version: 2, fields: { key: 'second', number: '6' } })
    expect(await ask('well', (vault) => vault.deleteNewest(path))).toMatchObject({ code: 'SECRET_STORE_REFUSED', message: expect.stringContaining('is deleted') })
    expect(await ask('well', undefined, 'wrong')).toMatchObject({ code: 'SECRET_STORE_REFUSED', details: { why: expect.stringContaining('403') } })
    expect(await ask('sealed')).toMatchObject({ code: 'SECRET_STORE_UNREACHABLE', details: { why: expect.stringContaining('503') } })
    expect(await ask('silent')).toMatchObject({ code: 'SECRET_STORE_UNREACHABLE', details: { why: 'It did not answer within 0.5 s.' } })
    expect(await ask('garbage')).toMatchObject({ code: 'SECRET_STORE_UNREACHABLE', details: { why: 'Its answer is no JSON object.' } })
    expect(await ask('well', (vault) => void vault.close())).toMatchObject({ code: 'SECRET_STORE_UNREACHABLE' })
  })
})
