import { durationBucketsMs } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RequestLedger } from './ledger.ts'
import { metricsText, sumStats } from './metrics.ts'
import { bucketOf, callersOf, mergeCounted, RequestCounter, type CountedRequests } from './records.ts'

const labels = (instance: string): RequestCounter['labels'] => ({ team: 't', app: 'a', environment: 'e', release: 1, instance })

function counted(instance: string, durations: number[]): CountedRequests {
  const counter = new RequestCounter(labels(instance), [])
  for (const duration of durations) counter.add(200, duration, 10, 20, false)
  return counter.take()
}

test('a duration falls into the first bucket that holds it', () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 20_000, noNaN: true }), (duration) => {
    const index = bucketOf(duration)
    expect(duration).toBeLessThanOrEqual(durationBucketsMs[index] ?? Infinity)
    if (index > 0) expect(duration).toBeGreaterThan(durationBucketsMs[index - 1]!)
  }))
})

test('a counter reports itself once until it is taken', () => {
  const changed: RequestCounter[] = []
  const counter = new RequestCounter(labels('i'), changed)
  counter.add(101, 1, 0, 0, false)
  counter.add(599, 1, 0, 0, true)
  counter.add(999, 1, 0, 0, false)
  expect(changed).toEqual([counter])
  expect(counter.take()).toMatchObject({ statusClasses: [1, 0, 0, 0, 2], routerErrors: 1 })
  counter.add(200, 1, 0, 0, false)
  expect(changed).toHaveLength(2)
  expect(counter.take()).toMatchObject({ statusClasses: [0, 1, 0, 0, 0], routerErrors: 0 })
})

test('merging keeps every request, one entry an instance', () => {
  const some = fc.array(fc.tuple(fc.constantFrom('i', 'j', 'k'), fc.array(fc.nat(2_000), { maxLength: 5 })), { maxLength: 6 })
  fc.assert(fc.property(some, (given) => {
    const merged = mergeCounted(given.map(([instance, durations]) => [counted(instance, durations)]))
    expect(new Set(merged.map(({ instance }) => instance)).size).toBe(merged.length)
    expect(merged.reduce((sum, { statusClasses }) => sum + statusClasses[1], 0)).toBe(given.flatMap(([, durations]) => durations).length)
  }))
})

test('the ledger gives an interval out once, when every worker had time to report it', () => {
  const ledger = new RequestLedger(10_000)
  ledger.add(20_000, [counted('i', [1])])
  ledger.add(20_000, [counted('i', [2])])
  ledger.add(30_000, [counted('j', [3])])
  expect(ledger.take(30_500)).toEqual([])
  const [first, ...others] = ledger.take(31_500)
  expect(others).toEqual([])
  expect(first).toMatchObject({ sequence: 1, from: new Date(20_000).toISOString(), intervalMs: 10_000 })
  expect(first).toMatchObject({ instance: 'i', durationSumMs: 3, bytesIn: 20, bytesOut: 40 })
  expect(ledger.take(Infinity)).toMatchObject([{ sequence: 2, instance: 'j' }])
  expect(ledger.take(Infinity)).toEqual([])
})

test('metrics are sums over the workers', () => {
  const one = { ...sumStats([]), connections: 2, errors: { APP_TIMEOUT: 1 } }
  const text = metricsText(sumStats([one, one]), 2, 1, 7)
  expect(text).toContain('\npavior_router_connections 4\n')
  expect(text).toContain('\npavior_router_errors_total{code="APP_TIMEOUT"} 2\n')
  expect(text).toContain('\npavior_router_generation 7\n')
})

test('calls are told by app, those that nobody could name without a name, and those from elsewhere not at all', () => {
  const tally = fc.record({ requests: fc.nat(1_000), errors: fc.nat(10) })
  fc.assert(fc.property(fc.array(fc.dictionary(fc.constantFrom('t/a', 't/b', '', '?'), tally, { noNullPrototype: true })), (lists) => {
    const [merged] = mergeCounted(lists.map((calls) => [{ ...counted('i', []), calls }]))
    const requests = (caller: string): number => lists.reduce((sum, calls) => sum + (calls[caller]?.requests ?? 0), 0)
    const told = Object.fromEntries(callersOf(merged?.calls).map((one) => [`${one.team}/${one.app}`, one.requests]))
    const expected = [['t/a', requests('t/a')], ['t/b', requests('t/b')], ['/', requests('?')]].filter(([, sum]) => sum !== 0)
    expect(told).toEqual(Object.fromEntries(expected))
  }))
})
