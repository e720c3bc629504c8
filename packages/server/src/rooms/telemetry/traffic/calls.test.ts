import { durationBucketsMs, type CallerCounts, type RequestRecord } from '@pavior/contract'
import { expect, test } from 'vitest'
import { testDatabase } from '../../../../test/kernel.ts'
import { addCalls, calledBy, callsOf, pruneCalls } from './calls.ts'

const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 600_000)
const shop = { team: 'blue', app: 'shop' }
const stock = { team: 'green', app: 'stock' }

function record(callers: CallerCounts[], offsetMs = 0, over: Partial<RequestRecord> = {}): RequestRecord {
  return {
    sequence: 1, from: new Date(minute.getTime() + offsetMs).toISOString(), intervalMs: 10_000, ...stock, environment: 'production', release: 1, instance: 'i',
    statusClasses: [0, 0, 0, 0, 0], routerErrors: 0, durationBuckets: durationBucketsMs.map(() => 0), durationSumMs: 0, bytesIn: 0, bytesOut: 0, callers, ...over,
  }
}

test('calls are added up by minute and pair, and who is new is told once', async () => {
  const database = await testDatabase()
  const add = (records: RequestRecord[]) => database.transaction((tx) => addCalls(tx, records))
  expect(await add([record([{ ...shop, requests: 3, errors: 1 }]), record([{ ...shop, requests: 4, errors: 0 }], 10_000), record([{ team: '', app: '', requests: 2, errors: 0 }], 20_000)])).toEqual([shop])
  expect(await add([record([{ ...shop, requests: 5, errors: 0 }, { ...stock, requests: 9, errors: 9 }], 60_000)])).toEqual([])
  expect((await database.query(`select requests::int from traffic_calls where from_app <> '' order by at`)).rows).toEqual([{ requests: 7 }, { requests: 5 }])
  const lastSeenAt = new Date(minute.getTime() + 60_000)
  const pair = { from: shop, to: stock, lastSeenAt }
  expect(await callsOf(database, [stock], minute)).toEqual([{ ...pair, requests: 12, errors: 1, unknown: 2 }])
  expect(await callsOf(database, [shop], new Date(minute.getTime() + 1))).toEqual([{ ...pair, requests: 5, errors: 0, unknown: 0 }])
  expect(await callsOf(database, [{ team: 'blue', app: 'stock' }], minute)).toEqual([])
  expect(await calledBy(database, shop, lastSeenAt)).toEqual([stock])
  expect(await calledBy(database, shop, new Date(lastSeenAt.getTime() + 1))).toEqual([])
})

test('counts end before what they showed, and who comes again after that is new again', async () => {
  const database = await testDatabase()
  const add = (records: RequestRecord[]) => database.transaction((tx) => addCalls(tx, records))
  await add([record([{ ...shop, requests: 3, errors: 1 }])])
  await pruneCalls(database, 60_000, 3600_000)
  expect(await callsOf(database, [shop], minute)).toMatchObject([{ requests: 0, errors: 0 }])
  await pruneCalls(database, 60_000, 60_000)
  expect(await callsOf(database, [shop], minute)).toEqual([])
  expect(await add([record([{ ...shop, requests: 1, errors: 0 }])])).toEqual([shop])
})
