import { frozenBy, type EnvironmentSpec, type FreezeSpec } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fits, gatesOf, type GateContext } from './gates.ts'

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
