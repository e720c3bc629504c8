/** Fixtures of a policy: things with what the policy should say of them. */
import { fail, type PolicySpec, type PolicyVerdict, type Resource } from '@pavior/contract'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { within } from '../../kernel/within.ts'
import { ruleProblems } from './kinds.ts'
import { compilePolicy } from './language.ts'
import { failed, inputOf, judge } from './plan.ts'

const timeLimitMs = 200

const Fixture = Type.Object(
  {
    name: Type.String({ maxLength: 200 }),
    expect: Type.Enum(['kept', 'broken', 'unknown', 'error']),
    object: Type.Object({ kind: Type.String(), metadata: Type.Optional(Type.Object({})), spec: Type.Optional(Type.Object({})) }),
    oldObject: Type.Optional(Type.Object({})),
    team: Type.Optional(Type.String()),
    environment: Type.Optional(Type.String()),
    tier: Type.Optional(Type.String()),
    verb: Type.Optional(Type.Enum(['create', 'update', 'delete'])),
    user: Type.Optional(Type.String()),
    facts: Type.Optional(Type.Object({})),
  },
  { additionalProperties: false },
)
const fixtureList = Compile(Type.Array(Fixture, { maxItems: 500 }))

export interface FixtureResult {
  fixture: string
  expect: string
  got: PolicyVerdict['outcome']
  passed: boolean
  message: string
}

/** The worst outcome of its rules is what a policy says of a thing. */
const worst: PolicyVerdict['outcome'][] = ['error', 'broken', 'unknown', 'exempt', 'kept']

export function tryFixtures(name: string, spec: PolicySpec, fixtures: unknown): FixtureResult[] {
  if (!fixtureList.Check(fixtures)) {
    const [first] = fixtureList.Errors(fixtures)
    throw fail('INVALID', { message: `The fixtures of policy "${name}" cannot be used: ${first?.instancePath ?? ''} ${first?.message ?? ''}.` })
  }
  const causes = ruleProblems(spec)
  if (causes.length > 0) throw fail('INVALID', { message: `Policy "${name}" is not valid: ${causes[0]!.field} ${causes[0]!.message}.`, causes })
  const policy = compilePolicy({ apiVersion: '', kind: 'Policy', metadata: { name, uid: '', resourceVersion: '', generation: 1, creationTimestamp: '' }, spec })
  return fixtures.map(({ name: fixture, expect, object, oldObject, team = 'default', environment, tier, verb = 'create', user = 'user:ada', facts = {} }) => {
    const given = (one: object): Resource => ({ apiVersion: 'pavior.dev/v1', kind: object.kind, spec: {}, ...one, metadata: { ...({ name: 'fixture', namespace: team } as object), ...(one as Resource).metadata } }) as Resource
    const place = environment ?? (object.spec as { environment?: string } | undefined)?.environment
    const input = inputOf({ point: 'admission', verb, kind: object.kind, object: given(object), oldObject: oldObject && given(oldObject), user, team, app: undefined, environment: place, tier, facts: { ...facts } }, [])
    const verdicts = tryJudge(() => judge(policy, input, []), (message) => failed(policy, message, []))
    const [said] = verdicts.toSorted((one, other) => worst.indexOf(one.outcome) - worst.indexOf(other.outcome)) as [PolicyVerdict]
    return { fixture, expect, got: said.outcome, passed: said.outcome === expect, message: said.message }
  })
}

function tryJudge(work: () => PolicyVerdict[], slow: (message: string) => PolicyVerdict[]): PolicyVerdict[] {
  try {
    return within(timeLimitMs, work)
  } catch (error) {
    return slow((error as Error).message)
  }
}
