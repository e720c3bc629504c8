import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pointsOf, type Points } from './encoding.ts'
import { cut, merge, refusedTime, thinOut, within } from './plan.ts'

const pairs = ({ times, values }: Points): [number, number][] => [...times].map((time, index) => [time, values[index]!])
const of = (given: [number, number][]): Points => pointsOf(given.map(([time]) => time), given.map(([, value]) => value))
const anyPairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 9 })), { maxLength: 30 })

/** As PromQL counts: what is less than before began anew. */
function increase(given: [number, number][]): number {
  return given.slice(1).reduce((sum, [, value], index) => sum + (value < given[index]![1] ? value : value - given[index]![1]), 0)
}

describe('points', () => {
  test('are put together in the order of time, and of one time the last written stays', () => {
    fc.assert(
      fc.property(fc.array(anyPairs, { minLength: 1, maxLength: 4 }), (parts) => {
        const expected = [...new Map(parts.flat())].toSorted(([one], [other]) => one - other)
        expect(pairs(merge(parts.map(of)))).toEqual(expected)
      }),
    )
  })

  test('of a window are those between its ends, with both', () => {
    fc.assert(
      fc.property(anyPairs, fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), (given, from, until) => {
        const all = merge([of(given)])
        expect(pairs(within(all, from, until))).toEqual(pairs(all).filter(([time]) => time >= from && time <= until))
      }),
    )
  })

  test('that are thinned out keep what a counter rose by, and at most its last point a bucket', () => {
    fc.assert(
      fc.property(anyPairs, (given) => {
        const all = merge([of(given)])
        const thin = thinOut(all, 60, true)
        // From the end of the first bucket on: what was before its last point is not there any more.
        const first = pairs(thin)[0]?.[0] ?? 0
        expect(increase(pairs(thin))).toBe(increase(pairs(all).filter(([time]) => time >= first)))
        const gauge = pairs(thinOut(all, 60, false))
        expect(new Set(gauge.map(([time]) => Math.floor(time / 60))).size).toBe(gauge.length)
        expect(gauge.at(-1)).toEqual(pairs(all).at(-1))
      }),
    )
  })

  test('are cut into blocks without losing any', () => {
    const points = of(Array.from({ length: 10 }, (_, index) => [index, index]))
    expect(cut(points, 4).map((part) => part.times.length)).toEqual([4, 4, 2])
    expect(pairs(merge(cut(points, 4)))).toEqual(pairs(points))
  })

  test('of too long ago, of times to come and of no time at all are refused', () => {
    const retention = { rawMs: 1000, minutesMs: 2000, hoursMs: 3000 }
    expect([8999, 9001, 10_000, 10_500, 10_501, NaN].map((time) => refusedTime(time, 10_000, retention, 500))).toEqual(['too_old', undefined, undefined, undefined, 'in_the_future', 'too_old'])
  })
})
