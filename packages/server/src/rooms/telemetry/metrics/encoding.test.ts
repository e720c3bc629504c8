import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBatch, decodeBlock, encodeBatch, encodeBlock, isStale, pointsOf, staleInput, type Points } from './encoding.ts'

const anyPoints = fc.array(fc.tuple(fc.integer({ min: 1, max: 4e12 }), fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger())), { maxLength: 50 }).map((pairs) => {
  const sorted = [...new Map(pairs)].toSorted(([one], [other]) => one - other)
  return pointsOf(sorted.map(([time]) => time), sorted.map(([, value]) => value))
})
const plain = ({ times, values }: Points): unknown => ({ times: [...times], values: [...values] })
const regular = (count: number, value: (index: number) => number): Points => pointsOf(Array.from({ length: count }, (_, index) => 1_800_000_000_000 + index * 15_000), Array.from({ length: count }, (_, index) => value(index)))

describe('points as bytes', () => {
  test('come back as they were, whatever they are', () => {
    fc.assert(fc.property(anyPoints, (points) => {
      expect(plain(decodeBlock(encodeBlock(points)))).toEqual(plain(points))
    }))
  })

  test('come back out of a batch, all of them or those of some series', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.integer({ min: 1, max: 1e9 }).map(String), anyPoints.filter(({ times }) => times.length > 0)), (given) => {
        const series = new Map(Object.entries(given).map(([id, points]) => [Number(id), points]))
        if (series.size === 0) return
        const { data, points } = encodeBatch(series)
        expect(points).toBe([...series.values()].reduce((sum, { times }) => sum + times.length, 0))
        const read = new Map(decodeBatch(data))
        for (const [id, own] of series) expect(plain(read.get(id)!)).toEqual(plain(own))
        const [one] = series.keys()
        expect(decodeBatch(data, new Set([one!])).map(([id]) => id)).toEqual([one])
      }),
    )
  })

  test('tell a series that ended from a value that is no number', () => {
    const { values } = decodeBlock(encodeBlock(pointsOf([1, 2, 3], [NaN, staleInput, 5])))
    expect([0, 1, 2].map((index) => isStale(values, index))).toEqual([false, true, false])
    expect([...values]).toEqual([NaN, NaN, 5])
  })

  test('are small where they are regular', () => {
    const bytes = (points: Points): number => encodeBlock(points).length / points.times.length
    expect(bytes(regular(240, () => 1))).toBeLessThan(2.2)
    expect(bytes(regular(240, (index) => index * 37))).toBeLessThan(2.2)
    expect(bytes(regular(240, (index) => Math.sin(index)))).toBeLessThan(9.5)
  })
})
