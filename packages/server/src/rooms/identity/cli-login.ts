/**
 * Sign-in of the command line through the portal, whatever way somebody signs in there: a loopback redirect with PKCE
 * (RFC 8252, RFC 7636), and a device code for machines without a browser (RFC 8628).
 */
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../kernel/actor.ts'
import { RateLimiter, tooMany } from '../../kernel/api/limits.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { amendCode, keepCode, readCode, useCode } from './codes.ts'
import { issueLoginToken } from './commands.ts'
import type { TakeNote } from './notes.ts'
import { mustBeUnbounded } from './sign-in.ts'
import { digestOf } from './store.ts'

const loopbackLifetimeMs = 60_000
const deviceLifetimeMs = 10 * 60_000
const pollSeconds = 2
/** No vowels and no look-alikes; spoken over the phone if need be. */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ'
const userCodeLength = 8
const secretBytes = 32
/** Guesses at codes of devices by one person. */
const guessesPerSecond = 1 / 10
const guessBurst = 10
const asksPerSecond = 1
const askBurst = 20

const challenge = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const authorizeRequest = Compile(Type.Object({ redirectUri: Type.String({ maxLength: 200 }), challenge, machine: Type.Optional(Type.String({ maxLength: 100 })) }, { additionalProperties: false }))
const exchangeRequest = Compile(Type.Object({ code: Type.String({ maxLength: 200 }), verifier: Type.String({ minLength: 43, maxLength: 128 }) }, { additionalProperties: false }))
const deviceRequest = Compile(Type.Object({ machine: Type.Optional(Type.String({ maxLength: 100 })) }, { additionalProperties: false }))
const approval = Compile(Type.Object({ userCode: Type.String({ maxLength: 20 }) }, { additionalProperties: false }))
const pollRequest = Compile(Type.Object({ deviceCode: Type.String({ maxLength: 200 }) }, { additionalProperties: false }))

export interface CliLoginDeps {
  database: Database
  clock: Clock
  publicUrl: () => string
  note: TakeNote
}

/** Back to a program on the same machine and nowhere else. */
export function isLoopback(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, port } = new URL(text)
  return protocol === 'http:' && (hostname === '127.0.0.1' || hostname === '[::1]') && username === '' && port !== ''
}

