import type { DeploymentStatus } from '@pavior/contract'
import { expect, test } from 'vitest'
import { errorPercent, isHeldByPerson, remainingMs, seriesOf, trialSteps } from './trial-plan.ts'

const judge = { errorRatio: 0.01, slowerThanStable: 3, restarts: 0, minRequests: 50 }
const canary = { type: 'canary', steps: [5, 25, 50].map((weight) => ({ weight, seconds: 60, pause: weight === 25 })), judge, watchSeconds: 300, from: 'its tier' } as NonNullable<DeploymentStatus['strategy']>
const states = (phase: DeploymentStatus['phase'], step?: number): string[] => trialSteps({ phase, strategy: canary, ...(step === undefined ? {} : { trial: { step, weight: 0 } }) }).map(({ state }) => state)

test('a trial goes from step to step, and all traffic is the last', () => {
  expect(trialSteps({ strategy: canary }).map(({ weight }) => weight)).toEqual([5, 25, 50, 100])
  expect(states('Starting')).toEqual(['to come', 'to come', 'to come', 'to come'])
  expect(states('Shifting', 1)).toEqual(['done', 'now', 'to come', 'to come'])
  expect(states('Watching', 3)).toEqual(['done', 'done', 'done', 'now'])
  expect(states('Succeeded', 2)).toEqual(['done', 'done', 'done', 'done'])
})

test('where it was stopped is seen, and what it was spared', () => {
  expect(states('Restoring', 1)).toEqual(['done', 'stopped', 'left out', 'left out'])
  expect(states('RolledBack', 3)).toEqual(['done', 'done', 'done', 'stopped'])
  expect(states('Completing', 0)).toEqual(['done', 'left out', 'left out', 'now'])
  expect(states('Canceled')).toEqual(['left out', 'left out', 'left out', 'left out'])
})

test('a strategy without a trial has no steps to draw', () => {
  expect(trialSteps({ phase: 'Starting', strategy: { ...canary, type: 'rolling', steps: [] } })).toEqual([])
  expect(trialSteps({})).toEqual([])
})

test('time counts only while nothing else holds it', () => {
  const since = '2026-01-01T00:00:00.000Z'
  const at = Date.parse(since) + 20_000
  expect(remainingMs({ phase: 'Shifting', strategy: canary, trial: { step: 0, weight: 5, since } }, at)).toBe(40_000)
  expect(remainingMs({ phase: 'Shifting', strategy: canary, trial: { step: 0, weight: 5, since } }, at + 90_000)).toBe(0)
  expect(remainingMs({ phase: 'Watching', strategy: canary, trial: { step: 3, weight: 100, since } }, at)).toBe(280_000)
  expect(remainingMs({ phase: 'Shifting', strategy: canary, trial: { step: 0, weight: 5, since, held: 'It is paused.' } }, at)).toBeUndefined()
  expect(remainingMs({ phase: 'Shifting', strategy: canary, trial: { step: 0, weight: 5 } }, at)).toBeUndefined()
})

test('a pause by hand or by its step can be resumed; a freeze cannot', () => {
  const held = (step: number) => ({ phase: 'Shifting', strategy: canary, trial: { step, weight: 0, held: 'why' } }) as const
  expect(isHeldByPerson(held(0), { paused: true })).toBe(true)
  expect(isHeldByPerson(held(1), {})).toBe(true)
  expect(isHeldByPerson(held(1), { resumedStep: 1 })).toBe(false)
  expect(isHeldByPerson(held(0), {})).toBe(false)
})

test('the share of errors has no value where nothing was asked, and a release without requests has a line all the same', () => {
  const series = { requestsPerSecond: [10, 0, 4], errorsPerSecond: [1, 0, 0], p50Ms: [1, null, 1], p95Ms: [1, null, 1], p99Ms: [1, null, 1] }
  expect(errorPercent(series)).toEqual([10, null, 0])
  const traffic = { stepSeconds: 10, times: [1, 2, 3], all: series, releases: [{ release: 1, series }], totals: {} } as never
  expect(seriesOf(traffic, [2, 1]).map(({ release, series: { p95Ms } }) => [release, p95Ms])).toEqual([[2, [null, null, null]], [1, [1, null, 1]]])
  expect(seriesOf(traffic, [2, undefined])).toHaveLength(1)
})
