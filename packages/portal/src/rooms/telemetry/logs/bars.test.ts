import { expect, test } from 'vitest'
import { barsOf, totalsOf } from './bars.ts'

const histogram = {
  from: '2026-01-31T12:00:00.000Z',
  until: '2026-01-31T12:10:00.000Z',
  stepSeconds: 60,
  steps: [{ at: '2026-01-31T12:00:00.000Z', counts: { info: 3 } }, { at: '2026-01-31T12:05:00.000Z', counts: { info: 2, error: 4 } }],
}

test('bars stand where their time is, and are measured by the tallest', () => {
  const { bars, most } = barsOf(histogram)
  expect(most).toBe(6)
  expect(bars.map(({ left }) => left)).toEqual([0, 0.5])
  expect(bars[0]!.width).toBeCloseTo(0.085)
  expect(barsOf({ ...histogram, steps: [] }).most).toBe(1)
})

test('what is worst is named first', () => {
  expect(totalsOf(histogram)).toEqual([{ level: 'error', lines: 4 }, { level: 'info', lines: 5 }])
})
