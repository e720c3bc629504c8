import type { PolicySpec, PolicyVerdict } from '@pavior/contract'
import fc from 'fast-check'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tryFixtures } from './fixtures.ts'
import { cel, compilePolicy, type CompiledPolicy } from './language.ts'
import { applies, denialOf, denies, inForce, inputOf, judge, warns, type PolicyException, type Subject } from './plan.ts'
import { looksSecret, mayBeShown, plainSecrets } from './secrets.ts'
import { readLibrary } from './seed.ts'

const metadata = { name: 'shop', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' }
const base: PolicySpec = { title: 'T', match: { kinds: ['App'] }, points: ['admission'], rules: [{ name: 'rule', expression: 'true', message: 'no' }], severity: 'medium', mode: 'enforce', failure: 'closed' }
const compiled = (spec: Partial<PolicySpec>): CompiledPolicy => compilePolicy({ apiVersion: '', kind: 'Policy', metadata: { ...metadata, name: 'p' }, spec: { ...base, ...spec } })
const subject = (more: Partial<Subject> = {}): Subject => ({
  point: 'admission',
  verb: 'create',
  kind: 'App',
  object: { apiVersion: '', kind: 'App', metadata, spec: { env: { LEVEL: 'debug' } } },
  oldObject: undefined,
  user: 'user:ada',
  team: 'default',
  app: 'shop',
  environment: undefined,
  tier: undefined,
  facts: {},
  ...more,
})
const said = (expression: string, more: Partial<PolicySpec['rules'][number]> = {}, exceptions: PolicyException[] = []): PolicyVerdict =>
  judge(compiled({ rules: [{ name: 'rule', expression, message: 'no', ...more }] }), inputOf(subject(), exceptions), exceptions)[0]!
const now = new Date('2026-06-01T00:00:00Z')
const exception = (spec: Partial<PolicyException['spec']> = {}, phase: NonNullable<PolicyException['status']>['phase'] = 'Granted'): PolicyException => ({
  apiVersion: '',
  kind: 'PolicyException',
  metadata: { ...metadata, name: 'x' },
  spec: { policy: 'p', owner: 'ada', reason: 'because of a test', expiresAt: '2026-07-01T00:00:00Z', ...spec },
  status: { phase },
})

describe('a rule', () => {
  test('is kept, broken, unknown or an error', () => {
    expect(said('object.spec.env.LEVEL == "debug"').outcome).toBe('kept')
    expect(said('object.metadata.labels == {"a": 1}').outcome).toBe('broken')
    expect(said('facts.build.sbom', { needs: ['build.sbom'] })).toMatchObject({ outcome: 'unknown', message: 'Nothing is known of build.sbom yet.' })
    expect(said('object.spec.missing == 1')).toMatchObject({ outcome: 'error', message: 'No such key: missing' })
    expect(said('request.user == "user:ada" && facts.team == "default" && oldObject == null').outcome).toBe('kept')
  })

  test('tells the value at its field, and never one that looks like a secret', () => {
    expect(said('false', { field: 'spec.env.LEVEL' }).value).toBe('"debug"')
    expect(said('false', { field: 'spec.none' }).value).toBe('not set')
    expect(said('false', { message: 'It is ${object.metadata.name}, ${object.none}' }).message).toBe('It is shop, ${object.none}')
    expect(mayBeShown('spec.env', { TOKEN: 'x' })).toBe(false)
    expect(mayBeShown('spec.env.A', `AKIA${'Q'.repeat(16)}`)).toBe(false)
  })

  test('that fails refuses or not, as declared', () => {
    const verdict = said('object.spec.missing == 1')
    expect([denies({ spec: base }, verdict), denies({ spec: { ...base, failure: 'open' } }, verdict)]).toEqual([true, false])
    expect(warns({ spec: base }, { ...verdict, mode: 'warn' })).toBe(true)
  })
})

test('an expression is held to its size and says where it is wrong', () => {
  expect(cel.problem('a.b', 'bool')).toBe('Unknown variable: a (line 1, column 1)')
  expect(cel.problem('true &&\n  ', 'bool')).toMatch(/line \d, column \d/)
  expect(cel.problem(`[${'1,'.repeat(300)}1].size() > 0`, 'bool')).toBeDefined()
  expect(cel.problem(`${'['.repeat(60)}${']'.repeat(60)} == []`, 'bool')).toBeDefined()
})

test('a policy judges only what it names', () => {
  const asked = (match: Partial<PolicySpec['match']>, more: Partial<Subject> = {}): boolean => applies(compiled({ match: { kinds: ['App'], ...match } }), subject(more))
  expect([asked({}), asked({ kinds: ['Route'] }), asked({ teams: ['other'] }), asked({ tiers: ['production'] }), asked({ labels: { a: 'b' } })]).toEqual([true, false, false, false, false])
  expect([asked({}, { verb: 'delete' }), asked({ operations: ['delete'] }, { verb: 'delete' }), asked({}, { point: 'deploy' })]).toEqual([false, true, false])
  expect(applies(compiled({ mode: 'off' }), subject())).toBe(false)
})

describe('an exception', () => {
  test('covers what it names until its end; one that ended stays so when the clock goes back', () => {
    const of = { team: 'default', app: 'shop' }
    expect(inForce(exception(), of, now)).toBe(true)
    expect(inForce(exception({ app: 'other' }), of, now)).toBe(false)
    expect(inForce(exception(), { ...of, team: 'other' }, now)).toBe(false)
    expect(inForce(exception(), of, new Date('2026-07-01T00:00:00Z'))).toBe(false)
    expect(inForce(exception({}, 'Expired'), of, new Date('2020-01-01T00:00:00Z'))).toBe(false)
    expect(inForce(exception({}, 'Requested'), of, now)).toBe(false)
    expect(said('false', {}, [exception()])).toMatchObject({ outcome: 'exempt', exception: 'x' })
    expect(said('false', {}, [exception({ rule: 'another' })]).outcome).toBe('broken')
  })

  test('in no state but granted, and at no time after its end, lets anything through', () => {
    fc.assert(
      fc.property(fc.constantFrom('Requested' as const, 'Granted' as const, 'Denied' as const, 'Expired' as const), fc.integer({ min: -1e10, max: 1e10 }), (phase, offsetMs) => {
        const held = inForce(exception({}, phase), { team: 'default', app: 'shop' }, new Date(Date.parse('2026-07-01T00:00:00Z') + offsetMs))
        expect(held).toBe(phase === 'Granted' && offsetMs < 0)
      }),
    )
  })
})

test('a denial names the worst rule first, every rule, and the way on', () => {
  const verdicts = [{ ...said('false', { fix: 'Do this.' }), severity: 'low' as const }, { ...said('false', { message: 'Worse' }), severity: 'critical' as const, policy: 'q' }]
  expect(denialOf(verdicts, subject(), () => 'Why')).toMatchObject({
    message: 'App "shop" breaks the policy q: Worse. 1 more rule is broken.',
    why: 'Why',
    fix: 'Do this.',
    more: expect.stringContaining('pavior exception request q --app shop --team default --reason "…" --days 30'),
    causes: [{ reason: 'q/rule' }, { reason: 'p/rule' }],
  })
})

describe('what looks like a secret', () => {
  test('is the key of a service, or random text under a name that says so', () => {
    expect(looksSecret('ANY', `ghp_${'a1B2'.repeat(9)}`)).toBe(true)
    expect(looksSecret('API_TOKEN', 'f3K9x7Qz2LmW8vRt5YpB1nHc')).toBe(true)
    expect(looksSecret('COLOUR', 'f3K9x7Qz2LmW8vRt5YpB1nHc')).toBe(false)
    expect(looksSecret('PASSWORD', 'changeme')).toBe(false)
    expect(looksSecret('TOKEN_URL', 'https://example.com/oauth/token/endpoint')).toBe(false)
    expect(plainSecrets({ B: `AKIA${'Q'.repeat(16)}`, A: 'x', C: 3 })).toEqual(['B'])
  })

  test('is told of any text without failing', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (name, value) => typeof looksSecret(name, value) === 'boolean'))
  })
})

test('every policy that Pavior brings keeps its fixtures', async () => {
  const { readFile } = await import('node:fs/promises')
  const { parse } = await import('yaml')
  const directory = join(import.meta.dirname, '../../../../../examples/policies')
  const library = await readLibrary(directory)
  expect(library.length).toBeGreaterThanOrEqual(20)
  for (const policy of library) {
    const results = tryFixtures(policy.metadata.name, policy.spec, parse(await readFile(join(directory, `${policy.metadata.name}.fixtures.yaml`), 'utf8')))
    expect(results.filter(({ passed }) => !passed)).toEqual([])
    expect(results.some(({ got }) => got === 'broken')).toBe(true)
    expect(results.some(({ got }) => got === 'kept')).toBe(true)
  }
})
