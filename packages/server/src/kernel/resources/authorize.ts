/**
 * Who may do what: pure, from the actor's roles and grants and the kind's declaration. The one place that decides; the API,
 * kubectl's access reviews, `pavior auth can-i` and every route ask here.
 */
import { isDeepStrictEqual } from 'node:util'
import { fail, type AccessRule, type Role } from '@pavior/contract'
import type { Actor, Grant } from '../actor.ts'
import type { KindDefinition, Verb } from '../kind.ts'

const reading = new Set<Verb>(['get', 'list', 'watch'])

/** What is known of the one resource that is acted on. */
export interface About {
  name?: string
  /** As it is, or as it shall be where there is none yet. */
  spec?: unknown
  /** As it shall be after a change. */
  next?: unknown
}

/** Resources of an app carry its name here, or are the App itself. */
export function appOf(kind: string, name: string, spec: unknown): string | undefined {
  return kind === 'App' ? name : textOf(spec, 'app')
}

/** Resources of an environment carry its name here, or are the Environment itself. */
export function environmentOf(kind: string, name: string | undefined, spec: unknown): string | undefined {
  return kind === 'Environment' ? name : textOf(spec, 'environment')
}

function textOf(spec: unknown, field: string): string | undefined {
  const value = (spec as Record<string, unknown> | undefined)?.[field]
  return typeof value === 'string' ? value : undefined
}

/** `about` is what the resource is; rules for names, environments and fields allow nothing without it. */
export function mayAct(actor: Actor, verb: Verb, kind: KindDefinition, namespace: string, about?: About): boolean {
  if (actor.limit && !actor.limit.some((rule) => allows(rule, verb, kind.kind, about))) return false
  if (actor.admin) return true
  if (kind.scope === 'Cluster' && reading.has(verb)) return true
  if (kind.scope === 'Namespaced' && asMember(actor.roles.get(namespace), verb, kind)) return true
  return actor.grants?.some((grant) => gives(grant, verb, kind, namespace, about)) ?? false
}

/** Whether some resource of the kind may be acted on; which one is not known yet. */
export function mayActOnSome(actor: Actor, verb: Verb, kind: KindDefinition, namespace: string, name: string): boolean {
  if (!actor.grants && !actor.limit) return mayAct(actor, verb, kind, namespace)
  const wide = ({ environments: _e, fields: _f, ...rule }: AccessRule): AccessRule => rule
  const widened = (actor.grants ?? []).map((grant) => ({ ...grant, rules: grant.rules.map(wide) }))
  return mayAct({ ...actor, grants: widened, ...(actor.limit ? { limit: actor.limit.map(wide) } : {}) }, verb, kind, namespace, { name })
}

function asMember(role: Role | undefined, verb: Verb, kind: KindDefinition): boolean {
  if (!role) return false
  return reading.has(verb) || rolesAbove(role).some((held) => kind.access[held]?.includes(verb))
}

function gives({ team, member, rules }: Grant, verb: Verb, kind: KindDefinition, namespace: string, about: About | undefined): boolean {
  if (team !== undefined && (kind.scope === 'Cluster' || team !== namespace)) return false
  if (kind.scope === 'Namespaced' && asMember(member, verb, kind)) return true
  return rules.some((rule) => allows(rule, verb, kind.kind, about))
}

function allows({ verbs, kinds, names, environments, fields }: AccessRule, verb: Verb, kind: string, about: About | undefined): boolean {
  if (!verbs.includes(verb) && !verbs.includes('*')) return false
  if (!kinds.includes(kind) && !(kinds.includes('*') && kind !== auditKind)) return false
  if (names && !names.some((name) => named(name, about?.name))) return false
  if (environments && !inEnvironments(environments, kind, about)) return false
  return fields === undefined || reading.has(verb) || touchesOnly(fields, verb, about)
}

function named(wanted: string, name: string | undefined): boolean {
  if (name === undefined || name === '') return false
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted
}

/** A change must not lead out of the environments either. */
function inEnvironments(environments: readonly string[], kind: string, about: About | undefined): boolean {
  const states = about?.next === undefined ? [about?.spec] : [about.spec ?? about.next, about.next]
  return states.every((spec) => {
    const environment = environmentOf(kind, about?.name, spec)
    return environment !== undefined && environments.includes(environment)
  })
}

