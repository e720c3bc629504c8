/** A second factor for local accounts: time-based one-time passwords (RFC 6238), and recovery codes for a lost device. */
import { createHash, randomInt } from 'node:crypto'
import { fail } from '@pavior/contract'
import { Secret, TOTP } from 'otpauth'
import { renderSVG } from 'uqr'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Sealer } from '../../kernel/sealer.ts'

const periodSeconds = 30
const digits = 6
const secretBytes = 20
/** Steps of the clock that a device may be off by, before and after. */
const tolerance = 1
const recoveryCodes = 10
/** No vowels and no look-alikes. */
const alphabet = 'bcdfghjkmnpqrstvwxz23456789'
const recoveryLength = 12

export interface Setup {
  /** For the authenticator app, by hand. */
  secret: string
  /** The same as an otpauth: address. */
  uri: string
  /** The same as a picture. */
  svg: string
}

export interface SecondFactors {
  /** Whether it is asked for; `left`: recovery codes that were not used. */
  state(username: string): Promise<{ set: boolean; left: number }>
  /** Begins; nothing is asked for until `confirm`. Throws BAD_REQUEST when there is one already. */
  begin(username: string): Promise<Setup>
  /** Ends with the recovery codes, which are shown this once. Throws SECOND_FACTOR_WRONG. */
  confirm(username: string, code: string): Promise<string[]>
  /** Throws SECOND_FACTOR_WRONG. A code counts once; a recovery code is used up. */
  check(username: string, code: string): Promise<void>
  remove(username: string): Promise<void>
}

interface Row {
  secret: Buffer
  confirmed_at: Date | null
  last_step: string
  recovery: Buffer[]
}

export function createSecondFactors(database: Database, sealer: Sealer, clock: Clock): SecondFactors {
  const read = async (username: string): Promise<Row | undefined> => (await database.query('select secret, confirmed_at, last_step, recovery from second_factors where username = $1', [username])).rows[0] as Row | undefined

  /** The step of the clock that the code is of. */
  const stepOf = async ({ secret }: Row, code: string): Promise<number | undefined> => {
    const { value } = await sealer.open(secret)
    const timestamp = clock.now().getTime()
    const delta = totpOf('', value!).validate({ token: code, timestamp, window: tolerance })
    return delta === null ? undefined : Math.floor(timestamp / 1000 / periodSeconds) + delta
  }

  /** One statement decides, so that the same code sent twice at once counts once. */
  const useStep = async (username: string, step: number): Promise<boolean> =>
    (await database.write('update second_factors set last_step = $2 where username = $1 and last_step < $2 returning 1', [username, step])).rows.length > 0

  const useRecovery = async (username: string, code: string): Promise<boolean> =>
    (await database.write('update second_factors set recovery = array_remove(recovery, $2) where username = $1 and $2 = any(recovery) returning 1', [username, digestOf(code)])).rows.length > 0

  return {
    state: async (username) => {
      const row = await read(username)
      return { set: row?.confirmed_at != null, left: row?.confirmed_at == null ? 0 : row.recovery.length }
    },
    begin: async (username) => {
      const secret = new Secret({ size: secretBytes }).base32
      const { rows } = await database.write(
        'insert into second_factors (username, secret) values ($1, $2) on conflict (username) do update set secret = excluded.secret, last_step = 0 where second_factors.confirmed_at is null returning 1',
        [username, await sealer.seal({ value: secret })],
      )
      if (rows.length === 0) throw fail('BAD_REQUEST', { message: 'There is a second factor already.', fix: 'Remove it first.' })
      const uri = totpOf(username, secret).toString()
      return { secret, uri, svg: renderSVG(uri, { border: 2 }) }
    },
    confirm: async (username, code) => {
      const row = await read(username)
      if (!row || row.confirmed_at !== null) throw fail('BAD_REQUEST', { message: 'There is no second factor to confirm.', fix: 'Begin with a new one.' })
      const step = /^\d{6}$/.test(code) ? await stepOf(row, code) : undefined
      if (step === undefined) throw wrong()
      const codes = Array.from({ length: recoveryCodes }, recoveryCode)
      await database.write('update second_factors set confirmed_at = now(), last_step = $2, recovery = $3 where username = $1 and confirmed_at is null', [username, step, codes.map(digestOf)])
      return codes
    },
    check: async (username, code) => {
      const row = await read(username)
      if (!row?.confirmed_at) return
      const given = code.replaceAll(/[\s-]/g, '').toLowerCase()
      const step = /^\d{6}$/.test(given) ? await stepOf(row, given) : undefined
      if (step !== undefined && (await useStep(username, step))) return
      if (given.length === recoveryLength && (await useRecovery(username, given))) return
      throw wrong()
    },
    remove: async (username) => void (await database.write('delete from second_factors where username = $1', [username])),
  }
}

function totpOf(username: string, secret: string): TOTP {
  return new TOTP({ issuer: 'Pavior', label: username, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits, period: periodSeconds })
}

/** In groups of four, to be typed. */
function recoveryCode(): string {
  const letters = Array.from({ length: recoveryLength }, () => alphabet[randomInt(alphabet.length)]).join('')
  return letters.replaceAll(/(.{4})(?=.)/g, '$1-')
}

function digestOf(code: string): Buffer {
  return createHash('sha256').update(code.replaceAll('-', '')).digest()
}

function wrong(): Error {
  return fail('SECOND_FACTOR_WRONG', 'The code is not right, is too old, or was used before.')
}
