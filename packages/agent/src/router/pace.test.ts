import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Pace } from './pace.ts'

const windowMs = 10_000

/** Looks every 100 ms at a body of which `bytesAt(second)` come each second; the second in which it was given up, if it was. */
function givenUpAt(bytesPerSecond: number, seconds: number, bytesAt: (second: number) => number, paused: (second: number) => boolean = () => false): number | undefined {
  const pace = new Pace(bytesPerSecond, windowMs, 0)
  for (let now = 100; now <= seconds * 1000; now += 100) {
    const second = Math.floor((now - 1) / 1000)
    if (now % 1000 === 0 && !paused(second)) pace.took(bytesAt(second))
    if (paused(second)) pace.restart(now)
    else if (pace.isTooSlow(now)) return second + 1
  }
  return undefined
}

describe('the pace of a body', () => {
  test('that is kept up is never too slow', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(5000), (least, more) => givenUpAt(least, 60, () => least + more) === undefined))
  })

  test('that is never reached is too slow after one window, however the bytes are spread', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99), { minLength: 60, maxLength: 60 }), (bytes) => {
        expect(givenUpAt(100, 60, (second) => bytes[second]!)).toBe(10)
      }),
    )
  })

  test('does not live on what came fast before', () => {
    expect(givenUpAt(100, 60, (second) => (second < 5 ? 1_000_000 : 1))).toBe(20)
  })

  test('counts only while somebody reads', () => {
    expect(givenUpAt(100, 60, () => 0, () => true)).toBeUndefined()
    expect(givenUpAt(100, 60, () => 0, (second) => second < 30)).toBe(40)
  })

  test('is free when nothing is asked for', () => {
    expect(givenUpAt(0, 60, () => 0)).toBeUndefined()
  })
})
