/** What somebody may do, from memberships, groups and bindings: pure, computed once for each actor and kept until something changes. */
import type { AccessRule, GroupSpec, Resource, Role, RoleBindingSpec, RoleSpec, Subject, TeamSpec } from '@pavior/contract'
import type { Actor, Grant } from '../../kernel/actor.ts'
import { builtInRoles, roleOfMember } from './built-in.ts'

/** On the bindings that people made for themselves. */
export const elevationLabel = 'pavior.dev/elevation'

export type Binding = Resource<RoleBindingSpec>

export interface Directory {
  teams: Iterable<Resource<TeamSpec>>
  groups: Iterable<Resource<GroupSpec>>
  roles: Iterable<Resource<RoleSpec>>
  /** Of teams and of the platform. */
  bindings: Iterable<Binding>
}

/** One way in which somebody came to a right. */
export interface Source {
  role: string
  /** Undefined: everywhere. */
  team?: string
  /** What gave it, in words: `member of team shop`, `RoleBinding shop/ci`. */
  by: string
  /** Milliseconds since 1970. */
  expiresAt?: number
  /** Taken by oneself; it does not let anybody take the next one, or it would have no end. */
  elevation?: true
}

export interface Rights {
  admin: boolean
  roles: Map<string, Role>
  grants: Grant[]
  /** May take a higher role for a while: in these teams, or everywhere. */
  mayElevate: Set<string> | 'everywhere'
  sources: Source[]
  /** What is left when all that has an end has ended; absent when nothing has. */
  lasting?: Pick<Rights, 'admin' | 'roles' | 'grants'>
  /** When the first of them ends, in milliseconds since 1970. */
  until: number
}

type Who = { kind: 'User'; name: string } | { kind: 'ServiceAccount'; name: string; team: string }

const rank: Record<Role, number> = { viewer: 1, developer: 2, admin: 3 }

/** Found by subject, so that one actor costs what it holds and not what the platform has. */
export interface RightsIndex {
  of(who: Who, now: number): Rights
  /** What one source alone gives. */
  by(source: Source, now: number): Rights
}

export function indexRights({ teams, groups, roles, bindings }: Directory): RightsIndex {
  const custom = new Map([...roles].map((role) => [role.metadata.name, role.spec]))
  const groupsOf = new Map<string, string[]>()
  for (const { metadata, spec } of groups) for (const { user } of spec.members ?? []) push(groupsOf, user, metadata.name)
  const memberships = new Map<string, Source[]>()
  for (const { metadata: { name: team }, spec } of teams) {
    for (const { user, role } of spec.members ?? []) push(memberships, `User/${user}`, { role: roleOfMember[role], team, by: `member of team ${team}` })
    for (const { group, role } of spec.groups ?? []) push(memberships, `Group/${group}`, { role: roleOfMember[role], team, by: `group ${group} of team ${team}` })
  }
  const bound = new Map<string, Source[]>()
  for (const binding of bindings) {
    const { namespace: team, name } = binding.metadata
    if (binding.metadata.deletionTimestamp) continue
    const by = team === undefined ? `ClusterRoleBinding ${name}` : `RoleBinding ${team}/${name}`
    const source: Source = { role: binding.spec.role, ...(team === undefined ? {} : { team }), by, ...(binding.spec.expiresAt === undefined ? {} : { expiresAt: Date.parse(binding.spec.expiresAt) }), ...(binding.metadata.labels?.[elevationLabel] === 'true' ? { elevation: true } : {}) }
    for (const subject of binding.spec.subjects) push(bound, subjectKey(subject, team), source)
  }
  const sourcesOf = (who: Who): Source[] => {
    if (who.kind === 'ServiceAccount') return bound.get(`ServiceAccount/${who.team}/${who.name}`) ?? []
    const keys = [`User/${who.name}`, ...(groupsOf.get(who.name) ?? []).map((group) => `Group/${group}`)]
    return keys.flatMap((key) => [...(memberships.get(key) ?? []), ...(bound.get(key) ?? [])])
  }
  return { of: (who, now) => collect(sourcesOf(who), custom, now), by: (source, now) => collect([source], custom, now) }
}

