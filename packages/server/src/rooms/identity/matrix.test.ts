/** Least privilege, written down: every kind, every verb, every built-in role, and some custom ones. */
import type { AccessRule, Resource, Role } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Actor } from '../../kernel/actor.ts'
import type { KindDefinition, Verb } from '../../kernel/kind.ts'
import { auditedTeams, mayAct, readableNamespaces } from '../../kernel/resources/authorize.ts'
import * as catalog from '../catalog/index.ts'
import * as delivery from '../delivery/index.ts'
import * as policy from '../policy/index.ts'
import * as release from '../release/index.ts'
import * as routing from '../routing/index.ts'
import * as runtime from '../runtime/index.ts'
import { builtInRoles } from './built-in.ts'
import * as identity from './index.ts'
import { indexRights, limited, stillHolds, type Binding } from './rights.ts'

const kinds = [identity, catalog, delivery, policy, release, runtime, routing].flatMap((room): KindDefinition[] => room.kinds)
const verbs: Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'approve', 'override']
const reading = ['get', 'list', 'watch']
const cud = ['create', 'update', 'patch', 'delete']

/** What developers and owners of a team may write there, by kind; a kind that is missing here is written by nobody in a team. */
const written: Record<string, { developer?: string[]; owner?: string[] }> = {
  App: { developer: cud },
  Build: { developer: ['create', 'update', 'patch'] },
  Deployment: { developer: ['create', 'update', 'patch', 'approve'], owner: ['override'] },
  Template: { developer: ['update', 'patch', 'delete'] },
  TemplateRun: { developer: ['update', 'patch', 'delete'] },
  PolicyException: { developer: ['create', 'delete'], owner: ['approve'] },
  Environment: { owner: cud },
  Freeze: { owner: cud },
  ScorecardExemption: { owner: cud },
  RoleBinding: { owner: cud },
  ServiceAccount: { owner: cud },
}

const binding = (role: string, team: string | undefined, expiresAt?: string): Binding =>
  ({ metadata: { name: 'b', ...(team === undefined ? {} : { namespace: team }) }, spec: { role, subjects: [{ kind: 'User', name: 'ada' }], ...(expiresAt ? { expiresAt } : {}) } }) as Binding

const custom = (rules: AccessRule[]): Resource<{ rules: AccessRule[] }> => ({ metadata: { name: 'custom' }, spec: { rules } }) as never

function actorWith(bindings: Binding[], rules: AccessRule[] = [], now = 0): Actor {
  const { admin, roles, grants } = indexRights({ teams: [], groups: [], roles: rules.length > 0 ? [custom(rules)] : [], bindings }).of({ kind: 'User', name: 'ada' }, now)
  return { name: 'user:ada', kind: 'user', admin, roles, ...(grants.length > 0 ? { grants } : {}) }
}

/** What somebody may do with a resource of a team, by the words of the table. */
function expected(role: string, kind: KindDefinition): string[] {
  if (role === 'platform-admin') return verbs
  if (kind.scope === 'Cluster') return reading
  const { developer = [], owner = [] } = written[kind.kind] ?? {}
  if (role === 'team-owner') return [...reading, ...developer, ...owner]
  if (role === 'developer') return [...reading, ...developer]
  if (role === 'viewer' || role === 'auditor' || role === 'on-call') return reading
  return []
}

const may = (actor: Actor, kind: KindDefinition, team = 'shop'): string[] => verbs.filter((verb) => mayAct(actor, verb, kind, kind.scope === 'Cluster' ? '' : team))

test('the table names only kinds that there are, and every kind that somebody in a team may write', () => {
  expect(Object.keys(written).filter((name) => !kinds.some(({ kind }) => kind === name))).toEqual([])
  expect(kinds.filter(({ access, scope }) => scope === 'Namespaced' && Object.values(access).some((list) => list.length > 0)).map(({ kind }) => kind).toSorted()).toEqual(Object.keys(written).toSorted())
})

