import { expect, test } from 'vitest'
import { placed, weekStart } from './calendar-plan.ts'

test('turns stand where they are in the week, and no further', () => {
  const shift = { from: '1970-01-01T00:00:00Z', until: '1970-01-01T00:01:00Z' }
  expect(placed(shift, 0, 120_000)).toEqual({ left: 0, width: 50 })
  expect(placed(shift, 30_000, 130_000)).toEqual({ left: 0, width: 30 })
  expect(placed(shift, 90_000, 190_000).width).toBe(0)
})

test('weeks begin on Mondays', () => {
  for (const day of [2, 5, 8]) expect(weekStart(new Date(2026, 2, day, 13)).getDate()).toBe(2)
})
