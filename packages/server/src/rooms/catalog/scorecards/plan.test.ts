import type { ScorecardExemptionSpec, ScorecardSpec } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { problemOf } from '../../../kernel/cel.ts'
import { productionReadiness } from './builtin.ts'
import { factsOf, judge, measures, type FactSources } from './plan.ts'

const now = new Date('2026-06-01T00:00:00Z')
const metadata = (name: string, namespace?: string) => ({ name, ...(namespace ? { namespace } : {}), uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-05-01T00:00:00Z' })
const scorecard = (spec: ScorecardSpec) => ({ apiVersion: 'pavior.dev/v1', kind: 'Scorecard', metadata: metadata('s'), spec })
const app = (spec: FactSources['app']['spec'] = {}, status: FactSources['app']['status'] = {}) => ({ apiVersion: 'pavior.dev/v1', kind: 'App', metadata: metadata('shop', 'blue'), spec, status })
const bare: FactSources = { app: app(), tiers: {}, release: undefined, deployments: [], entity: undefined, template: null, docs: { pages: 0, readme: false, newest: undefined }, now }

const deployment = (phase: 'Succeeded' | 'Failed', finishedAt: string): FactSources['deployments'][number] => ({ apiVersion: 'pavior.dev/v1', kind: 'Deployment', metadata: metadata('d', 'blue'), spec: { app: 'shop', environment: 'production', release: 1 }, status: { phase, finishedAt } })

const ready: FactSources = {
  ...bare,
  app: app({ description: 'Sells things to people.', env: { LOG_LEVEL: 'info' }, scale: { live: { web: 3 } } }, { environments: { live: { release: 4 } } }),
  tiers: { live: 'production' },
  release: { apiVersion: 'pavior.dev/v1', kind: 'Release', metadata: metadata('shop-v4', 'blue'), spec: { app: 'shop', version: 4, environment: 'live', artifact: `sha256:${'0'.repeat(64)}`, env: {}, processes: { web: { command: 'node .', health: { path: '/healthz' } } }, revision: { type: 'git', source: `sha256:${'0'.repeat(64)}` }, toolchain: { name: 'node', version: '20.20.2', asked: '20' } } },
  deployments: [deployment('Failed', '2026-05-20T00:00:00Z'), deployment('Succeeded', '2026-05-30T00:00:00Z'), ...Array.from({ length: 5 }, () => deployment('Succeeded', '2026-05-10T00:00:00Z'))],
  entity: { declared: true, drift: 0, owner: 'group:default/payments', undeclared: [] },
  template: { name: 'default/node', version: '1.0.0', behind: 0 },
  docs: { pages: 2, readme: true, newest: new Date('2026-04-01T00:00:00Z') },
}

describe('the scorecard that is there from the beginning', () => {
  test('has rules that can be read', () => {
    for (const { expression } of productionReadiness.spec.rules) expect(problemOf(expression)).toBeUndefined()
  })

  test('is kept whole by an app that has everything', () => {
    const result = judge(scorecard(productionReadiness.spec), factsOf(ready), [], now)
    expect(result.rules.filter(({ outcome }) => outcome !== 'kept')).toEqual([])
    expect(result).toMatchObject({ level: 'gold', score: 100 })
    expect(result.next).toBeUndefined()
  })

  test('never counts what nobody knows as kept', () => {
    const result = judge(scorecard(productionReadiness.spec), factsOf(bare), [], now)
    expect(Object.fromEntries(result.rules.map(({ rule, outcome }) => [rule, outcome]))).toMatchObject({ 'deploy-succeeded': 'unknown', 'health-check': 'unknown', 'docs-fresh': 'unknown', description: 'broken', readme: 'broken', 'no-plain-secrets': 'kept' })
    expect(result.level).toBeUndefined()
    expect(result.next).toBe('bronze')
  })

  test.each<[string, Partial<FactSources>, string, string]>([
    ['a failed last deploy', { deployments: [deployment('Succeeded', '2026-05-01T00:00:00Z'), deployment('Failed', '2026-05-30T00:00:00Z')] }, 'deploy-succeeded', 'none'],
    ['a secret in the manifest', { app: app({ description: 'Sells things.', env: { DB_PASSWORD: 'x' } }) }, 'no-plain-secrets', 'none'],
    ['drift', { entity: { declared: true, drift: 1, owner: 'x', undeclared: [] } }, 'no-drift', 'bronze'],
    ['an old template', { template: { name: 'default/node', version: '1.0.0', behind: 2 } }, 'current-template', 'silver'],
    ['a toolchain that is not pinned', { release: { ...ready.release!, spec: { ...ready.release!.spec, toolchain: { name: 'node', version: '20.20.2' } } } }, 'pinned-toolchain', 'silver'],
    ['old documentation', { docs: { pages: 1, readme: true, newest: new Date('2025-06-01T00:00:00Z') } }, 'docs-fresh', 'silver'],
  ])('sees %s', (_, over, rule, level) => {
    const result = judge(scorecard(productionReadiness.spec), factsOf({ ...ready, ...over }), [], now)
    expect(result.rules.find((one) => one.rule === rule)!.outcome).toBe('broken')
    expect(result.level ?? 'none').toBe(level)
  })
})

test('what is not recorded of toolchain and template is unknown, and what has none of them keeps the rules', () => {
  const outcomes = (sources: FactSources) => Object.fromEntries(judge(scorecard(productionReadiness.spec), factsOf(sources), [], now).rules.map(({ rule, outcome }) => [rule, outcome]))
  const { toolchain: _toolchain, ...spec } = ready.release!.spec
  expect(outcomes({ ...ready, release: { ...ready.release!, spec }, template: { name: 'gone/x', version: '1.0.0', behind: undefined } })).toMatchObject({ 'pinned-toolchain': 'unknown', 'current-template': 'unknown' })
  expect(outcomes({ ...ready, release: { ...ready.release!, spec: { ...spec, toolchain: { name: '' } } }, template: null })).toMatchObject({ 'pinned-toolchain': 'kept', 'current-template': 'kept' })
})

test('a broken rule tells what the platform can do about it', () => {
  const { rules } = judge(scorecard(productionReadiness.spec), factsOf(bare), [], now)
  expect(rules.find(({ rule }) => rule === 'two-instances')!.action).toEqual({ type: 'scale', process: 'web', replicas: 2 })
})

describe('exemptions', () => {
  const exemption: ScorecardExemptionSpec = { scorecard: 's', rule: 'two-instances', app: 'shop', owner: 'ada', reason: 'It holds a lock on a file.', expiresAt: '2026-07-01T00:00:00Z' }
  const single = { ...ready, app: app({ ...ready.app.spec, scale: {} }, ready.app.status!) }

  test('count until they expire, and say who answers for them', () => {
    const judged = (at: Date) => judge(scorecard(productionReadiness.spec), factsOf(single), [exemption], at).rules.find(({ rule }) => rule === 'two-instances')!
    expect(judged(now)).toMatchObject({ outcome: 'exempt', reason: 'It holds a lock on a file. (ada, until 2026-07-01)' })
    expect(judged(new Date('2026-07-01T00:00:00Z')).outcome).toBe('broken')
  })
})

test('a scorecard measures the apps of its teams that have its labels', () => {
  const rules = [{ name: 'a', title: 'A', expression: 'true' }]
  const labelled = { ...app(), metadata: { ...metadata('shop', 'blue'), labels: { tier: '1' } } }
  expect(measures(scorecard({ title: 'S', rules }), app())).toBe(true)
  expect(measures(scorecard({ title: 'S', rules, teams: ['green'] }), app())).toBe(false)
  expect(measures(scorecard({ title: 'S', rules, labels: { tier: '1' } }), app())).toBe(false)
  expect(measures(scorecard({ title: 'S', rules, teams: ['blue'], labels: { tier: '1' } }), labelled)).toBe(true)
})

test('more rules kept is never a lower score or level', () => {
  const levels = ['one', 'two', 'three']
  const rule = fc.record({ level: fc.constantFrom(...levels), weight: fc.integer({ min: 1, max: 5 }), kept: fc.boolean(), better: fc.boolean() })
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 20 }), (rules) => {
      const card = (kept: (one: (typeof rules)[number]) => boolean) => scorecard({ title: 'S', levels, rules: rules.map((one, index) => ({ name: `r${index}`, title: 'R', level: one.level, weight: one.weight, expression: kept(one) ? 'true' : 'false' })) })
      const [before, after] = [judge(card(({ kept }) => kept), {}, [], now), judge(card(({ kept, better }) => kept || better), {}, [], now)]
      expect(after.score).toBeGreaterThanOrEqual(before.score)
      expect(levels.indexOf(after.level ?? '')).toBeGreaterThanOrEqual(levels.indexOf(before.level ?? ''))
      expect(after.level === 'three').toBe(after.next === undefined)
    }),
  )
})
