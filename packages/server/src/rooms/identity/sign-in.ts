/** Sign-in of people: with the key of a login link or with a password, for a browser (cookie) or for the command line (token). */
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../kernel/actor.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { hasCode } from '../../kernel/errors.ts'
import type { Authenticator } from './authenticate.ts'
import { bearerToken } from './bearer.ts'
import { issueLoginToken, issueSession, redeemLoginKey, signInToken } from './commands.ts'
import type { Lockout } from './lockout.ts'
import type { TakeNote } from './notes.ts'
import { longestPassword, passwordMatches, setPassword } from './passwords.ts'
import { asGiver } from './rights.ts'
import type { SecondFactors } from './second-factor.ts'
import { csrfValue, sameOrigin, sessionCookie, sessionToken } from './session.ts'
import { digestOf, endSessions, peekLoginKey, readPassword, revokeToken } from './store.ts'

const name = Type.String({ minLength: 1, maxLength: 40 })
const password = Type.String({ maxLength: longestPassword })
const code = Type.Optional(Type.String({ maxLength: 30 }))
const keyRequest = Compile(Type.Object({ key: Type.String({ maxLength: 200 }), code }, { additionalProperties: false }))
const passwordRequest = Compile(Type.Object({ username: name, password, code }, { additionalProperties: false }))
const passwordChange = Compile(Type.Object({ current: Type.Optional(password), password }, { additionalProperties: false }))

const longestBrowserName = 60

export interface SignInDeps {
  database: Database
  authenticator: Authenticator
  lockout: Lockout
  secondFactors: SecondFactors
  secondFactorRequired: boolean
  sessions: Sessions
  clock: Clock
  note: TakeNote
}

/** Begins and ends the sessions of browsers, however somebody signed in. */
export interface Sessions {
  start(request: FastifyRequest, reply: FastifyReply, who: { username: string; provider?: string; providerSession?: string }): Promise<{ token: string; expiresAt: string | undefined }>
  clearCookie(request: FastifyRequest, reply: FastifyReply): void
}

export interface SessionsDeps {
  database: Database
  authenticator: Authenticator
  clock: Clock
  publicUrl: () => string
  lifetimeMs: number
}

export function createSessions({ database, authenticator, clock, publicUrl, lifetimeMs }: SessionsDeps): Sessions {
  const setCookie = (request: FastifyRequest, reply: FastifyReply, token: string | undefined): void => {
    const secure = request.protocol === 'https' || publicUrl().startsWith('https:')
    void reply.header('set-cookie', sessionCookie(token, { secure, lifetimeSeconds: lifetimeMs / 1000 }))
  }
  return {
    start: async (request, reply, who) => {
      const { token, record } = await issueSession(database, clock, { ...who, browser: browserOf(request), lifetimeMs })
      // Throws for a user who is suspended or gone.
      await authenticator.byToken(token)
      setCookie(request, reply, token)
      return { token, expiresAt: record.expiresAt }
    },
    clearCookie: (request, reply) => setCookie(request, reply, undefined),
  }
}

