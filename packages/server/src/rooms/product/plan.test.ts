import fc from 'fast-check'
import { expect, test } from 'vitest'
import { onboardingOf, personaOf, summaryOf, type Milestone } from './plan.ts'

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 10, minute))

test('steps are those of the persona, and tick themselves off', () => {
  const { persona, steps, secondsToFirstDeploy } = onboardingOf(personaOf({ admin: false, roles: new Map([['blue', 'developer']]) }), { invited: at(0), 'signed-in': at(1), built: at(4), deployed: at(5) })
  expect(persona).toBe('developer')
  expect(steps.map(({ milestone, doneAt }) => [milestone, doneAt])).toEqual([['signed-in', at(1).toISOString()], ['connected', undefined], ['built', at(4).toISOString()], ['deployed', at(5).toISOString()], ['changed', undefined]])
  expect(secondsToFirstDeploy).toBe(300)
  expect(personaOf({ admin: false, roles: new Map([['blue', 'viewer'], ['green', 'admin']]) })).toBe('team-lead')
  expect(personaOf({ admin: true, roles: new Map() })).toBe('platform-engineer')
})

test('the summary counts people and takes the median of those who deployed', () => {
  const people = [{ invited: at(0), deployed: at(1) }, { invited: at(0), deployed: at(5) }, { invited: at(0), deployed: at(3) }, { invited: at(0) }]
  expect(summaryOf(people)).toMatchObject({ people: 4, reached: { invited: 4, deployed: 3, built: 0 }, medianSecondsToFirstDeploy: 180 })
  expect(summaryOf([]).medianSecondsToFirstDeploy).toBeNull()
})

test('nobody deploys before they were invited, and a median lies between the fastest and the slowest', () => {
  const person = fc.record({ invited: fc.nat(100), deployed: fc.option(fc.nat(200), { nil: undefined }) })
  fc.assert(
    fc.property(fc.array(person), (given) => {
      const people = given.map(({ invited, deployed }): Partial<Record<Milestone, Date>> => ({ invited: at(invited), ...(deployed === undefined ? {} : { deployed: at(deployed) }) }))
      const times = people.flatMap((one) => onboardingOf('developer', one).secondsToFirstDeploy ?? [])
      const { medianSecondsToFirstDeploy: median } = summaryOf(people)
      if (median === null) {
        expect(times).toEqual([])
        return
      }
      expect(Math.min(...times)).toBeGreaterThanOrEqual(0)
      expect(median).toBeGreaterThanOrEqual(Math.min(...times))
      expect(median).toBeLessThanOrEqual(Math.max(...times))
    }),
  )
})
