/** What the caller may do, as the review objects of Kubernetes: `kubectl auth can-i`, `auth can-i --list`, `auth whoami`. */
import { apiGroup } from '@pavior/contract'
import type { Actor } from '../actor.ts'
import type { KindDefinition, KindRegistry, Verb } from '../kind.ts'
import type { About } from '../resources/authorize.ts'
import { resourcesOf, verbsAllowed } from './discovery.ts'

export type Authorize = (actor: Actor, verb: Verb, kind: KindDefinition, namespace: string, about?: About) => boolean

const verbs: Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']

export interface ResourceAttributes {
  namespace?: string
  verb?: string
  group?: string
  resource?: string
  name?: string
}

export interface AccessReview {
  resourceAttributes?: ResourceAttributes
  nonResourceAttributes?: { path?: string; verb?: string }
}

/** Whether the actor may, with the reason in one sentence. */
export function reviewAccess(
  actor: Actor,
  { resourceAttributes, nonResourceAttributes }: AccessReview,
  kinds: KindRegistry,
  authorize: Authorize,
): { allowed: boolean; reason: string } {
  if (nonResourceAttributes)
    return { allowed: nonResourceAttributes.verb === 'get' || actor.admin, reason: 'Whoever is signed in may read what is no resource.' }
  const { namespace = '', verb = '', group = apiGroup, resource = '', name } = resourceAttributes ?? {}
  const wanted = wantedVerbs(verb)
  const subjects = resource === '*' ? kinds.all : [kinds.byPlural(resource)].filter((kind) => kind !== undefined)
  if (group !== apiGroup && group !== '*') return reviewForeign(actor, group, verb, resource, kinds)
  if (subjects.length === 0 || wanted.length === 0) return { allowed: false, reason: `There is no ${verb} of ${resource}.` }
  const allowed = subjects.every((kind) =>
    wanted.every((one) => authorize(actor, one, kind, kind.scope === 'Namespaced' ? namespace : '', name ? { name } : undefined)),
  )
  const place = namespace ? ` in team ${namespace}` : ''
  return { allowed, reason: `${actor.name} ${allowed ? 'may' : 'may not'} ${verb} ${resource}${place}.` }
}

function wantedVerbs(verb: string): Verb[] {
  if (verb === '*') return verbs
  if (verb === 'deletecollection') return ['delete']
  return verbs.filter((known) => known === verb)
}

/** Namespaces, events and the reviews themselves: read by everybody who is signed in. */
function reviewForeign(
  actor: Actor,
  group: string,
  verb: string,
  resource: string,
  kinds: KindRegistry,
): { allowed: boolean; reason: string } {
  const offered = resourcesOf(group, kinds)?.find(({ name }) => name === resource)?.verbs ?? []
  const allowed = offered.includes(verb)
  return { allowed, reason: allowed ? `${actor.name} may ${verb} ${resource}.` : `There is no ${verb} of ${resource}.` }
}

export interface ResourceRule {
  verbs: string[]
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
}

/** Everything that the actor may do in a namespace. */
export function rulesFor(actor: Actor, namespace: string, kinds: KindRegistry, authorize: Authorize): ResourceRule[] {
  const rules = kinds.all.flatMap((kind): ResourceRule[] => {
    const allowed = verbsAllowed((verb) => authorize(actor, verb, kind, kind.scope === 'Namespaced' ? namespace : ''))
    if (allowed.length === 0) return []
    return [{ verbs: allowed, apiGroups: [apiGroup], resources: kind.status ? [kind.plural, `${kind.plural}/status`] : [kind.plural] }]
  })
  const foreign = ['', 'events.k8s.io', 'authorization.k8s.io', 'authentication.k8s.io'].flatMap((group) =>
    (resourcesOf(group, kinds) ?? []).map(({ name, verbs: offered }) => ({ verbs: offered, apiGroups: [group], resources: [name] })),
  )
  return [...rules, ...foreign]
}

/** Who the actor is, as `kubectl auth whoami` shows it. */
export function userInfo({ name, kind, admin, roles, grants = [] }: Actor): { username: string; groups: string[] } {
  const groups = [...[...roles].map(([team, role]) => `team:${team}:${role}`), ...grants.map(({ team, role }) => (team === undefined ? `role:${role}` : `team:${team}:${role}`))]
  return { username: name, groups: ['system:authenticated', `pavior:${kind}s`, ...(admin ? ['pavior:administrators'] : []), ...groups] }
}