function touchesOnly(fields: readonly string[], verb: Verb, about: About | undefined): boolean {
  const before = (about?.spec ?? {}) as Record<string, unknown>
  if (verb === 'create') return fields.every((field) => before[field] !== undefined)
  if (verb === 'delete' || about?.next === undefined) return false
  const after = about.next as Record<string, unknown>
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].every((field) => fields.includes(field) || isDeepStrictEqual(before[field], after[field]))
}

/** An administrator may do what a developer may, and a developer what a viewer may. */
function rolesAbove(role: Role): Role[] {
  if (role === 'admin') return ['admin', 'developer', 'viewer']
  return role === 'developer' ? ['developer', 'viewer'] : ['viewer']
}

/** Throws FORBIDDEN with who can help. */
export function authorize(actor: Actor, verb: Verb, kind: KindDefinition, namespace: string, about?: About): void {
  if (!mayAct(actor, verb, kind, namespace, about)) throw forbidden(actor, verb, kind, namespace, about?.name)
}

/** The refusal, in the words of who asks. */
export function forbidden(actor: Actor, verb: Verb, kind: KindDefinition, namespace: string, name: string | undefined): Error {
  const place = kind.scope === 'Namespaced' ? ` in team ${namespace}` : ''
  const needed = (['viewer', 'developer', 'admin'] as const).find((candidate) => asMember(candidate, verb, kind))
  return fail('FORBIDDEN', {
    message: `${actor.name} may not ${verb} ${kind.plural}${name ? ` "${name}"` : ''}${place}.`,
    why: actor.limit ? 'The token in use may do only what it was made for.' : kind.scope === 'Namespaced' ? `${actor.name} ${held(actor, namespace)} there.` : 'Only an administrator of the platform may.',
    fix: kind.scope === 'Namespaced' && needed ? `Ask an administrator of team ${namespace} for the role ${needed}.` : 'Ask an administrator of the platform.',
  })
}

function held({ roles, grants = [] }: Actor, team: string): string {
  const names = [roles.get(team), ...grants.filter((grant) => grant.team === undefined || grant.team === team).map(({ role }) => role)].filter((name) => name !== undefined)
  return names.length === 0 ? 'has no role' : `is ${[...new Set(names)].join(' and ')}`
}

/** Teams that the actor may list over; undefined for all. */
export function readableNamespaces(actor: Actor, kind: KindDefinition): string[] | undefined {
  if (kind.scope === 'Cluster') return undefined
  return teamsWhere(actor, kind.kind, 'list')
}

/** Teams that the actor may look into, for views over more than one kind; undefined for all. */
export function readableTeams(actor: Actor): string[] | undefined {
  return teamsWhere(actor, 'App', 'get')
}

/** The audit is read where one is administrator, and by those whose role names it. It is no kind, so that * does not give it. */
export const auditKind = 'Audit'

/** Teams whose audit the actor may read; undefined for all, and for what belongs to no team. */
export function auditedTeams(actor: Actor): string[] | undefined {
  if (actor.limit && !actor.limit.some((rule) => allows(rule, 'get', auditKind, undefined))) return []
  if (actor.admin) return undefined
  const grants = actor.grants?.filter(({ member, rules }) => member === 'admin' || rules.some((rule) => allows(rule, 'get', auditKind, undefined))) ?? []
  if (grants.some(({ team }) => team === undefined)) return undefined
  const own = [...actor.roles].flatMap(([team, role]) => (role === 'admin' ? [team] : []))
  return [...new Set([...own, ...grants.flatMap(({ team }) => team ?? [])])]
}

function teamsWhere(actor: Actor, kind: string, verb: Verb): string[] | undefined {
  if (actor.limit && !actor.limit.some((rule) => allows(rule, verb, kind, undefined))) return []
  if (actor.admin) return undefined
  if (!actor.grants) return [...actor.roles.keys()]
  const giving = actor.grants.filter(({ member, rules }) => member !== undefined || rules.some((rule) => allows(rule, verb, kind, undefined)))
  if (giving.some(({ team }) => team === undefined)) return undefined
  return [...new Set([...actor.roles.keys(), ...giving.map(({ team }) => team!)])]
}
