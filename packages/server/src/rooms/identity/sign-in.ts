/** Sign-in of people: with the key of a login link or with a password, for a browser (cookie) or for the command line (token). */
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { RateLimiter, tooMany } from '../../kernel/api/limits.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Authenticator } from './authenticate.ts'
import { issueLoginToken, issueSession, redeemLoginKey, sessionLifetimeMs } from './commands.ts'
import { longestPassword, passwordMatches, setPassword } from './passwords.ts'
import { csrfValue, sameOrigin, sessionCookie, sessionToken } from './session.ts'
import { endSessions, revokeToken } from './store.ts'

const name = Type.String({ minLength: 1, maxLength: 40 })
const password = Type.String({ maxLength: longestPassword })
const keyRequest = Compile(Type.Object({ key: Type.String({ maxLength: 200 }) }, { additionalProperties: false }))
const passwordRequest = Compile(Type.Object({ username: name, password }, { additionalProperties: false }))
const passwordChange = Compile(Type.Object({ current: Type.Optional(password), password }, { additionalProperties: false }))

/** Guesses at one name, over time and at once, from wherever they come. */
const guessesPerSecond = 1 / 30
const guessBurst = 10
const longestBrowserName = 60

export interface SignInDeps {
  database: Database
  authenticator: Authenticator
  clock: Clock
  publicUrl: () => string
}

export function signInRoutes({ database, authenticator, clock, publicUrl }: SignInDeps): Routes {
  const guesses = new RateLimiter(guessesPerSecond, guessBurst, clock)

  const matches = async (username: string, given: string): Promise<boolean> => {
    const wait = guesses.take(username)
    if (wait !== undefined) throw tooMany(`Too many passwords were tried for "${username}".`, wait)
    return passwordMatches(database, username, given)
  }

  const who = async (body: unknown): Promise<string> => {
    if (keyRequest.Check(body)) return redeemLoginKey(database, body.key)
    if (!passwordRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'Sign-in needs { "key" } of a login link, or { "username", "password" }.' })
    if (await matches(body.username, body.password)) return body.username
    throw fail('UNAUTHENTICATED', { message: 'The name or the password is not right.', fix: 'Try again, or ask an administrator for a login link.' })
  }

  const setCookie = (request: FastifyRequest, reply: FastifyReply, token: string | undefined): void => {
    const secure = request.protocol === 'https' || publicUrl().startsWith('https:')
    void reply.header('set-cookie', sessionCookie(token, { secure, lifetimeSeconds: sessionLifetimeMs / 1000 }))
  }

  return (app: FastifyInstance) => {
    app.addHook('onSend', async (_request, reply) => {
      void reply.header('cache-control', 'no-store')
    })

    app.post('/v1/login', { config: { public: true } }, async ({ body }) => {
      const username = await who(body)
      const { token, record } = await issueLoginToken(database, clock, username)
      return { token, user: username, expiresAt: record.expiresAt }
    })

    app.post('/v1/session', { config: { public: true } }, async (request, reply) => {
      // Another site must not sign somebody in as somebody else.
      if (!sameOrigin(request)) throw fail('CSRF_REFUSED', { message: 'The sign-in was sent by a page of another site.' })
      const username = await who(request.body)
      const { token, record } = await issueSession(database, clock, username, browserOf(request))
      // Throws for a user who is suspended or gone.
      await authenticator.byToken(token)
      setCookie(request, reply, token)
      reply.code(201)
      return { user: username, csrf: csrfValue(token), expiresAt: record.expiresAt }
    })

    app.get('/v1/session', async ({ actor, headers }) => {
      const token = sessionToken({ headers })
      return { user: userOf(actor.name), name: actor.name, admin: actor.admin, roles: Object.fromEntries(actor.roles), ...(token === undefined ? {} : { csrf: csrfValue(token) }) }
    })

    app.delete('/v1/session', async (request, reply) => {
      const token = sessionToken(request)
      if (token !== undefined) {
        await revokeToken(database, (await authenticator.record(token)).id)
        authenticator.forget()
      }
      setCookie(request, reply, undefined)
      return { signedOut: true }
    })

    app.put<{ Params: { name: string } }>('/v1/users/:name/password', async ({ actor, params, body }) => {
      if (!passwordChange.Check(body)) throw fail('BAD_REQUEST', { message: 'A change of password needs { "password" }, and { "current" } of who has one.' })
      const own = userOf(actor.name) === params.name && actor.kind === 'user'
      if (!own && !actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not set the password of "${params.name}".` })
      // Who asks is known, so this is no 401: it would sign them out.
      if (own && (await authenticator.hasPassword(params.name)) && !(await matches(params.name, body.current ?? ''))) throw fail('PASSWORD_WRONG', 'The current password is not right.')
      await setPassword(database, params.name, body.password)
      // Whoever knew the old password is out, wherever it was.
      await endSessions(database, params.name, own ? actor.token : undefined)
      authenticator.forget()
      return { user: params.name, changed: true }
    })
  }
}

function userOf(actor: string): string {
  return actor.replace(/^user:/, '')
}

/** What a person recognises in a list of sessions: "Firefox on Linux". */
function browserOf({ headers }: FastifyRequest): string {
  const agent = headers['user-agent'] ?? ''
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1]?.replace('Edg', 'Edge').replace('OPR', 'Opera') ?? 'A browser'
  const system = /(Windows|Macintosh|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]?.replace('Macintosh', 'macOS')
  return `${browser}${system === undefined ? '' : ` on ${system}`}`.slice(0, longestBrowserName)
}