describe.each(kinds)('$kind', (kind) => {
  test.each(Object.keys(builtInRoles))('%s, bound in the team or everywhere', (role) => {
    const bound = builtInRoles[role]!.scope === 'platform' ? [undefined] : [undefined, 'shop']
    for (const team of bound) expect(may(actorWith([binding(role, team)]), kind).toSorted(), `bound ${team ?? 'everywhere'}`).toEqual(expected(role, kind).toSorted())
  })

  test('nothing in another team, nothing with no role, nothing after the end of a binding', () => {
    const nothing = kind.scope === 'Cluster' ? reading : []
    expect(may(actorWith([]), kind)).toEqual(nothing)
    for (const role of Object.keys(builtInRoles)) {
      if (builtInRoles[role]!.scope !== 'platform') expect(may(actorWith([binding(role, 'other')]), kind)).toEqual(nothing)
      expect(may(actorWith([binding(role, undefined, '2026-01-01T00:00:00Z')], [], Date.parse('2026-01-01T00:00:00Z')), kind)).toEqual(nothing)
    }
  })

  test('members have what they always had', () => {
    for (const [member, role] of [['admin', 'team-owner'], ['developer', 'developer'], ['viewer', 'viewer']] as [Role, string][]) {
      const actor: Actor = { name: 'user:ada', kind: 'user', admin: false, roles: new Map([['shop', member]]) }
      expect(may(actor, kind).toSorted()).toEqual(expected(role, kind).toSorted())
    }
  })
})

const kindNamed = (name: string): KindDefinition => kinds.find(({ kind }) => kind === name)!

test('a custom role gives what it says, by name and by environment, and a change leads nowhere else', () => {
  const actor = actorWith([binding('custom', 'shop')], [{ verbs: ['update', 'delete'], kinds: ['App'], names: ['checkout', 'web-*'] }, { verbs: ['create', 'patch'], kinds: ['Deployment'], environments: ['staging'] }])
  const [app, deployment] = [kindNamed('App'), kindNamed('Deployment')]
  expect(['checkout', 'web-shop', 'webshop', undefined].map((name) => mayAct(actor, 'update', app, 'shop', { name }))).toEqual([true, true, false, false])
  expect(may(actor, app)).toEqual([])
  const staging = { app: 'checkout', environment: 'staging' }
  const production = { app: 'checkout', environment: 'production' }
  expect(mayAct(actor, 'create', deployment, 'shop', { name: 'd', spec: staging })).toBe(true)
  expect(mayAct(actor, 'create', deployment, 'shop', { name: 'd', spec: production })).toBe(false)
  expect(mayAct(actor, 'patch', deployment, 'shop', { name: 'd', spec: staging, next: staging })).toBe(true)
  expect(mayAct(actor, 'patch', deployment, 'shop', { name: 'd', spec: staging, next: production })).toBe(false)
  expect(mayAct(actor, 'patch', deployment, 'shop', { name: 'd', spec: production, next: staging })).toBe(false)
  expect(mayAct(actor, 'create', deployment, 'other', { name: 'd', spec: staging })).toBe(false)
})

test('on call: restarts, scales, rolls back and aborts, and deploys nothing new', () => {
  const actor = actorWith([binding('on-call', 'shop')])
  const [app, deployment] = [kindNamed('App'), kindNamed('Deployment')]
  const spec = { scale: { production: { web: 1 } }, builder: 'node' }
  expect(mayAct(actor, 'patch', app, 'shop', { name: 'a', spec, next: { ...spec, scale: { production: { web: 3 } } } })).toBe(true)
  expect(mayAct(actor, 'patch', app, 'shop', { name: 'a', spec, next: { ...spec, restart: { production: 'now' } } })).toBe(true)
  expect(mayAct(actor, 'patch', app, 'shop', { name: 'a', spec, next: { ...spec, builder: 'python' } })).toBe(false)
  expect(mayAct(actor, 'delete', app, 'shop', { name: 'a', spec })).toBe(false)
  expect(mayAct(actor, 'create', deployment, 'shop', { name: 'd', spec: { release: 2, rollbackTo: true } })).toBe(true)
  expect(mayAct(actor, 'create', deployment, 'shop', { name: 'd', spec: { release: 3 } })).toBe(false)
  expect(mayAct(actor, 'patch', deployment, 'shop', { name: 'd', spec: { release: 3 }, next: { release: 3, canceled: true } })).toBe(true)
})

test('a role that one took lets nobody take the next one, and does not count as held without an end', () => {
  const taken = { ...binding('team-owner', 'shop', '2030-01-01T00:00:00Z'), metadata: { name: 'e', namespace: 'shop', labels: { 'pavior.dev/elevation': 'true' } } } as unknown as Binding
  const { mayElevate, lasting, roles } = indexRights({ teams: [], groups: [], roles: [], bindings: [taken] }).of({ kind: 'User', name: 'ada' }, 0)
  expect([roles.get('shop'), lasting?.roles.get('shop'), mayElevate]).toEqual(['admin', undefined, new Set()])
})

