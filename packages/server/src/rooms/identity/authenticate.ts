/** From a request's token to an Actor: digest lookup, then roles from the live copies of User and Team. */
import { fail, type Resource, type UserSpec, type UserStatus } from '@pavior/contract'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Directories } from './directories.ts'
import { limited, type Rights, type Source } from './rights.ts'
import { digestOf, findToken, readPassword, touchToken, type TokenRecord } from './store.ts'

/** A revoked token is refused by other replicas after this long at the latest; by this one at once. */
const tokenCacheMs = 2000
const touchIntervalMs = 60_000
const largestCache = 10_000
/** A person's last use of the platform is written at most this often. */
const seenIntervalMs = 3600_000
const system = systemActor('identity')

export interface Authenticator {
  /** Throws UNAUTHENTICATED. `quiet`: it is looked at, not used, so that a session may still end for want of use. */
  byToken(token: string, options?: { quiet?: boolean }): Promise<Actor>
  /** What is kept of a token; throws UNAUTHENTICATED. */
  record(token: string): Promise<TokenRecord>
  hasPassword(username: string): Promise<boolean>
  /** What a user or a service account holds now, and by what. */
  rightsOf(who: Owner): Rights
  /** Somebody who holds this and nothing else. */
  actorBy(source: Source): Actor
  /** The actor that a user or a service account is, without any token. */
  actorOf(who: Owner): Actor
  /** Forget what was cached, after a revocation. */
  forget(): void
}

export type Owner = { kind: 'User'; name: string } | { kind: 'ServiceAccount'; team: string; name: string }

export interface AuthenticatorDeps {
  database: Database
  resources: Resources
  directories: Directories
  /** A session that nobody uses for this long ends. */
  sessionIdleMs: number
  clock: Clock
  log: Logger
}

export function createAuthenticator({ database, resources, directories, sessionIdleMs, clock, log }: AuthenticatorDeps): Authenticator {
  const cache = new Map<string, { record: TokenRecord; until: number }>()
  const touched = new Map<string, number>()
  const { users } = directories
  /** Actors by token id, rebuilt when people, teams, groups or bindings change, or when a binding ends. */
  let actors = new Map<string, { actor: Actor; until: number }>()
  const reset = (): void => {
    actors = new Map()
  }
  directories.onChange(reset)

  const lookUp = async (token: string, quiet = false): Promise<TokenRecord> => {
    const digest = digestOf(token)
    const key = digest.toString('base64')
    const now = clock.now().getTime()
    const cached = cache.get(key)
    if (cached && cached.until > now && !(cached.record.expiresAt && Date.parse(cached.record.expiresAt) <= now)) return cached.record
    const record = await findToken(database, digest, sessionIdleMs)
    if (!record) {
      cache.delete(key)
      throw fail('UNAUTHENTICATED', { message: 'The token is not valid, has expired or was revoked.' })
    }
    if (cache.size >= largestCache) cache.clear()
    cache.set(key, { record, until: now + tokenCacheMs })
    if (quiet) return record
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

  const rightsOf = (who: Owner): Rights => directories.rights().of(who, clock.now().getTime())

  const actorOf = (who: Owner): Actor => {
    const { admin, roles, grants, lasting } = rightsOf(who)
    const isAdmin = who.kind === 'User' && (users.get('', who.name)?.spec.admin ?? false)
    const held = { ...(grants.length === 0 ? {} : { grants }), ...(lasting ? { lasting: { ...lasting, admin: lasting.admin || isAdmin } } : {}) }
    if (who.kind === 'ServiceAccount') return { name: `serviceaccount:${who.team}/${who.name}`, kind: 'token', admin, roles, ...held }
    return { name: `user:${who.name}`, kind: 'user', admin: admin || isAdmin, roles, ...held }
  }

  const build = (record: TokenRecord): { actor: Actor; until: number } => {
    if (record.username === undefined && record.serviceAccount === undefined) return { actor: teamActor(record), until: Number.POSITIVE_INFINITY }
    const who: Owner = record.username === undefined ? { kind: 'ServiceAccount', team: record.team!, name: record.serviceAccount! } : { kind: 'User', name: record.username }
    mustBeActive(directories, who)
    const actor: Actor = { ...actorOf(who), token: record.prefix, ...(record.app === undefined ? {} : { app: record.app }) }
    return { actor: record.bounds ? limited(actor, record.bounds) : actor, until: rightsOf(who).until }
  }

  return {
    byToken: async (token, { quiet } = {}) => {
      const record = await lookUp(token, quiet)
      const known = actors.get(record.id)
      if (known && known.until > clock.now().getTime()) return known.actor
      const built = build(record)
      actors.set(record.id, built)
      return built.actor
    },
    record: (token) => lookUp(token),
    hasPassword: async (username) => (await readPassword(database, username)) !== undefined,
    rightsOf,
    actorBy: (source) => {
      const { admin, roles, grants } = directories.rights().by(source, clock.now().getTime())
      return { name: source.role, kind: 'user', admin, roles, grants }
    },
    actorOf,
    forget: () => {
      cache.clear()
      reset()
    },
  }
}

function teamActor({ id, prefix, description, team, role, app, bounds }: TokenRecord): Actor {
  const actor: Actor = { name: `token:${description || id}`, kind: 'token', admin: false, roles: new Map([[team!, role ?? 'viewer']]), app, token: prefix }
  return bounds ? limited(actor, bounds) : actor
}

/** Throws UNAUTHENTICATED when whoever a token belongs to is gone or may not act. */
export function mustBeActive({ users, serviceAccounts }: Pick<Directories, 'users' | 'serviceAccounts'>, who: Owner): void {
  const found = who.kind === 'User' ? users.get('', who.name) : serviceAccounts.get(who.team, who.name)
  const words = who.kind === 'User' ? `user "${who.name}"` : `service account "${who.name}" of team ${who.team}`
  if (!found || found.metadata.deletionTimestamp) throw fail('UNAUTHENTICATED', { message: `The ${words} of this token does not exist any more.` })
  if (found.spec.suspended) throw fail('UNAUTHENTICATED', { message: `The ${words} is suspended.`, fix: 'Ask an administrator of the platform.' })
}
