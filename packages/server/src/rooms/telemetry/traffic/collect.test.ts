import { durationBucketsMs, type RequestRecord } from '@pavior/contract'
import { expect, test } from 'vitest'
import { testDatabase } from '../../../../test/kernel.ts'
import { takeTraffic } from './collect.ts'
import type { TrafficSource } from '../ports.ts'
import { readTotals, readTraffic } from './store.ts'

const from = new Date(Math.floor(Date.now() / 10_000) * 10_000 - 60_000)
const range = { team: 'blue', app: 'shop', environment: 'production', from: new Date(from.getTime() - 60_000), until: new Date(from.getTime() + 60_000) }

function record(sequence: number, over: Partial<RequestRecord> = {}): RequestRecord {
  const durationBuckets = [...durationBucketsMs.map(() => 0), 0]
  durationBuckets[2] = 10
  return {
    sequence, from: from.toISOString(), intervalMs: 10_000, team: 'blue', app: 'shop', environment: 'production', release: 1, instance: `i-${sequence}`,
    statusClasses: [0, 9, 0, 0, 1], routerErrors: 1, durationBuckets, durationSumMs: 40, bytesIn: 100, bytesOut: 1000, ...over,
  }
}

/** A spool that gives up to two records at a time, as the agent gives a bounded batch. */
function source(records: RequestRecord[]): TrafficSource {
  return {
    name: 'agent',
    requests: async (after) => {
      const batch = records.filter(({ sequence }) => sequence > after).slice(0, 2)
      return { records: batch, last: batch.at(-1)?.sequence ?? Math.min(after, records.at(-1)?.sequence ?? 0) }
    },
  }
}

test('records are taken once, added up by release, and taken again from a spool that began anew', async () => {
  const database = await testDatabase()
  const spool = source([record(1), record(2), record(3, { release: 2 })])
  expect(await takeTraffic(database, spool)).toBe(2)
  expect(await takeTraffic(database, spool)).toBe(1)
  expect(await takeTraffic(database, spool)).toBe(0)
  const intervals = await readTraffic(database, range)
  expect(intervals.map(({ release, statuses, durations, routerErrors, bytesOut }) => [release, statuses, durations[2], routerErrors, bytesOut])).toEqual([
    [1, [0, 18, 0, 0, 2], 20, 2, 2000],
    [2, [0, 9, 0, 0, 1], 10, 1, 1000],
  ])
  expect(await readTotals(database, ['blue'], range.from)).toEqual([{ team: 'blue', app: 'shop', environment: 'production', requests: 30, errors: 3 }])
  expect(await readTotals(database, ['green'], range.from)).toEqual([])

  const anew = source([record(1)])
  expect(await takeTraffic(database, anew)).toBe(0)
  expect(await takeTraffic(database, anew)).toBe(1)
  expect((await readTraffic(database, range))[0]!.statuses).toEqual([0, 27, 0, 0, 3])
})

test('an idle router costs the database nothing, and a spool that began anew is noticed', async () => {
  const database = await testDatabase()
  const known = { sequence: 0 }
  expect(await takeTraffic(database, source([record(1), record(2)]), known)).toBe(2)
  expect(known.sequence).toBe(2)
  const away = { transaction: () => Promise.reject(new Error('nobody should ask')) } as never
  expect(await takeTraffic(away, source([record(1), record(2)]), known)).toBe(0)
  const anew = source([record(1)])
  expect(await takeTraffic(database, anew, known)).toBe(0)
  expect(await takeTraffic(database, anew, known)).toBe(1)
})

test('what could not be stored is not taken, and two who take at once take each record once', async () => {
  const database = await testDatabase()
  const broken = source([record(1, { release: 'not a number' as never })])
  await expect(takeTraffic(database, broken)).rejects.toThrow()
  const spool = source(Array.from({ length: 20 }, (_, index) => record(index + 1)))
  const taken = await Promise.all(Array.from({ length: 4 }, async () => {
    let sum = 0
    // One who finds it locked gets nothing, as at the end.
    for (let idle = 0; idle < 20; ) {
      const count = await takeTraffic(database, spool)
      sum += count
      if (count === 0) idle++
    }
    return sum
  }))
  expect(taken.reduce((sum, count) => sum + count, 0)).toBe(20)
  expect((await readTraffic(database, range))[0]!.statuses).toEqual([0, 180, 0, 0, 20])
})