function subjectKey({ kind, name, team }: Subject, bindingTeam: string | undefined): string {
  return kind === 'ServiceAccount' ? `ServiceAccount/${team ?? bindingTeam ?? ''}/${name}` : `${kind}/${name}`
}

function collect(sources: Source[], custom: ReadonlyMap<string, RoleSpec>, now: number): Rights {
  const rights: Rights = { admin: false, roles: new Map(), grants: [], mayElevate: new Set(), sources: [], until: Number.POSITIVE_INFINITY }
  for (const source of sources) {
    if (source.expiresAt !== undefined && source.expiresAt <= now) continue
    if (source.expiresAt !== undefined) rights.until = Math.min(rights.until, source.expiresAt)
    rights.sources.push(source)
    add(rights, source, custom)
  }
  if (rights.until !== Number.POSITIVE_INFINITY) {
    const { admin, roles, grants } = collect(sources.filter(({ expiresAt }) => expiresAt === undefined), custom, now)
    rights.lasting = { admin, roles, grants }
  }
  return rights
}

function add(rights: Rights, { role, team, elevation }: Source, custom: ReadonlyMap<string, RoleSpec>): void {
  const known = builtInRoles[role] ?? custom.get(role)
  // A binding to a role that is gone gives nothing.
  if (!known) return
  if (known.mayElevate && !elevation && rights.mayElevate !== 'everywhere') {
    if (team === undefined) rights.mayElevate = 'everywhere'
    else rights.mayElevate.add(team)
  }
  const { admin, member, scope } = { admin: undefined, member: undefined, scope: 'both', ...known } as { admin?: true; member?: Role; scope: string }
  if (scope === 'platform' && team !== undefined) return
  if (admin) rights.admin = true
  if (member !== undefined && team !== undefined) {
    if (rank[member] > rank[rights.roles.get(team) ?? 'viewer'] || !rights.roles.has(team)) rights.roles.set(team, member)
    if (known.rules.length > 0) rights.grants.push({ role, team, rules: known.rules })
  } else if (!admin) {
    rights.grants.push({ role, ...(team === undefined ? {} : { team }), ...(member === undefined ? {} : { member }), rules: known.rules })
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const found = map.get(key)
  if (found) found.push(value)
  else map.set(key, [value])
}

/** Who gives rights gives only what they hold without an end: a role for a while must not leave others behind. */
export function asGiver(actor: Actor): Actor {
  if (!actor.lasting) return actor
  const { lasting, grants: _grants, ...rest } = actor
  return { ...rest, admin: lasting.admin, roles: lasting.roles, ...(lasting.grants?.length ? { grants: lasting.grants } : {}) }
}

const everything: Grant = { role: 'platform-admin', rules: [{ verbs: ['*'], kinds: ['*', 'Audit'] }] }

/** The same actor with no more than these rules: what it holds moves into grants, so that no route takes it for more. */
export function limited(actor: Actor, limit: readonly AccessRule[]): Actor {
  const members = [...actor.roles].map(([team, member]): Grant => ({ role: roleOfMember[member], team, member, rules: [] }))
  return { ...actor, admin: false, roles: new Map(), lasting: undefined, grants: [...(actor.admin ? [everything] : []), ...members, ...(actor.grants ?? [])], limit }
}

/** Whether `now` still holds everything that `then` held; otherwise what was opened with it has to end. */
export function stillHolds(now: Actor, then: Actor): boolean {
  if (now.name !== then.name || now.app !== then.app || JSON.stringify(now.limit) !== JSON.stringify(then.limit)) return false
  if (now.admin) return true
  if (then.admin) return false
  if (![...then.roles].every(([team, role]) => rank[now.roles.get(team) ?? 'viewer'] >= rank[role] && now.roles.has(team))) return false
  const held = new Set((now.grants ?? []).map((grant) => JSON.stringify(grant)))
  return (then.grants ?? []).every((grant) => held.has(JSON.stringify(grant)))
}