test('the audit is for administrators, auditors and roles that name it', () => {
  expect(auditedTeams(actorWith([binding('auditor', undefined)]))).toBeUndefined()
  expect(auditedTeams(actorWith([binding('auditor', 'shop')]))).toEqual(['shop'])
  expect(auditedTeams(actorWith([binding('team-owner', 'shop')]))).toEqual(['shop'])
  expect(auditedTeams(actorWith([binding('developer', 'shop')]))).toEqual([])
  expect(auditedTeams(actorWith([binding('custom', 'shop')], [{ verbs: ['*'], kinds: ['*'] }]))).toEqual([])
})

const arbitraryRule: fc.Arbitrary<AccessRule> = fc.record(
  {
    verbs: fc.subarray([...verbs, '*'] as AccessRule['verbs'], { minLength: 1 }),
    kinds: fc.subarray(['*', 'App', 'Deployment', 'Team', 'User', 'Role'], { minLength: 1 }),
    names: fc.option(fc.subarray(['one', 'two*'], { minLength: 1 }), { nil: undefined }),
    environments: fc.option(fc.subarray(['staging', 'production'], { minLength: 1 }), { nil: undefined }),
  },
  { requiredKeys: ['verbs', 'kinds'] },
)
const arbitraryBinding = fc.record({ role: fc.constantFrom('custom', ...Object.keys(builtInRoles)), team: fc.constantFrom(undefined, 'shop', 'other') }).map(({ role, team }) => binding(role, team))
const arbitraryAsk = fc.record({ verb: fc.constantFrom(...verbs), kind: fc.constantFrom(...kinds), team: fc.constantFrom('shop', 'other'), name: fc.constantFrom('one', 'two-b'), environment: fc.constantFrom('staging', 'production') })

test('a bounded token never has more than its owner, nor more than its bounds; and never lists where it may not', () => {
  fc.assert(
    fc.property(fc.array(arbitraryBinding, { maxLength: 4 }), fc.array(arbitraryRule, { minLength: 1, maxLength: 3 }), fc.array(arbitraryRule, { minLength: 1, maxLength: 3 }), arbitraryAsk, (bindings, rules, bounds, { verb, kind, team, name, environment }) => {
      const owner = actorWith(bindings, rules)
      const token = limited(owner, bounds)
      const namespace = kind.scope === 'Cluster' ? '' : team
      const about = { name, spec: { environment } }
      if (!mayAct(token, verb, kind, namespace, about)) return
      expect(mayAct(owner, verb, kind, namespace, about)).toBe(true)
      expect(bounds.some((rule) => rule.verbs.includes(verb) || rule.verbs.includes('*'))).toBe(true)
      for (const listed of readableNamespaces(token, kind) ?? []) expect(mayAct(token, 'list', kind, listed)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('what is taken away is noticed, what is added is not', () => {
  fc.assert(
    fc.property(fc.array(arbitraryBinding, { maxLength: 4 }), fc.array(arbitraryBinding, { maxLength: 3 }), arbitraryAsk, (kept, more, { verb, kind, team }) => {
      const [less, all] = [actorWith(kept), actorWith([...kept, ...more])]
      expect(stillHolds(all, less)).toBe(true)
      const namespace = kind.scope === 'Cluster' ? '' : team
      if (mayAct(all, verb, kind, namespace) && !mayAct(less, verb, kind, namespace)) expect(stillHolds(less, all)).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('a decision takes microseconds', () => {
  const actor = actorWith(Array.from({ length: 20 }, (_, index) => binding('custom', `team-${index}`)).concat(binding('on-call', 'shop')), [{ verbs: ['get'], kinds: ['App'], names: ['a*'] }])
  const kind = kindNamed('Deployment')
  const rounds = 100_000
  const began = process.hrtime.bigint()
  for (let round = 0; round < rounds; round++) mayAct(actor, 'create', kind, 'shop', { name: 'd', spec: { rollbackTo: true } })
  expect(Number(process.hrtime.bigint() - began) / rounds / 1000).toBeLessThan(20)
})
