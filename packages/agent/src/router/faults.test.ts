import type { Fault } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RouteFault, RouteFaults, addFaultCounts, type FaultCounts } from './faults.ts'

/** mulberry32: the same seed, the same numbers. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const place = { team: 'blue', app: 'shop', environment: 'staging' }
const faultOf = (over: Partial<Fault>): Fault => ({ id: 'one', gameDay: 'day', ...place, until: new Date(60_000).toISOString(), ...over })
const counts = (): FaultCounts => ({ seen: 0, delayed: 0, failed: 0 })
const of = (fault: Partial<Fault>, random: () => number, endsAt = 60_000, counted = counts()): RouteFault => new RouteFault(faultOf(fault), endsAt, counted, random)

describe('a share of the requests', () => {
  test('is reached within six standard deviations, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 100 }), (seed, percent) => {
        const counted = counts()
        const fault = of({ errors: { status: 503, percent } }, seeded(seed), 60_000, counted)
        const requests = 2000
        let struck = 0
        for (let request = 0; request < requests; request++) if (fault.strike('', 0)) struck++
        const share = percent / 100
        expect(Math.abs(struck - requests * share)).toBeLessThanOrEqual(6 * Math.sqrt(requests * share * (1 - share)) + 1)
        expect(counted).toEqual({ seen: requests, delayed: 0, failed: struck })
      }),
      { numRuns: 50 },
    )
  })

  test('waits as long as was asked for, and never beyond the end', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 70_000 }), (seed, ms, jitter, now) => {
        const jitterMs = Math.min(ms, jitter)
        const strike = of({ latency: { ms, jitterMs, percent: 100 } }, seeded(seed)).strike('', now)
        if (now >= 60_000) {
          expect(strike).toBeUndefined()
          return
        }
        const { delayMs } = strike as { delayMs: number }
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(ms - jitterMs, 60_000 - now))
        expect(delayMs).toBeLessThanOrEqual(Math.min(ms + jitterMs, 60_000 - now))
      }),
    )
  })

  test('is of those that bear the header, where one is named', () => {
    const fault = of({ errors: { status: 500, percent: 100, match: { header: 'X-Test', value: 'yes' } } }, () => 0)
    expect(fault.strike('host: shop\r\nx-test: yes\r\n', 0)).toEqual({ status: 500 })
    expect(fault.strike('host: shop\r\nx-test: no\r\n', 0)).toBeUndefined()
    expect(fault.strike('host: shop\r\n', 0)).toBeUndefined()
  })
})

test('a fault is kept over changes of the table, and what waits goes on when it is taken back', () => {
  const counted: Record<string, FaultCounts> = {}
  const faults = new RouteFaults(counted, { now: () => 0, wallClock: () => 0, random: () => 0 })
  expect(faults.of(place)).toBeUndefined()
  faults.take([faultOf({ latency: { ms: 50_000, percent: 100 } })])
  const first = faults.of(place)!
  faults.take([faultOf({ latency: { ms: 50_000, percent: 100 } })])
  expect(faults.of(place)).toBe(first)
  expect(faults.of({ ...place, app: 'other' })).toBeUndefined()
  let went = 0
  first.holdUp(50_000, () => went++)
  faults.take([])
  expect(went).toBe(1)
  expect(faults.of(place)).toBeUndefined()
  expect(counted.one).toEqual(counts())
})

test('counts of workers add up', () => {
  const sum: Record<string, FaultCounts> = {}
  addFaultCounts(sum, { one: { seen: 3, delayed: 1, failed: 0 } })
  addFaultCounts(sum, { one: { seen: 2, delayed: 0, failed: 2 }, two: { seen: 1, delayed: 0, failed: 0 } })
  expect(sum).toEqual({ one: { seen: 5, delayed: 1, failed: 2 }, two: { seen: 1, delayed: 0, failed: 0 } })
})
