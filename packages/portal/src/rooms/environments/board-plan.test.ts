import type { EnvironmentSpec } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inOrder, lagOf, lagText, protectionOf, strategyText, type Declared } from './board-plan.ts'

const declared = (name: string, tier: EnvironmentSpec['tier'], after?: string): Declared => ({ name, spec: { tier, ...(after ? { after } : {}) } })
const names = (environments: Declared[]): string[] => inOrder(environments).map(({ name }) => name)

test('environments stand in the order in which releases go through them', () => {
  expect(names([declared('production', 'production', 'staging'), declared('staging', 'staging', 'dev'), declared('dev', 'development')])).toEqual(['dev', 'staging', 'production'])
  // What comes after decides, not the tier.
  expect(names([declared('a', 'development', 'z'), declared('z', 'production')])).toEqual(['z', 'a'])
  expect(names([{ name: 'forgotten', spec: undefined }, declared('production', 'production', 'gone')])).toEqual(['production', 'forgotten'])
})

test('none is lost or shown twice, whatever names whatever', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const environment = fc.record({ name, tier: fc.constantFrom<EnvironmentSpec['tier']>('development', 'staging', 'production', 'preview'), after: fc.option(name, { nil: undefined }) })
  fc.assert(
    fc.property(fc.uniqueArray(environment, { selector: (each) => each.name }), (all) => {
      const ordered = names(all.map(({ name: own, tier, after }) => declared(own, tier, after)))
      expect(ordered.toSorted()).toEqual(all.map((each) => each.name).toSorted())
    }),
  )
})

const artifacts: Record<number, string> = { 1: 'a', 2: 'b', 3: 'b', 4: 'c', 5: 'a', 6: 'x' }
const history = [1, 2, 3, 4].map((release) => ({ environment: 'staging', release }))
const lag = (staging: number | undefined, production: number | undefined) =>
  lagOf('production', 'staging', new Map([['staging', staging], ['production', production]].filter((each): each is [string, number] => each[1] !== undefined)), history, (release) => artifacts[release])

test('an environment is as many releases behind as artifacts served before it since', () => {
  expect(lag(4, 4)).toEqual({ same: true })
  // Another release of the same artifact, with configuration of its own.
  expect(lag(1, 5)).toEqual({ same: true })
  expect(lag(4, 3)).toEqual({ same: false, behind: 1 })
  expect(lag(4, 5)).toEqual({ same: false, behind: 2 })
  expect(lag(4, 6)).toEqual({ same: false, behind: undefined })
  expect(lag(4, undefined)).toBeUndefined()
  expect(lagOf('production', undefined, new Map([['production', 1]]), [], () => 'a')).toBeUndefined()
  expect(lagText({ same: false, behind: 2 }, 'staging')).toBe('2 releases behind staging.')
})

test('protection and strategy are told in words', () => {
  expect(protectionOf({ tier: 'production' })).toEqual([])
  expect(protectionOf({ tier: 'production', after: 'staging', protection: { approvals: { count: 2, role: 'admin' }, soakMinutes: 30, promoteOnly: true, branches: ['main', 'release/*'] } })).toEqual([
    '2 approvals by somebody with the role admin who did not make the change',
    'the same artifact must have served in staging for 30 min',
    'only what serves in staging comes here',
    'only from the branches main, release/*',
  ])
  expect(strategyText('canary', [{ weight: 5 }, { weight: 50, pause: true }])).toBe('canary: 5 % → 50 % (then asks) → 100 %')
})
