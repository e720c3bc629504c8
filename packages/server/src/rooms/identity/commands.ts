/** Writes that are not plain resource writes: tokens, login keys, the first administrator. */
import { randomBytes } from 'node:crypto'
import { fail, type AccessRule, type Role } from '@pavior/contract'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { asGiver } from './rights.ts'
import { consumeLoginKey, digestOf, insertLoginKey, insertToken, type TokenRecord } from './store.ts'

const actor = systemActor('identity')
const secretBytes = 24
const prefixLength = 10
const loginKeyLifetimeMs = 24 * 3600_000
export const longestTokenLifetimeMs = 366 * 24 * 3600_000
const loginTokenLifetimeMs = 30 * 24 * 3600_000

export interface TokenRequest {
  description: string
  username?: string
  team?: string
  role?: Role
  app?: string
  serviceAccount?: string
  bounds?: AccessRule[]
  lifetimeMs?: number
  /** For the cookie of a browser. */
  session?: boolean
  provider?: string
  providerSession?: string
}

/** The token itself is returned once and never again. */
export interface IssuedToken {
  token: string
  record: TokenRecord
}

export async function issueToken(database: Database, clock: Clock, createdBy: string, request: TokenRequest): Promise<IssuedToken> {
  const token = `pvr_${randomBytes(secretBytes).toString('base64url')}`
  const lifetimeMs = request.lifetimeMs === undefined ? undefined : Math.min(request.lifetimeMs, longestTokenLifetimeMs)
  const record = await insertToken(
    database,
    {
      id: randomBytes(8).toString('hex'),
      prefix: token.slice(0, prefixLength),
      description: request.description,
      username: request.username,
      team: request.team,
      role: request.role,
      app: request.app,
      serviceAccount: request.serviceAccount,
      bounds: request.bounds,
      provider: request.provider,
      providerSession: request.providerSession,
      createdBy,
      session: request.session ?? false,
      expiresAt: lifetimeMs === undefined ? undefined : new Date(clock.now().getTime() + lifetimeMs).toISOString(),
    },
    digestOf(token),
  )
  return { token, record }
}

/** A key for one sign-in, to be given to a person over a trusted channel. */
export async function issueLoginKey(database: Database, clock: Clock, username: string): Promise<string> {
  const key = randomBytes(secretBytes).toString('base64url')
  await insertLoginKey(database, username, digestOf(key), new Date(clock.now().getTime() + loginKeyLifetimeMs).toISOString())
  return key
}

/** The user that the key signs in, once. */
export async function redeemLoginKey(database: Database, key: string): Promise<string> {
  const username = await consumeLoginKey(database, digestOf(key))
  if (username === undefined) {
    throw fail('UNAUTHENTICATED', { message: 'The login key is not valid, was used before, or is older than a day.', fix: 'Ask an administrator for a new one: pavior users login-link <name>.' })
  }
  return username
}

/** Description of tokens that a sign-in made. */
export const signInToken = 'sign-in'

/** For the command line of somebody who has just signed in. */
export function issueLoginToken(database: Database, clock: Clock, username: string): Promise<IssuedToken> {
  return issueToken(database, clock, `user:${username}`, { description: signInToken, username, lifetimeMs: loginTokenLifetimeMs })
}

/** Who signs in, from where, and through which identity provider. */
export interface NewSession {
  username: string
  browser: string
  lifetimeMs: number
  provider?: string
  providerSession?: string
}

export function issueSession(database: Database, clock: Clock, { username, browser, ...rest }: NewSession): Promise<IssuedToken> {
  return issueToken(database, clock, `user:${username}`, { description: browser, username, ...rest, session: true })
}

/** Makes the administrator and the default team unless they exist; safe with several replicas starting at once. */
export async function ensureFoundation(resources: Resources, defaultTeam: string): Promise<void> {
  const create = async (kind: string, namespace: string, resource: Parameters<Resources['create']>[3]): Promise<void> => {
    await resources.create(actor, kind, namespace, resource).catch(ignore('ALREADY_EXISTS'))
  }
  const users = await resources.list(actor, 'User', undefined, { limit: 1 })
  if (users.items.length === 0) await create('User', '', { metadata: { name: 'admin' }, spec: { displayName: 'Administrator', admin: true } })
  if (!(await resources.get(actor, { kind: 'Team', namespace: '', name: defaultTeam }))) {
    await create('Team', '', { metadata: { name: defaultTeam }, spec: { displayName: 'Default team', members: [{ user: 'admin', role: 'admin' }] } })
  }
}

/** Who may give out which token: everyone for themselves, administrators of a team for it, platform administrators for all. */
export function checkTokenRequest(asking: Actor, request: Pick<TokenRequest, 'username' | 'team'>): void {
  const by = asGiver(asking)
  // Whoever holds a bounded token could make one without bounds.
  if (by.limit || by.app !== undefined) throw fail('FORBIDDEN', { message: `${by.name} may not make or revoke tokens with a token that has bounds.`, fix: 'Sign in, or use a token without bounds.' })
  if (by.admin) return
  if (by.kind === 'user' && request.username !== undefined && by.name === `user:${request.username}`) return
  if (by.kind === 'user' && request.team !== undefined && by.roles.get(request.team) === 'admin') return
  throw fail('FORBIDDEN', {
    message: `${by.name} may not create this token.`,
    fix: request.team === undefined ? 'Create tokens for yourself only.' : `Ask an administrator of team ${request.team}.`,
  })
}
