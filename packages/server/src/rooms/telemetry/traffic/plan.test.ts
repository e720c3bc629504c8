import { durationBucketsMs } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quantile, stepFor, trafficOf, type Interval } from './plan.ts'

const buckets = durationBucketsMs.length + 1
const histogram = fc.array(fc.nat(1000), { minLength: buckets, maxLength: buckets })

function interval(at: number, release: number, statuses: number[], durations: number[] = Array.from({ length: buckets }, () => 0)): Interval {
  return { at, release, statuses, routerErrors: 0, durations, durationMs: 0, bytesIn: 0, bytesOut: 0 }
}

describe('quantiles', () => {
  test('lie within the bucket that holds the rank, as Prometheus interpolates', () => {
    const durations = Array.from({ length: buckets }, () => 0)
    durations[3] = 10
    expect(quantile(0.5, durations)).toBe(7.5)
    expect(quantile(1, durations)).toBe(10)
    expect(quantile(0.5, [])).toBeNull()
    durations[buckets - 1] = 1000
    expect(quantile(0.99, durations)).toBe(10_000)
  })

  test('rise with the share, and stay between nothing and the last bound', () => {
    fc.assert(
      fc.property(histogram, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (durations, one, other) => {
        const [low, high] = [quantile(Math.min(one, other), durations), quantile(Math.max(one, other), durations)]
        if (low === null || high === null) {
          expect(durations.every((count) => count === 0)).toBe(true)
          return
        }
        expect(low).toBeLessThanOrEqual(high)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(durationBucketsMs.at(-1)!)
      }),
    )
  })
})

describe('series', () => {
  test('add up what fell into a step, for all and by release', () => {
    const traffic = trafficOf([interval(0, 1, [0, 30, 0, 5, 10]), interval(10_000, 1, [0, 30, 0, 0, 0]), interval(20_000, 2, [0, 60, 0, 0, 0])], { fromMs: 0, untilMs: 60_000, stepSeconds: 30 })
    expect(traffic.times).toEqual([0, 30])
    expect(traffic.all.requestsPerSecond).toEqual([(45 + 30 + 60) / 30, 0])
    expect(traffic.all.errorsPerSecond).toEqual([10 / 30, 0])
    expect(traffic.all.p50Ms).toEqual([null, null])
    expect(traffic.releases.map(({ release, series }) => [release, series.requestsPerSecond[0]])).toEqual([
      [1, 2.5],
      [2, 2],
    ])
    expect(traffic.totals).toMatchObject({ requests: 135, errors: 10, clientErrors: 5 })
  })

  test('lose no request that lies within the range', () => {
    const one = fc.record({ at: fc.integer({ min: 0, max: 3_600_000 }).map((at) => Math.floor(at / 10_000) * 10_000), release: fc.integer({ min: 1, max: 3 }), count: fc.nat(100) })
    fc.assert(
      fc.property(fc.array(one), fc.constantFrom(10, 30, 60, 300), (given, stepSeconds) => {
        const traffic = trafficOf(given.map(({ at, release, count }) => interval(at, release, [0, count, 0, 0, 0])), { fromMs: 0, untilMs: 3_610_000, stepSeconds })
        const seen = traffic.all.requestsPerSecond.reduce((sum, rate) => sum + rate * stepSeconds, 0)
        expect(seen).toBeCloseTo(given.reduce((sum, { count }) => sum + count, 0), 3)
        const byRelease = traffic.releases.flatMap(({ series }) => series.requestsPerSecond).reduce((sum, rate) => sum + rate * stepSeconds, 0)
        expect(byRelease).toBeCloseTo(seen, 3)
      }),
    )
  })

  test('have a usual step and never more points than asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 90 * 86_400 }), fc.integer({ min: 10, max: 1000 }), (seconds, points) => {
        const step = stepFor(0, seconds * 1000, points)
        expect(seconds / step).toBeLessThanOrEqual(points)
      }),
    )
    expect(stepFor(0, 3600_000, 360)).toBe(10)
    expect(stepFor(0, 86_400_000, 360)).toBe(300)
  })
})
