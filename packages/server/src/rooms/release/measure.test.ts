import { fail } from '@pavior/contract'
import { expect, test } from 'vitest'
import { createMeasure, filled, queriesOf } from './measure.ts'
import { resolveStrategy } from './strategy.ts'

const trial = { team: 'blue', app: 'shop', environment: 'production', release: 7, stable: 6, cpu: 0.5 }
const query = { name: 'failed payments', query: 'sum(rate(failed_total{app="$app",release="$release"}[1m])) / $stable', max: 1 }

test('names and numbers are put where they are asked for, and nowhere else', () => {
  expect(filled('a{app="$app",release="$release",old="$stable"} $apple $1 $$team', trial)).toBe('a{app="shop",release="7",old="6"} $apple $1 $blue')
})

test('CPU is asked for only where it has a limit, against the limit of the instance', () => {
  expect(queriesOf(resolveStrategy({}).judge, trial)).toEqual([])
  expect(queriesOf({ cpu: 0.9, queries: [query] }, trial)).toEqual([expect.objectContaining({ query: expect.stringMatching(/ \/ 0\.5$/), max: 0.9 }), query])
})

test('a figure is asked for once in five seconds, for each team and release alone; what is wrong with it is told', async () => {
  let now = 0
  const asked: string[] = []
  const value = async (team: string, text: string): Promise<number | undefined> => {
    asked.push(`${team} ${text}`)
    if (text.includes('"9"')) throw fail('BAD_REQUEST', { message: 'It gave two values.' })
    return 0.25
  }
  const measure = createMeasure({ value, check: async () => {} }, { now: () => new Date(now) })
  const judge = { ...resolveStrategy({}).judge, queries: [query] }
  expect(await measure(judge, trial)).toEqual([{ name: 'failed payments', value: 0.25, max: 1, min: undefined, unmeasured: 'pass' }])
  now = 4999
  await measure(judge, trial)
  await measure(judge, { ...trial, team: 'green' })
  now = 5000
  await measure(judge, trial)
  expect(asked.map((line) => line.split(' ')[0])).toEqual(['blue', 'green', 'blue'])
  expect(await measure(judge, { ...trial, release: 9 })).toMatchObject([{ problem: 'It gave two values.' }])
})
