import { DeploymentStatus } from '@pavior/contract'
import { expect, test } from 'vitest'
import { toneOf } from '../pieces/status.tsx'
import { isOver, isUnderway, stopOf, wentWrong } from './phases.ts'

const phases = DeploymentStatus.properties.phase.enum as string[]

test('every phase of the contract is known: over, under way or waiting, and none is two of them', () => {
  for (const phase of phases) expect([isOver(phase), isUnderway(phase), phase === 'Waiting'].filter(Boolean), phase).toHaveLength(1)
})

test('every phase has a tone of its own, except those that somebody else ended', () => {
  expect(phases.filter((phase) => toneOf(phase) === 'idle')).toEqual(['Superseded', 'Canceled'])
})

test('what went wrong is over, and what is over cannot be stopped', () => {
  for (const phase of phases.filter(wentWrong)) expect(isOver(phase)).toBe(true)
  for (const phase of phases.filter(isOver)) expect(stopOf(phase)).toBeUndefined()
  expect(stopOf('Waiting')).toBe('cancel')
  expect(stopOf('Shifting')).toBe('abort')
  expect(stopOf('Restoring')).toBeUndefined()
})