export function signInRoutes(deps: SignInDeps): Routes {
  const { database, authenticator, lockout, secondFactors, sessions, clock, note } = deps
  const verify = createVerifier(deps)

  /** Who it is, noted either way. */
  const who = async (request: FastifyRequest): Promise<string> => {
    const told = { address: request.ip, requestId: request.id }
    try {
      const username = await verify(request.body, request.ip)
      note({ ...told, verb: 'sign-in', actor: `user:${username}`, name: username })
      return username
    } catch (error) {
      const given = (request.body as { username?: unknown } | undefined)?.username
      // While a name is locked its attempts are not judged, so there is nothing to tell; they would fill the audit.
      if (hasCode(error, 'UNAUTHENTICATED', 'SECOND_FACTOR_WRONG')) note({ ...told, verb: 'sign-in-failed', actor: 'unknown', name: typeof given === 'string' ? given : 'login link', reason: (error as { code?: string }).code })
      throw error
    }
  }

  return (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, reply) => {
      void reply.header('cache-control', 'no-store')
    })

    app.post('/v1/login', { config: { public: true } }, async (request) => {
      const username = await who(request)
      const { token, record } = await issueLoginToken(database, clock, username)
      return { token, user: username, expiresAt: record.expiresAt }
    })

    app.post('/v1/session', { config: { public: true } }, async (request, reply) => {
      // Another site must not sign somebody in as somebody else.
      if (!sameOrigin(request)) throw fail('CSRF_REFUSED', { message: 'The sign-in was sent by a page of another site.' })
      const username = await who(request)
      const { token, expiresAt } = await sessions.start(request, reply, { username })
      reply.code(201)
      return { user: username, csrf: csrfValue(token), expiresAt }
    })

    app.get('/v1/session', async ({ actor, headers }) => {
      const token = sessionToken({ headers })
      return { user: userOf(actor.name), name: actor.name, admin: actor.admin, roles: Object.fromEntries(actor.roles), ...(actor.grants ? { grants: actor.grants.map(({ role, team }) => ({ role, team })) } : {}), ...(token === undefined ? {} : { csrf: csrfValue(token) }) }
    })

    app.delete('/v1/session', async (request, reply) => {
      const token = request.headers.authorization === undefined ? sessionToken(request) : bearerToken(request.headers.authorization)
      const record = token === undefined ? undefined : await authenticator.record(token)
      // A token that somebody made for a program is revoked by its own name only.
      if (record && (record.session || record.description === signInToken)) {
        await revokeToken(database, record.id)
        authenticator.forget()
        note({ actor: request.actor.name, verb: 'sign-out', name: userOf(request.actor.name), address: request.ip, requestId: request.id })
      }
      sessions.clearCookie(request, reply)
      return { signedOut: true, ...(record?.provider === undefined ? {} : { provider: record.provider }) }
    })

    app.put<{ Params: { name: string } }>('/v1/users/:name/password', async ({ actor, params, body, ip, id: requestId }) => {
      if (!passwordChange.Check(body)) throw fail('BAD_REQUEST', { message: 'A change of password needs { "password" }, and { "current" } of who has one.' })
      const own = userOf(actor.name) === params.name && actor.kind === 'user'
      mustBeUnbounded(actor)
      if (!own && !asGiver(actor).admin) throw fail('FORBIDDEN', { message: `${actor.name} may not set the password of "${params.name}".` })
      // Who asks is known, so this is no 401: it would sign them out.
      if (own && (await authenticator.hasPassword(params.name))) {
        await lockout.attempt(params.name, ip)
        if (!(await passwordMatches(database, params.name, body.current ?? ''))) throw fail('PASSWORD_WRONG', 'The current password is not right.')
        await lockout.passed(params.name, ip)
      }
      await setPassword(database, params.name, body.password)
      note({ actor: actor.name, verb: 'set-password', name: params.name, address: ip, requestId })
      // Whoever knew the old password is out, wherever it was.
      await endSessions(database, params.name, own ? actor.token : undefined)
      authenticator.forget()
      return { user: params.name, changed: true }
    })

    addSecondFactorRoutes(app, { database, lockout, secondFactors, note })
  }
}

/** Judges a key or a password, with the second factor of whoever has one. */
function createVerifier({ database, lockout, secondFactors, secondFactorRequired }: SignInDeps): (body: unknown, address: string) => Promise<string> {
  const checkFactor = async (username: string, given: string | undefined, address: string, required: boolean): Promise<void> => {
    const { set } = await secondFactors.state(username)
    if (!set && !required) return
    if (!set) throw fail('SECOND_FACTOR_NEEDED', { message: 'A password alone does not sign in here.', why: 'The platform asks for a second factor, and this account has none.', fix: 'Ask an administrator for a login link, sign in with it, and set up a second factor under Tokens.', facts: { setUp: true } })
    if (given !== undefined && given !== '') return secondFactors.check(username, given)
    await lockout.undo(username, address)
    throw fail('SECOND_FACTOR_NEEDED', 'This account asks for a code beside the password.')
  }
  return async (body, address) => {
    if (keyRequest.Check(body)) {
      const username = await peekLoginKey(database, digestOf(body.key))
      if (username !== undefined && (await secondFactors.state(username)).set) {
        await lockout.attempt(username, address)
        await checkFactor(username, body.code, address, false)
        await lockout.passed(username, address)
      }
      return redeemLoginKey(database, body.key)
    }
    if (!passwordRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'Sign-in needs { "key" } of a login link, or { "username", "password" }, and { "code" } of whoever has a second factor.' })
    await lockout.attempt(body.username, address)
    if (!(await passwordMatches(database, body.username, body.password))) throw fail('UNAUTHENTICATED', { message: 'The name or the password is not right.', fix: 'Try again, or ask an administrator for a login link.' })
    await checkFactor(body.username, body.code, address, secondFactorRequired)
    await lockout.passed(body.username, address)
    return body.username
  }
}

