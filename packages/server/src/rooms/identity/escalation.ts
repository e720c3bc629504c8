/** Nobody gives what they do not hold: asked at every write of a resource that decides on rights. */
import { fail, verbs, type AccessRule, type Role, type RoleBindingSpec, type RoleSpec, type TeamSpec } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { KindDefinition, Verb } from '../../kernel/kind.ts'
import { auditedTeams, auditKind, mayAct } from '../../kernel/resources/index.ts'
import type { AdmissionRequest } from '../../kernel/resources/resources.ts'
import { builtInRoles } from './built-in.ts'
import { asGiver } from './rights.ts'

/** What gives rights on the whole platform is written by its administrators, whatever a role of somebody says. */
const ofThePlatform = new Set(['User', 'Group', 'Role', 'ClusterRoleBinding', 'IdentityProvider'])

export interface EscalationDeps {
  /** All kinds; asked late, because they are collected from all rooms. */
  kinds: () => readonly KindDefinition[]
  roleNamed: (name: string) => RoleSpec | undefined
}

export function refuseEscalation({ kinds, roleNamed }: EscalationDeps): (request: AdmissionRequest) => Promise<void> {
  return async ({ actor: asking, verb, kind, object, previous }) => {
    const actor = asGiver(asking)
    if (actor.kind === 'system' || actor.name.startsWith('system:') || (actor.admin && !actor.limit)) return checkRole(kind, verb, object.spec, roleNamed)
    if (ofThePlatform.has(kind.kind)) throw refused(actor, `write a ${kind.kind}`, 'It decides on rights on the whole platform.', 'Ask an administrator of the platform.')
    if (kind.kind === 'Team') checkMembers(actor, object.metadata.name, object.spec as TeamSpec, previous?.spec as TeamSpec | undefined)
    if (kind.kind !== 'RoleBinding' || verb === 'delete') return
    const spec = object.spec as RoleBindingSpec
    checkRole(kind, verb, spec, roleNamed)
    checkHolds(actor, object.metadata.namespace!, spec.role, kinds(), roleNamed)
  }
}

function checkRole(kind: KindDefinition, verb: string, spec: unknown, roleNamed: EscalationDeps['roleNamed']): void {
  if (verb !== 'create' || (kind.kind !== 'RoleBinding' && kind.kind !== 'ClusterRoleBinding')) return
  const { role } = spec as RoleBindingSpec
  if (builtInRoles[role] || roleNamed(role)) return
  throw fail('INVALID', { message: `There is no role "${role}".`, fix: `Use ${Object.keys(builtInRoles).join(', ')}, or make the Role first.`, causes: [{ field: 'spec.role', message: `Not found: "${role}"`, reason: 'FieldValueNotFound' }] })
}

function checkMembers(actor: Actor, team: string, next: TeamSpec, previous: TeamSpec | undefined): void {
  const given = [...added(next.members, previous?.members), ...added(next.groups, previous?.groups)]
  if (given.length === 0 || actor.roles.get(team) === 'admin') return
  throw refused(actor, `say who belongs to team ${team}`, `${actor.name} does not hold what it would give.`, `Ask an administrator of team ${team}.`)
}

function added<M extends { role: Role }>(next: readonly M[] = [], previous: readonly M[] = []): M[] {
  const before = new Set(previous.map((member) => JSON.stringify(member)))
  return next.filter((member) => !before.has(JSON.stringify(member)))
}

/** Every verb on every kind that the role gives in the team must be the actor's own, in the same breadth. */
export function checkHolds(actor: Actor, team: string, roleName: string, kinds: readonly KindDefinition[], roleNamed: EscalationDeps['roleNamed']): void {
  const { member, rules = [] } = (builtInRoles[roleName] ?? roleNamed(roleName) ?? {}) as { member?: Role; rules?: AccessRule[] }
  if (actor.limit === undefined && actor.roles.get(team) === 'admin' && (member !== undefined || roleName === 'auditor')) return
  const missing = (kind: string, verb: string): Error =>
    refused(actor, `give the role ${roleName} in team ${team}`, `${actor.name} may not ${verb} ${kind} there in the same breadth.`, `Ask somebody who may, for example an administrator of the platform.`)
  const spaced = kinds.filter(({ scope }) => scope === 'Namespaced')
  if (member !== undefined) {
    const above = { admin: ['admin', 'developer', 'viewer'], developer: ['developer', 'viewer'], viewer: ['viewer'] }[member] as Role[]
    for (const kind of spaced) for (const verb of new Set([...verbs.slice(0, 3), ...above.flatMap((held) => kind.access[held] ?? [])])) if (!mayAct(actor, verb, kind, team)) throw missing(kind.kind, verb)
  }
  for (const rule of rules) {
    if (rule.kinds.includes(auditKind) && auditedTeams(actor)?.includes(team) === false) throw missing(auditKind, 'read')
    const wanted = spaced.filter(({ kind }) => rule.kinds.includes('*') || rule.kinds.includes(kind))
    for (const kind of wanted) for (const verb of verbs.filter((each) => rule.verbs.includes('*') || rule.verbs.includes(each))) if (!covers(actor, verb, kind, team, rule)) throw missing(kind.kind, verb)
  }
}

/** By a right without bounds, or by the very same bounded rule. */
function covers(actor: Actor, verb: Verb, kind: KindDefinition, team: string, { names, environments, fields }: AccessRule): boolean {
  if (mayAct(actor, verb, kind, team)) return true
  const bounds = JSON.stringify([names, environments, fields])
  return (actor.grants ?? []).some((grant) => (grant.team === undefined || grant.team === team) && grant.rules.some((rule) => JSON.stringify([rule.names, rule.environments, rule.fields]) === bounds && mayAct({ ...actor, roles: new Map(), grants: [{ ...grant, rules: [{ verbs: rule.verbs, kinds: rule.kinds }] }] }, verb, kind, team)))
}

function refused(actor: Actor, what: string, why: string, fix: string): Error {
  return fail('ESCALATION_REFUSED', { message: `${actor.name} may not ${what}.`, why, fix })
}
