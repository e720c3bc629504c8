/** Sign-in parts over a real database: sessions that end, guesses, second factors, keys of workloads, sealed values. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose'
import { Secret, TOTP } from 'otpauth'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { testDatabase } from '../../../test/kernel.ts'
import type { Clock } from '../../kernel/clock.ts'
import { createSealer, type Sealer } from '../../kernel/sealer.ts'
import { issueSession } from './commands.ts'
import { byName, createLockout, pauseAfter } from './lockout.ts'
import { createSecondFactors } from './second-factor.ts'
import { createKeptSecrets } from './secrets.ts'
import { digestOf, findToken } from './store.ts'
import { createCredentials } from './workload/credential.ts'
import { createWorkloadKeys } from './workload/keys.ts'
import { planKeys, signingKey, type KeyTimes } from './workload/plan.ts'

const hourMs = 3600_000

/** A clock that a test moves. */
function clockAt(start: string): Clock & { move(ms: number): void } {
  let now = Date.parse(start)
  return { now: () => new Date(now), move: (ms) => void (now += ms) }
}

async function sealer(): Promise<{ sealer: Sealer; file: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior-keys-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'identity.key')
  return { sealer: createSealer(file), file }
}

test('a session ends when nobody uses it, and one that is used goes on', async () => {
  const database = await testDatabase()
  const { token, record } = await issueSession(database, { now: () => new Date() }, { username: 'ada', browser: 'Firefox', lifetimeMs: 100 * hourMs })
  const found = async (): Promise<boolean> => (await findToken(database, digestOf(token), 2 * hourMs)) !== undefined
  expect(await found()).toBe(true)
  await database.query("update tokens set created_at = now() - interval '3 hours' where id = $1", [record.id])
  expect(await found()).toBe(false)
  await database.query("update tokens set last_used = now() - interval '1 hour' where id = $1", [record.id])
  expect(await found()).toBe(true)
})

test('guesses are free at first and then ever slower, also many at once; a right one forgets them', async () => {
  const database = await testDatabase()
  const lockout = createLockout(database)
  const tried = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => lockout.attempt('ada', `10.0.0.${index}`)))
  const letIn = tried.filter(({ status }) => status === 'fulfilled').length
  expect(letIn).toBe(byName.free)
  await expect(lockout.attempt('ada', '10.0.1.1')).rejects.toMatchObject({ code: 'SIGN_IN_LOCKED' })
  await lockout.attempt('bob', '10.0.1.2')
  await database.query("update sign_in_failures set locked_until = now() - interval '1 second'")
  await lockout.attempt('ada', '10.0.1.3')
  await expect(lockout.attempt('ada', '10.0.1.4')).rejects.toMatchObject({ code: 'SIGN_IN_LOCKED' })
  await database.query('update sign_in_failures set locked_until = null')
  await lockout.passed('ada', '10.0.1.3')
  for (let attempt = 0; attempt < byName.free - 1; attempt++) await lockout.attempt('ada', '10.0.1.5')
})

test('a pause never shrinks, and has an end', () => {
  fc.assert(
    fc.property(fc.nat(1000), (attempts) => {
      const [now, next] = [pauseAfter(attempts, byName), pauseAfter(attempts + 1, byName)]
      expect(next).toBeGreaterThanOrEqual(now)
      expect(next).toBeLessThanOrEqual(byName.longestPauseMs)
      expect(now === 0).toBe(attempts < byName.free)
    }),
  )
})

test('a code counts once, within a step of the clock; a recovery code is used up; the secret is not in the database', async () => {
  const database = await testDatabase()
  const { sealer: seals } = await sealer()
  const clock = clockAt('2026-03-01T12:00:00Z')
  const factors = createSecondFactors(database, seals, clock)
  const { secret, uri, svg } = await factors.begin('ada')
  expect(uri).toContain('otpauth://totp/')
  expect(svg).toContain('<svg')
  const code = (offsetMs = 0): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: clock.now().getTime() + offsetMs })
  expect(await factors.state('ada')).toEqual({ set: false, left: 0 })
  await expect(factors.confirm('ada', '000000')).rejects.toMatchObject({ code: 'SECOND_FACTOR_WRONG' })
  const recovery = await factors.confirm('ada', code())
  expect(await factors.state('ada')).toEqual({ set: true, left: 10 })
  await expect(factors.check('ada', code())).rejects.toMatchObject({ code: 'SECOND_FACTOR_WRONG' })
  clock.move(30_000)
  const twice = await Promise.allSettled([factors.check('ada', code()), factors.check('ada', code())])
  expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  clock.move(60_000)
  await expect(factors.check('ada', code(-120_000))).rejects.toThrow()
  await factors.check('ada', code(-30_000))
  await factors.check('ada', recovery[0]!.toUpperCase())
  await expect(factors.check('ada', recovery[0]!)).rejects.toThrow()
  expect((await factors.state('ada')).left).toBe(9)
  const { rows } = await database.query('select secret, recovery from second_factors')
  expect(JSON.stringify(rows.map((row) => [row.secret.toString('latin1'), row.recovery.map(String)]))).not.toContain(secret)
})

