import type { FreezeSpec } from '@pavior/contract'
import { expect, test } from 'vitest'
import { freezeState, frozenNow, holdsText, weeklyText } from './freeze-state.ts'

const at = (time: string): Date => new Date(`2026-11-${time}:00Z`)
const nights: FreezeSpec = { reason: 'nights', weekly: { days: ['fri'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' } }

test('a single period is to come, holds and is over', () => {
  const freeze: FreezeSpec = { reason: 'sale', from: '2026-11-10T00:00:00Z', until: '2026-11-12T00:00:00Z' }
  expect(['09T12:00', '11T12:00', '12T00:00'].map((time) => freezeState(freeze, at(time)))).toEqual(['To come', 'Frozen', 'Over'])
})

test('a weekly one holds in its own time zone, over midnight too', () => {
  // 20 November 2026 is a Friday; Berlin is an hour ahead.
  expect(['20T20:59', '20T21:00', '21T04:59', '21T05:00', '21T21:30'].map((time) => freezeState(nights, at(time)))).toEqual(['Open', 'Frozen', 'Frozen', 'Open', 'Open'])
})

test('a maintenance window turns it round', () => {
  expect(freezeState({ ...nights, allows: true }, at('20T21:00'))).toBe('Open')
  expect(freezeState({ ...nights, allows: true }, at('20T20:00'))).toBe('Frozen')
  expect(weeklyText({ ...nights, allows: true })).toBe('outside of fri 22:00–06:00 Europe/Berlin')
})

test('it says whom it holds', () => {
  expect(holdsText(nights)).toBe('every environment')
  expect(holdsText({ ...nights, environments: ['eu'], tiers: ['production'] })).toBe('eu, tier production')
})

test('what is frozen somewhere now is told with its reason', () => {
  const freezes: FreezeSpec[] = [{ ...nights, tiers: ['production'] }, { reason: 'sale', environments: ['eu'] }, { reason: 'over', until: '2026-11-12T00:00:00Z' }]
  expect(frozenNow(freezes, { environment: 'staging', tier: 'staging' }, at('20T21:00'))).toEqual([])
  expect(frozenNow(freezes, { environment: 'eu', tier: 'production' }, at('20T21:00'))).toEqual(['Changes are frozen: nights (fri 22:00–06:00 Europe/Berlin)', 'Changes are frozen: sale'])
})
