/** Who may do what: pure, from the actor's roles and the kind's declaration. Custom roles will join here. */
import { fail, type Role } from '@pavior/contract'
import type { Actor } from '../actor.ts'
import type { KindDefinition, Verb } from '../kind.ts'

const reading = new Set<Verb>(['get', 'list', 'watch'])

/** Resources of an app carry its name here, or are the App itself. */
export function appOf(kind: string, name: string, spec: unknown): string | undefined {
  if (kind === 'App') return name
  const app = (spec as { app?: unknown } | undefined)?.app
  return typeof app === 'string' ? app : undefined
}

export function mayAct(actor: Actor, verb: Verb, kind: KindDefinition, namespace: string): boolean {
  if (actor.admin) return true
  if (kind.scope === 'Cluster') return reading.has(verb)
  const role = actor.roles.get(namespace)
  if (!role) return false
  if (reading.has(verb)) return true
  return rolesAbove(role).some((held) => kind.access[held]?.includes(verb))
}

/** An administrator may do what a developer may, and a developer what a viewer may. */
function rolesAbove(role: Role): Role[] {
  if (role === 'admin') return ['admin', 'developer', 'viewer']
  return role === 'developer' ? ['developer', 'viewer'] : ['viewer']
}

export function authorize(actor: Actor, verb: Verb, kind: KindDefinition, namespace: string, name: string): void {
  if (mayAct(actor, verb, kind, namespace)) return
  const place = kind.scope === 'Namespaced' ? ` in team ${namespace}` : ''
  const role = actor.roles.get(namespace)
  const needed = (['viewer', 'developer', 'admin'] as const).find((candidate) => reading.has(verb) || rolesAbove(candidate).some((held) => kind.access[held]?.includes(verb)))
  throw fail('FORBIDDEN', {
    message: `${actor.name} may not ${verb} ${kind.plural}${name ? ` "${name}"` : ''}${place}.`,
    why: kind.scope === 'Namespaced' ? `${actor.name} ${role ? `is ${role}` : 'has no role'} there.` : 'Only an administrator of the platform may.',
    fix: kind.scope === 'Namespaced' && needed ? `Ask an administrator of team ${namespace} for the role ${needed}.` : 'Ask an administrator of the platform.',
  })
}

/** Teams that the actor may list over; undefined for all. */
export function readableNamespaces(actor: Actor, kind: KindDefinition): string[] | undefined {
  return actor.admin || kind.scope === 'Cluster' ? undefined : [...actor.roles.keys()]
}