export function cliLoginRoutes({ database, clock, publicUrl, note }: CliLoginDeps): Routes {
  const guesses = new RateLimiter(guessesPerSecond, guessBurst, clock)
  const asks = new RateLimiter(asksPerSecond, askBurst, clock)
  const personOf = (actor: Actor): string => {
    mustBeUnbounded(actor)
    if (!actor.name.startsWith('user:')) throw fail('FORBIDDEN', { message: `${actor.name} is no person, and signs nobody in.` })
    return actor.name.slice('user:'.length)
  }
  const issue = async (username: string, ip: string, requestId: string): Promise<object> => {
    const { token, record } = await issueLoginToken(database, clock, username)
    note({ actor: `user:${username}`, verb: 'sign-in', name: username, reason: 'command line', address: ip, requestId })
    return { token, user: username, expiresAt: record.expiresAt }
  }

  return (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))

    app.post('/v1/cli/authorize', async ({ actor, body }) => {
      const username = personOf(actor)
      if (!authorizeRequest.Check(body) || !isLoopback(body.redirectUri)) throw fail('BAD_REQUEST', { message: 'The command line asks with { "redirectUri" on this machine, "challenge" }.' })
      const code = randomBytes(secretBytes).toString('base64url')
      await keepCode(database, 'loopback', code, { username, challenge: body.challenge }, loopbackLifetimeMs)
      return { code }
    })

    app.post('/v1/cli/token', { config: { public: true } }, async ({ body, ip, id }) => {
      if (!exchangeRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A token is asked for with { "code", "verifier" }.' })
      const kept = await useCode<{ username: string; challenge: string }>(database, 'loopback', body.code)
      if (!kept || createHash('sha256').update(body.verifier).digest('base64url') !== kept.challenge) throw fail('UNAUTHENTICATED', { message: 'The code is not valid, was used before, or belongs to another sign-in.', fix: 'Run pavior login again.' })
      return issue(kept.username, ip, id)
    })

    app.post('/v1/device', { config: { public: true } }, async ({ body, ip }, reply) => {
      const given = body ?? {}
      if (!deviceRequest.Check(given)) throw fail('BAD_REQUEST', { message: 'A device asks with { "machine"? }.' })
      const wait = asks.take(ip)
      if (wait !== undefined) throw tooMany('Too many devices ask from this address.', wait)
      const deviceCode = randomBytes(secretBytes).toString('base64url')
      const letters = Array.from({ length: userCodeLength }, () => alphabet[randomInt(alphabet.length)]).join('')
      await keepCode(database, 'device', deviceCode, { machine: given.machine ?? '', address: ip }, deviceLifetimeMs)
      await keepCode(database, 'device-user', letters, { device: digestOf(deviceCode).toString('base64'), machine: given.machine ?? '', address: ip }, deviceLifetimeMs)
      reply.code(201)
      const userCode = `${letters.slice(0, 4)}-${letters.slice(4)}`
      return { deviceCode, userCode, verificationUri: `${publicUrl()}/device`, verificationUriComplete: `${publicUrl()}/device?code=${userCode}`, expiresInSeconds: deviceLifetimeMs / 1000, intervalSeconds: pollSeconds }
    })

    const findDevice = async (actor: Actor, text: string): Promise<{ letters: string; kept: { device: string; machine: string; address: string } }> => {
      const wait = guesses.take(personOf(actor))
      if (wait !== undefined) throw tooMany('Too many codes were tried.', wait)
      const letters = text.toUpperCase().replaceAll(/[^A-Z]/g, '')
      const kept = await readCode<{ device: string; machine: string; address: string }>(database, 'device-user', letters)
      if (!kept) throw fail('NOT_FOUND', { message: 'No device waits with this code.', fix: 'Look at the code again; it is good for ten minutes.' })
      return { letters, kept }
    }

    /** Which machine asks, so that nobody lets in one that they did not start. */
    app.post('/v1/device/look', async ({ actor, body }) => {
      if (!approval.Check(body)) throw fail('BAD_REQUEST', { message: 'A device is looked up with { "userCode" }.' })
      const { machine, address } = (await findDevice(actor, body.userCode)).kept
      return { machine, address }
    })

    app.post('/v1/device/approve', async ({ actor, body }) => {
      if (!approval.Check(body)) throw fail('BAD_REQUEST', { message: 'A device is let in with { "userCode" }.' })
      const username = personOf(actor)
      const { letters, kept } = await findDevice(actor, body.userCode)
      if (!(await useCode(database, 'device-user', letters)) || !(await amendCode(database, 'device', Buffer.from(kept.device, 'base64'), { username }))) throw fail('NOT_FOUND', { message: 'No device waits with this code any more.' })
      return { approved: true }
    })

    app.post('/v1/device/token', { config: { public: true } }, async ({ body, ip, id }, reply) => {
      if (!pollRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A device asks for its token with { "deviceCode" }.' })
      const kept = await readCode<{ username?: string }>(database, 'device', body.deviceCode)
      if (!kept) throw fail('UNAUTHENTICATED', { message: 'The code of the device is not valid, was used before, or is older than ten minutes.', fix: 'Run pavior login again.' })
      if (kept.username === undefined) return reply.code(202).send({ pending: true, intervalSeconds: pollSeconds })
      if (!(await useCode(database, 'device', body.deviceCode))) throw fail('UNAUTHENTICATED', { message: 'The code of the device was used before.' })
      return issue(kept.username, ip, id)
    })
  }
}
