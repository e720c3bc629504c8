import { frozenBy, type EnvironmentSpec, type FreezeSpec } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fits, gatesOf, type Budget, type GateContext } from './gates.ts'

const now = new Date('2026-03-04T12:00:00Z')
const environment: EnvironmentSpec = { tier: 'production', after: 'staging', protection: { approvals: { count: 2 }, branches: ['main', 'release/*'], soakMinutes: 30 } }
const base: GateContext = {
  spec: { app: 'shop', environment: 'production', release: 4 },
  environment,
  release: { artifact: 'sha256:new', revision: { type: 'git', source: 'sha256:s', branch: 'main' } },
  serving: 'sha256:old',
  before: { artifact: 'sha256:new', since: new Date('2026-03-04T11:45:00Z') },
  approvals: [{ by: 'user:ada', at: '' }],
  freezes: [],
  budgets: [],
  now,
}
const held = (change: Partial<GateContext>) => gatesOf({ ...base, ...change }).gates.map(({ gate }) => gate)

describe('gates', () => {
  test('each says what it waits for and until when', () => {
    expect(gatesOf(base).gates).toEqual([
      { gate: 'soak', text: 'The same artifact must have served in staging for 30 min.', until: '2026-03-04T12:15:00.000Z' },
      { gate: 'approval', text: 'It needs 1 more approval by somebody with the role developer who did not make the change.' },
    ])
  })

  test.each<[string, Partial<GateContext>, string[]]>([
    ['one person approves once', { approvals: [{ by: 'user:ada', at: '' }, { by: 'user:ada', at: '' }] }, ['soak', 'approval']],
    ['an override passes soak and freeze, not approvals', { spec: { ...base.spec, override: { reason: 'The shop is down' } }, freezes: [{ reason: 'Christmas' }] }, ['approval']],
    ['a rollback waits for nobody', { spec: { ...base.spec, rollbackTo: true }, freezes: [{ reason: 'Christmas' }] }, []],
    ['configuration alone need not soak', { serving: 'sha256:new' }, ['approval']],
    ['a time in the future', { spec: { ...base.spec, notBefore: '2026-03-04T12:00:01Z' } }, ['schedule', 'soak', 'approval']],
    ['a time that has come', { spec: { ...base.spec, notBefore: '2026-03-04T12:00:00Z' }, approvals: [{ by: 'a', at: '' }, { by: 'b', at: '' }], before: { artifact: 'sha256:new', since: new Date(0) } }, []],
    ['an environment without protection', { environment: { tier: 'staging' } }, []],
    ['an environment that nobody declared is frozen like production', { environment: undefined, freezes: [{ reason: 'x', tiers: ['production'] }] }, ['freeze']],
  ])('%s', (_name, change, gates) => expect(held(change)).toEqual(gates))

  describe('error budgets', () => {
    const budget: Budget = { name: 'shop-availability', onExhausted: 'freeze', draft: false, state: 'exhausted', used: 1.58, since: '2026-03-04T11:12:13Z' }
    const open: Partial<GateContext> = { environment: { tier: 'production' }, approvals: [] }
    const told = (change: Partial<GateContext>) => gatesOf({ ...base, ...open, ...change })

    test('one that is used up holds, and says who may let it through', () => {
      expect(told({ budgets: [budget] })).toEqual({
        gates: [{ gate: 'budget', text: 'The error budget of shop-availability is used up: 158 % of it, since 2026-03-04 11:12 UTC. It opens when there is a budget again; an administrator of the team may override it with a reason.' }],
        notes: [],
        refusal: undefined,
      })
    })

    test.each<[string, Partial<GateContext>, string[], string[]]>([
      ['with something left', { budgets: [{ ...budget, state: 'left' }] }, [], []],
      ['when it is a rollback', { budgets: [budget], spec: { ...base.spec, rollbackTo: true } }, [], []],
      ['when it is overridden', { budgets: [budget], spec: { ...base.spec, override: { reason: 'This is the fix' } } }, [], []],
      ['when it only warns', { budgets: [{ ...budget, onExhausted: 'warn' }] }, [], ['The error budget of shop-availability is used up: 158 % of it, since 2026-03-04 11:12 UTC.']],
      ['when nothing shall follow', { budgets: [{ ...budget, onExhausted: 'none' }] }, [], []],
      ['when nothing is known', { budgets: [{ ...budget, state: 'unknown' }] }, [], ['Nothing was counted for shop-availability: its error-budget gate is open.']],
      ['when it was only proposed', { budgets: [{ ...budget, draft: true }] }, [], ['No SLO is declared for shop in production: the error-budget gate is open.']],
      ['when none is declared', {}, [], ['No SLO is declared for shop in production: the error-budget gate is open.']],
      ['when none is declared where it matters less', { environment: { tier: 'staging' } }, [], []],
      ['not when one more approval is wanted', { budgets: [{ ...budget, onExhausted: 'requireApproval' }] }, ['approval'], ['The error budget of shop-availability is used up: 158 % of it, since 2026-03-04 11:12 UTC.']],
      ['when that approval is there', { budgets: [{ ...budget, onExhausted: 'requireApproval' }], approvals: [{ by: 'user:ada', at: '' }] }, [], ['The error budget of shop-availability is used up: 158 % of it, since 2026-03-04 11:12 UTC.']],
    ])('it is open %s', (_name, change, gates, notes) => {
      expect(told(change).gates.map(({ gate }) => gate)).toEqual(gates)
      expect(told(change).notes).toEqual(notes)
    })

    test('one more approval than the environment asks for', () => {
      expect(gatesOf({ ...base, budgets: [{ ...budget, onExhausted: 'requireApproval' }] }).gates.at(-1)!.text).toBe('It needs 2 more approvals by somebody with the role developer who did not make the change.')
    })
  })

  test('what can never pass is refused, with the way that can', () => {
    const branch = gatesOf({ ...base, release: { artifact: 'sha256:new', revision: { type: 'git', source: 'sha256:s', branch: 'fix' } } })
    expect(branch).toMatchObject({ gates: [], refusal: { code: 'BRANCH_NOT_ALLOWED', why: 'This release is from the branch fix.' } })
    const direct = gatesOf({ ...base, environment: { tier: 'production', after: 'staging', protection: { promoteOnly: true } }, before: { artifact: 'sha256:other', since: now } })
    expect(direct.refusal).toMatchObject({ code: 'PROMOTION_REQUIRED', fix: 'pavior promote --from staging --to production' })
  })

  test('a pattern fits as a regular expression of the same meaning would', () => {
    const pieces = fc.array(fc.constantFrom('a', 'b', '/', '*', 'ab'), { maxLength: 6 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(pieces, pieces, (pattern, text) => {
        const branch = text.replaceAll('*', '')
        expect(fits(branch, pattern)).toBe(new RegExp(`^${pattern.replaceAll('/', '\\/').replaceAll('*', '.*')}$`).test(branch))
      }),
    )
  })
})

describe('freezes', () => {
  const place = { environment: 'production', tier: 'production' }
  const at = (freeze: FreezeSpec, time: string) => frozenBy([freeze], place, new Date(time))?.until?.toISOString() ?? frozenBy([freeze], place, new Date(time))?.reason
  const weekend: FreezeSpec = { reason: 'Weekend', weekly: { days: ['fri'], from: '16:00', to: '09:00', timeZone: 'Europe/Berlin' } }
  const office: FreezeSpec = { reason: 'Office hours only', allows: true, weekly: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00', timeZone: 'America/New_York' } }

  test.each<[string, FreezeSpec, string, string | undefined]>([
    ['within a period', { reason: 'x', from: '2026-12-20T00:00:00Z', until: '2027-01-02T00:00:00Z' }, '2026-12-24T12:00:00Z', '2027-01-02T00:00:00.000Z'],
    ['before it', { reason: 'x', from: '2026-12-20T00:00:00Z' }, '2026-12-19T23:59:59Z', undefined],
    ['without an end', { reason: 'Until further notice' }, '2026-12-19T23:59:59Z', 'Until further notice'],
    ['on Friday evening in Berlin, in winter', weekend, '2026-01-09T15:00:00Z', '2026-01-10T08:00:00.000Z'],
    ['a minute earlier', weekend, '2026-01-09T14:59:00Z', undefined],
    ['over the night to summer time', { ...weekend, weekly: { ...weekend.weekly!, days: ['sat'] } }, '2026-03-28T20:00:00Z', '2026-03-29T07:00:00.000Z'],
    ['in the maintenance window', office, '2026-06-03T14:00:00Z', undefined],
    ['outside of it', office, '2026-06-05T22:00:00Z', '2026-06-08T13:00:00.000Z'],
    ['of another tier', { reason: 'x', tiers: ['staging'] }, '2026-06-05T22:00:00Z', undefined],
  ])('%s', (_name, freeze, time, until) => expect(at(freeze, time)).toBe(until))

  test('one that follows another at once goes on', () => {
    const freezes: FreezeSpec[] = [{ reason: 'one', until: '2026-06-05T12:00:00Z' }, { reason: 'two', from: '2026-06-05T12:00:00Z', until: '2026-06-05T13:00:00Z' }]
    expect(frozenBy(freezes, place, new Date('2026-06-05T11:00:00Z'))).toEqual({ reason: 'one', until: new Date('2026-06-05T13:00:00Z') })
  })
})