test('tokens of workloads are verified before, during and after a rotation, by every replica', async () => {
  const database = await testDatabase()
  const { sealer: seals } = await sealer()
  const clock = clockAt('2026-03-01T12:00:00Z')
  const settings = { signsMs: 24 * hourMs, overlapMs: 2 * hourMs, longestTokenMs: hourMs }
  const [one, other] = [0, 1].map(() => createWorkloadKeys({ database, sealer: seals, clock, settings }))
  const [mine, theirs] = await Promise.all([one!.published(), other!.published()])
  expect(mine.map(({ kid }) => kid).toSorted()).toEqual(theirs.map(({ kid }) => kid).toSorted())
  expect(JSON.stringify(mine)).not.toContain('"d"')
  const token = async (): Promise<string> => {
    const { id, key } = await one!.signer('ES256')
    return new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: id }).setSubject('shop:web:production').sign(key)
  }
  const before = await token()
  clock.move(22.5 * hourMs)
  // Published before it signs.
  expect(await one!.published()).toHaveLength(4)
  expect((await one!.signer('ES256')).id).toBe((await one!.signer('ES256')).id)
  const late = await token()
  clock.move(1.6 * hourMs)
  const fresh = await token()
  for (const each of [before, late, fresh]) await jwtVerify(each, createLocalJWKSet({ keys: await other!.published() }))
  await one!.rotate()
  const rotated = await token()
  for (const each of [late, fresh, rotated]) await jwtVerify(each, createLocalJWKSet({ keys: await other!.published() }))
  clock.move(4 * hourMs)
  await expect(jwtVerify(before, createLocalJWKSet({ keys: await one!.published() }))).rejects.toThrow()
})

test('whatever the times, some key signs, and what it signs can be verified until it ends', () => {
  const settings = { signsMs: 1000, overlapMs: 100, longestTokenMs: 50 }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 }), (steps) => {
      let keys: KeyTimes[] = []
      let now = 0
      const signed: { id: string; until: number }[] = []
      for (const step of steps) {
        now += step
        const { make, remove } = planKeys(keys, new Date(now), settings)
        keys = [...keys.filter(({ id }) => !remove.includes(id)), ...make.map((key, index) => ({ ...key, id: `${now}-${index}` }))]
        const signer = signingKey(keys, 'ES256', new Date(now))
        expect(signer).toBeDefined()
        for (const { id, until } of signed) if (until > now) expect(keys.some((key) => key.id === id)).toBe(true)
        signed.push({ id: signer!.id, until: now + settings.longestTokenMs })
      }
    }),
  )
})

test('a credential says whose it is, and nothing else passes for one', async () => {
  const database = await testDatabase()
  const { sealer: seals } = await sealer()
  const secrets = createKeptSecrets(database, seals)
  const credentials = createCredentials(secrets, 'workload')
  const workload = { team: 'shop', app: 'web', environment: 'production' }
  const credential = await credentials.of(workload)
  expect(await createCredentials(secrets, 'workload').of(workload)).toBe(credential)
  expect(await credentials.verify(credential)).toEqual(workload)
  const forged = `pvw_${Buffer.from(JSON.stringify(['shop', 'web', 'staging'])).toString('base64url')}.${credential.split('.')[1]}`
  for (const wrong of [forged, `${credential}x`, credential.slice(0, -2), 'pvw_', 'pvw_.', `${credential}.`, 'pvr_x', '']) expect(await credentials.verify(wrong)).toBeUndefined()
  await fc.assert(fc.asyncProperty(fc.string({ maxLength: 300 }), async (text) => {
    expect(await credentials.verify(`pvw_${text}`)).toBeUndefined()
  }), { numRuns: 50 })
})

test('what is sealed with one key is not opened with another, and says which file it takes', async () => {
  const [mine, other] = [await sealer(), await sealer()]
  const sealed = await mine.sealer.seal({ value: 'a value that nobody else reads' })
  expect(sealed.toString('latin1')).not.toContain('nobody else reads')
  expect(await mine.sealer.open(sealed)).toEqual({ value: 'a value that nobody else reads' })
  await expect(other.sealer.open(sealed)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE', message: expect.stringContaining('identity.key') })
  expect(await readFile(mine.file)).toHaveLength(32)
})
