import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterFailure, fewestItems, inOrder, larger, mostItems, statusOf, wants, type Progress } from './plan.ts'
import { joined, takePoints } from './points.ts'

const pointsOf = (times: number[]): { times: Float64Array; values: Float64Array } => ({ times: Float64Array.from(times), values: Float64Array.from(times, (time) => time * 2) })

test('whatever the parts are that a batch is taken in, every point that is wanted is taken once, in order', () => {
  const batch = fc.array(fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 8 }), { maxLength: 8 })
  fc.assert(fc.property(batch, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 30 }), fc.func(fc.boolean()), (series, items, bytes, isWanted) => {
    const decoded = series.map((times, id) => [id, pointsOf(times)] as const)
    const weigh = (id: number): number | undefined => (isWanted(id) ? 10 : undefined)
    const taken: [number, number][] = []
    let skip = 0
    for (let rounds = 0; ; rounds++) {
      expect(rounds).toBeLessThan(100)
      const slice = takePoints(decoded, { skip, items, bytes }, weigh)
      expect(slice.count).toBeLessThanOrEqual(items)
      for (const [id, { times, values }] of slice.taken) {
        expect([...values]).toEqual([...times].map((time) => time * 2))
        for (const time of times) taken.push([id, time])
      }
      if (slice.done === undefined) break
      expect(slice.done).toBeGreaterThan(skip)
      skip = slice.done
    }
    expect(taken).toEqual(decoded.flatMap(([id, { times }]) => (isWanted(id) ? [...times].map((time): [number, number] => [id, time]) : [])))
  }))
})

test('a series is sent in the order of time, of each time what was written last, and an end of it stays one', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer())), (points) => {
    const given = { labels: {}, times: Float64Array.from(points, ([time]) => time), values: Float64Array.from(points, ([, value]) => value) }
    const { times, values } = inOrder(given)
    const last = new Map(points)
    expect([...times]).toEqual([...last.keys()].sort((one, other) => one - other))
    expect([...values]).toEqual([...times].map((time) => last.get(time)))
  }))
  const stale = new Float64Array(new BigUint64Array([0x7ff0000000000002n, 0x7ff8000000000000n]).buffer)
  const sorted = inOrder({ labels: {}, times: new Float64Array([2, 1]), values: stale })
  expect([...new BigUint64Array(joined([sorted, pointsOf([3])]).values.buffer)].slice(0, 2)).toEqual([0x7ff8000000000000n, 0x7ff0000000000002n])
})

test('what will never be taken is sent in ever smaller parts, and then dropped; everything else waits, as long as is asked', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.boolean(), (items, large) => {
    let [size, rounds] = [items, 0]
    for (;;) {
      const then = afterFailure({ refused: !large, large }, size, 0, 0.5)
      if (then.do === 'drop') break
      expect(then.do).toBe('split')
      size = (then as { atMost: number }).atMost
      expect(rounds++).toBeLessThan(20)
    }
    expect(size).toBeLessThanOrEqual(large ? 1 : fewestItems)
  }))
  fc.assert(fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.option(fc.nat({ max: 1e7 }), { nil: undefined }), (failures, lot, retryAfterMs) => {
    const then = afterFailure(retryAfterMs === undefined ? {} : { retryAfterMs }, 10, failures, lot) as { do: string; ms: number }
    expect(then.do).toBe('wait')
    expect(then.ms).toBeGreaterThanOrEqual(Math.min(60_000, Math.max(500, retryAfterMs ?? 0)))
    expect(then.ms).toBeLessThanOrEqual(60_000)
  }))
  expect(larger(4000, 'metrics')).toBe(mostItems.metrics)
})

test('only the apps and environments that are named', () => {
  expect(wants({}, { app: 'a', environment: 'p' })).toBe(true)
  expect(wants({ apps: ['b'] }, { app: 'a', environment: 'p' })).toBe(false)
  expect(wants({ apps: ['a'], environments: ['s'] }, { app: 'a', environment: 'p' })).toBe(false)
})

test('an export does as its worst signal does', () => {
  const now = new Date('2026-03-02T12:00:00Z')
  const progress = (over: Partial<Progress>): Progress => ({ signal: 'logs', beganAt: new Date('2026-03-02T10:00:00Z'), behindSince: undefined, sent: 0, refused: 0, tooOld: 0, gone: 0, lastSuccessAt: undefined, failingSince: undefined, message: undefined, ...over })
  expect(statusOf([progress({})], now)).toMatchObject({ state: 'Waiting', lagSeconds: 0 })
  const well = progress({ signal: 'metrics', sent: 5, lastSuccessAt: now })
  const failing = progress({ failingSince: new Date('2026-03-02T11:59:00Z'), behindSince: new Date('2026-03-02T11:58:30Z'), message: 'It answered 503.', tooOld: 2, refused: 1 })
  expect(statusOf([failing, well], now)).toMatchObject({ state: 'Failing', message: 'It answered 503.', since: '2026-03-02T11:59:00.000Z', lagSeconds: 90, sent: 5, dropped: 3, signals: [{ signal: 'metrics', state: 'Exporting' }, { signal: 'logs', dropped: { refused: 1, too_old: 2 } }] })
})
