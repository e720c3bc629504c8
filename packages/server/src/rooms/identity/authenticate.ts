/** From a request's token to an Actor: digest lookup, then roles from the live copies of User and Team. */
import { fail, type Resource, type Role, type TeamSpec, type UserSpec, type UserStatus } from '@pavior/contract'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Mirror } from '../../kernel/resources/mirror.ts'
import { digestOf, findToken, readPassword, touchToken, type TokenRecord } from './store.ts'

/** A revoked token is refused by other replicas after this long at the latest; by this one at once. */
const tokenCacheMs = 2000
const touchIntervalMs = 60_000
const largestCache = 10_000
/** A person's last use of the platform is written at most this often. */
const seenIntervalMs = 3600_000
const system = systemActor('identity')

export interface Authenticator {
  /** Throws UNAUTHENTICATED. */
  byToken(token: string): Promise<Actor>
  /** What is kept of a token; throws UNAUTHENTICATED. */
  record(token: string): Promise<TokenRecord>
  hasPassword(username: string): Promise<boolean>
  /** Forget what was cached, after a revocation. */
  forget(): void
}

export interface AuthenticatorDeps {
  database: Database
  resources: Resources
  users: Mirror<Resource<UserSpec, UserStatus>>
  teams: Mirror<Resource<TeamSpec>>
  clock: Clock
  log: Logger
}

export function createAuthenticator({ database, resources, users, teams, clock, log }: AuthenticatorDeps): Authenticator {
  const cache = new Map<string, { record: TokenRecord; until: number }>()
  const touched = new Map<string, number>()
  /** Actors by token id, rebuilt when people or teams change. */
  let actors = new Map<string, Actor>()
  const reset = (): void => {
    actors = new Map()
  }
  users.onChange(reset)
  teams.onChange(reset)

  const lookUp = async (token: string): Promise<TokenRecord> => {
    const digest = digestOf(token)
    const key = digest.toString('base64')
    const now = clock.now().getTime()
    const cached = cache.get(key)
    if (cached && cached.until > now && !(cached.record.expiresAt && Date.parse(cached.record.expiresAt) <= now)) return cached.record
    const record = await findToken(database, digest)
    if (!record) {
      cache.delete(key)
      throw fail('UNAUTHENTICATED', { message: 'The token is not valid, has expired or was revoked.' })
    }
    if (cache.size >= largestCache) cache.clear()
    cache.set(key, { record, until: now + tokenCacheMs })
    touch(record.id, now)
    if (record.username !== undefined) see(record.username, now)
    return record
  }

  const touch = (id: string, now: number): void => {
    if ((touched.get(id) ?? 0) + touchIntervalMs > now) return
    touched.set(id, now)
    touchToken(database, id).catch(() => touched.delete(id))
  }

  /** Those whose last use is being written. */
  const seeing = new Set<string>()
  const see = (name: string, now: number): void => {
    const user = users.get('', name)
    const isFresh = ({ status }: Resource<UserSpec, UserStatus>): boolean => Date.parse(status?.lastSeenAt ?? '1970-01-01T00:00:00Z') + seenIntervalMs > now
    if (!user || user.spec.suspended || seeing.has(name) || isFresh(user)) return
    seeing.add(name)
    const lastSeenAt = new Date(now).toISOString()
    resources
      .mutate<Resource<UserSpec, UserStatus>>(system, { kind: 'User', namespace: '', name }, (current) => (isFresh(current!) ? current! : { ...current!, status: { ...current!.status, lastSeenAt } }), { subresource: 'status' })
      .catch((error: Error) => log.debug({ err: error.message, user: name }, 'when a person was seen could not be written'))
      .finally(() => seeing.delete(name))
  }

  return {
    byToken: async (token) => {
      const record = await lookUp(token)
      const known = actors.get(record.id)
      if (known) return known
      const actor = record.username === undefined ? teamActor(record) : userActor(record, users, teams)
      actors.set(record.id, actor)
      return actor
    },
    record: lookUp,
    hasPassword: async (username) => (await readPassword(database, username)) !== undefined,
    forget: () => {
      cache.clear()
      reset()
    },
  }
}

function teamActor({ id, prefix, description, team, role, app }: TokenRecord): Actor {
  return { name: `token:${description || id}`, kind: 'token', admin: false, roles: new Map([[team!, role ?? 'viewer']]), app, token: prefix }
}

function userActor({ username, prefix }: TokenRecord, users: AuthenticatorDeps['users'], teams: AuthenticatorDeps['teams']): Actor {
  const user = users.get('', username!)
  if (!user || user.metadata.deletionTimestamp) throw fail('UNAUTHENTICATED', { message: `The user "${username}" of this token does not exist any more.` })
  if (user.spec.suspended) throw fail('UNAUTHENTICATED', { message: `The user "${username}" is suspended.`, fix: 'Ask an administrator of the platform.' })
  const roles = new Map<string, Role>()
  for (const team of teams.values()) {
    const member = team.spec.members?.find((candidate) => candidate.user === username)
    if (member) roles.set(team.metadata.name, member.role)
  }
  return { name: `user:${username}`, kind: 'user', admin: user.spec.admin ?? false, roles, token: prefix }
}