const codeRequest = Compile(Type.Object({ code: Type.String({ maxLength: 30 }) }, { additionalProperties: false }))
const beginRequest = Compile(Type.Object({ current: Type.Optional(password) }, { additionalProperties: false }))

function addSecondFactorRoutes(app: FastifyInstance, { database, lockout, secondFactors, note }: Pick<SignInDeps, 'database' | 'lockout' | 'secondFactors' | 'note'>): void {
  type Named = { Params: { name: string } }
  const mustBeOwn = (actor: Actor, username: string): void => {
    mustBeUnbounded(actor)
    if (actor.name !== `user:${username}`) throw fail('FORBIDDEN', { message: `${actor.name} may not set up a second factor of "${username}".`, fix: 'People do so for themselves.' })
  }
  const guarded = async <T>(username: string, address: string, act: () => Promise<T>): Promise<T> => {
    await lockout.attempt(username, address)
    const result = await act()
    await lockout.passed(username, address)
    return result
  }

  app.get<Named>('/v1/users/:name/second-factor', async ({ actor, params }) => {
    if (!actor.admin) mustBeOwn(actor, params.name)
    return secondFactors.state(params.name)
  })
  app.post<Named>('/v1/users/:name/second-factor', async ({ actor, params, body, ip }) => {
    mustBeOwn(actor, params.name)
    const given = body ?? {}
    if (!beginRequest.Check(given)) throw fail('BAD_REQUEST', { message: 'Setting up a second factor takes { "current": your password }, of who has one.' })
    // A browser that was left open is not enough to lock its owner out.
    await guarded(params.name, ip, async () => {
      if ((await readPassword(database, params.name)) !== undefined && !(await passwordMatches(database, params.name, given.current ?? ''))) throw fail('PASSWORD_WRONG', 'The current password is not right.')
    })
    return secondFactors.begin(params.name)
  })
  app.put<Named>('/v1/users/:name/second-factor', async ({ actor, params, body, ip, id: requestId }) => {
    mustBeOwn(actor, params.name)
    if (!codeRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'Confirming a second factor takes { "code" }.' })
    const recoveryCodes = await guarded(params.name, ip, () => notSignedOut(secondFactors.confirm(params.name, body.code)))
    note({ actor: actor.name, verb: 'set-second-factor', name: params.name, address: ip, requestId })
    return { recoveryCodes }
  })
  app.delete<Named>('/v1/users/:name/second-factor', async ({ actor, params, body, ip, id: requestId }) => {
    if (actor.name === `user:${params.name}`) {
      mustBeOwn(actor, params.name)
      if (!codeRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'Taking your second factor away takes { "code" }.' })
      await guarded(params.name, ip, () => notSignedOut(secondFactors.check(params.name, body.code)))
    } else if (!asGiver(actor).admin) throw fail('FORBIDDEN', { message: `${actor.name} may not take the second factor of "${params.name}" away.`, fix: 'Ask an administrator of the platform.' })
    await secondFactors.remove(params.name)
    note({ actor: actor.name, verb: 'remove-second-factor', name: params.name, address: ip, requestId })
    return { removed: true }
  })
}

/** Who asks is signed in already: a wrong code must not look like the end of the session. */
async function notSignedOut<T>(act: Promise<T>): Promise<T> {
  try {
    return await act
  } catch (error) {
    if (hasCode(error, 'SECOND_FACTOR_WRONG')) throw fail('BAD_REQUEST', { message: (error as Error).message, fix: 'Wait for the next code of your authenticator app.' })
    throw error
  }
}

/** A token that was made for one thing does not change how its owner signs in. */
export function mustBeUnbounded(actor: Actor): void {
  if (actor.limit || actor.app !== undefined) throw fail('FORBIDDEN', { message: `${actor.name} may do only what its token was made for.`, fix: 'Sign in, or use a token without bounds.' })
}

function userOf(actor: string): string {
  return actor.replace(/^user:/, '')
}

/** What a person recognises in a list of sessions: "Firefox on Linux". */
export function browserOf({ headers }: FastifyRequest): string {
  const agent = headers['user-agent'] ?? ''
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1]?.replace('Edg', 'Edge').replace('OPR', 'Opera') ?? 'A browser'
  const system = /(Windows|Macintosh|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]?.replace('Macintosh', 'macOS')
  return `${browser}${system === undefined ? '' : ` on ${system}`}`.slice(0, longestBrowserName)
}
