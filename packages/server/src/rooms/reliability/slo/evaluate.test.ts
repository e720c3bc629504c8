/** Objectives over real tables: late counts, downtime, replicas, a crash, another window. */
import { burnWindows, durationBucketsMs, type RequestRecord, type SloSpec } from '@pavior/contract'
import { expect, test } from 'vitest'
import { testDatabase } from '../../../../test/kernel.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { takeTraffic } from '../../telemetry/traffic/collect.ts'
import { trafficMinutes } from '../../telemetry/traffic/minutes.ts'
import { evaluate, type Slo } from './evaluate.ts'
import { budgetShare, burnShare, ruleOf, windowNames, type Share } from './plan.ts'
import { pruneSlos, type Kept } from './store.ts'
import { defaultWindow, windowStart } from './window.ts'

const minuteMs = 60_000
const signalsOf = (database: Database) => ({ minutes: trafficMinutes(database) })
const origin = Math.floor(Date.parse('2026-03-10T12:10:00Z') / minuteMs)
const at = (minute: number): Date => new Date(minute * minuteMs + 30_000)

interface Event {
  minute: number
  good: number
  bad: number
  release?: number
}

/** Traffic as the agent would hand it over, and what was handed over so far. */
function router(database: Database) {
  const events: Event[] = []
  const records: RequestRecord[] = []
  const known = { sequence: 0 }
  return {
    events,
    send: async (...batch: Event[]): Promise<void> => {
      events.push(...batch)
      for (const { minute, good, bad, release = 1 } of batch) {
        const durationBuckets = [...durationBucketsMs.map(() => 0), 0]
        durationBuckets[5] = good
        durationBuckets[10] = bad
        records.push({
          sequence: records.length + 1, from: new Date(minute * minuteMs + (records.length % 12) * 5000).toISOString(), intervalMs: 5000, team: 'blue', app: 'shop', environment: 'production', release, instance: 'i',
          statusClasses: [0, good, 0, 0, bad], routerErrors: 0, durationBuckets, durationSumMs: 0, bytesIn: 0, bytesOut: 0,
        })
      }
      await takeTraffic(database, { name: 'agent', requests: async (after) => ({ records: records.filter(({ sequence }) => sequence > after), last: records.length }) }, known)
    },
  }
}

let numbered = 0
function slo(spec: Partial<SloSpec> = {}, uid = `00000000-0000-4000-8000-${String(++numbered).padStart(12, '0')}`): Slo {
  return { apiVersion: 'pavior.dev/v1', kind: 'Slo', metadata: { name: 'shop', namespace: 'blue', uid } as never, spec: { app: 'shop', indicator: { golden: 'requests' }, objective: 0.99, ...spec } }
}

function expected({ spec }: Slo, events: Event[], head: number): Record<string, Share> {
  const windows = { budget: windowStart(spec.window ?? defaultWindow, head), ...Object.fromEntries(windowNames.map((name) => [name, head - burnWindows[name] + 1])) }
  return Object.fromEntries(Object.entries(windows).map(([name, from]) => {
    const inside = events.filter(({ minute }) => minute >= from && minute <= head)
    return [name, { bad: inside.reduce((sum, { bad }) => sum + bad, 0), total: inside.reduce((sum, { good, bad }) => sum + good + bad, 0) }]
  }))
}

function found({ spec, metadata }: Slo, evaluated: { sums: Map<string, Kept>; head: number }): Record<string, Share> {
  const kept = evaluated.sums.get(metadata.uid)!
  const rule = ruleOf(spec)
  return { budget: budgetShare(rule, kept, evaluated.head), ...Object.fromEntries(windowNames.map((name) => [name, burnShare(rule, kept, evaluated.head, name)])) }
}

test('steady minutes, late ones, downtime and a new release add up as if all were counted at once', async () => {
  const database = await testDatabase()
  const { send, events } = router(database)
  const objectives = [slo(), slo({ window: { rolling: '3h' } }), slo({ window: { calendar: { period: 'day', timeZone: 'Asia/Kolkata' } } })]
  const look = async (minute: number): Promise<void> => {
    let evaluated = await evaluate(database, signalsOf(database), objectives, new Map(), at(minute))
    while (evaluated!.more) evaluated = await evaluate(database, signalsOf(database), objectives, new Map(), at(minute))
    for (const one of objectives) expect(found(one, evaluated!), JSON.stringify(one.spec.window)).toEqual(expected(one, events, minute))
  }
  // What was there before an objective is counted too.
  await send({ minute: origin - 5000, good: 10, bad: 1 }, { minute: origin - 100, good: 5, bad: 5 }, { minute: origin - 1, good: 90, bad: 10 })
  await look(origin)
  await send({ minute: origin, good: 50, bad: 1 })
  await look(origin)
  await send({ minute: origin, good: 0, bad: 2, release: 2 }, { minute: origin - 30, good: 7, bad: 0 })
  await look(origin + 1)
  for (let minute = origin + 2; minute < origin + 25; minute += 2) {
    await send({ minute, good: minute % 7, bad: minute % 3 }, { minute: minute - 9, good: 1, bad: 1 })
    await look(minute)
  }
  // Away for five hours, with traffic all the time; some of it arrives in the order in which it was spooled, some later.
  const missed = Array.from({ length: 300 }, (_, index): Event => ({ minute: origin + 25 + index, good: 9, bad: index % 50 === 0 ? 3 : 0 }))
  await send(...missed.filter((_, index) => index % 3 > 0))
  await look(origin + 330)
  await send(...missed.filter((_, index) => index % 3 === 0))
  await look(origin + 331)
  // Into the next day in Kolkata.
  await look(Math.floor(Date.parse('2026-03-10T18:31:00Z') / minuteMs))
  await pruneSlos(database, 60, 130 * 1440)
  await look(Math.floor(Date.parse('2026-03-10T18:32:00Z') / minuteMs))
})

test('another window is added up from what is kept, another indicator from the traffic, another objective from nothing at all', async () => {
  const database = await testDatabase()
  const { send, events } = router(database)
  const first = slo()
  await send({ minute: origin - 200, good: 3, bad: 2 }, { minute: origin - 2, good: 8, bad: 1 })
  const look = (one: Slo): Promise<Awaited<ReturnType<typeof evaluate>>> => evaluate(database, signalsOf(database), [one], new Map(), at(origin))
  const before = (await look(first))!.sums.get(first.metadata.uid)
  const stricter = slo({ objective: 0.9999 }, first.metadata.uid)
  expect((await look(stricter))!.sums.get(first.metadata.uid)).toEqual(before)
  const shorter = slo({ window: { rolling: '1h' } }, first.metadata.uid)
  expect(found(shorter, (await look(shorter))!)).toEqual(expected(shorter, events, origin))
  const slices = slo({ budgeting: 'Timeslices', timeSlice: { target: 0.8 } }, first.metadata.uid)
  expect(found(slices, (await look(slices))!).budget).toEqual({ bad: 1, total: 201 })
  const latency = slo({ indicator: { golden: 'latency', thresholdMs: 500 } }, first.metadata.uid)
  expect(found(latency, (await look(latency))!).budget).toEqual({ bad: 3, total: 14 })
})

test('two replicas count each minute once, and one that dies in between loses nothing', async () => {
  const database = await testDatabase()
  const { send, events } = router(database)
  const one = slo()
  await evaluate(database, signalsOf(database), [one], new Map(), at(origin))
  for (let minute = origin + 1; minute < origin + 12; minute++) {
    await send({ minute, good: 10, bad: 1 })
    const failing = { minutes: { ...signalsOf(database).minutes, ofApp: async () => Promise.reject(new Error('killed')) } }
    // A new objective in the same look fails after the minutes were written, and takes all of it back.
    await expect(evaluate(database, failing, [one, slo()], new Map(), at(minute))).rejects.toThrow('killed')
    const both = await Promise.all([evaluate(database, signalsOf(database), [one], new Map(), at(minute)), evaluate(database, signalsOf(database), [one], new Map(), at(minute))])
    const last = both.findLast((evaluated) => evaluated !== undefined)!
    expect(found(one, last)).toEqual(expected(one, events, minute))
  }
})

test('a clock that is set back a day is followed', async () => {
  const database = await testDatabase()
  const { send, events } = router(database)
  const one = slo()
  await evaluate(database, signalsOf(database), [one], new Map(), at(origin))
  await send({ minute: origin - 1500, good: 4, bad: 1 }, { minute: origin, good: 10, bad: 1 })
  await evaluate(database, signalsOf(database), [one], new Map(), at(origin))
  const back = await evaluate(database, signalsOf(database), [one], new Map(), at(origin - 1440))
  expect(found(one, back!)).toEqual(expected(one, events, origin - 1440))
})

test('what queries gave counts once; what is not known is a gap', async () => {
  const database = await testDatabase()
  const one = slo({ indicator: { threshold: { query: 'up', op: 'gte', value: 1 } }, budgeting: 'Timeslices' })
  await evaluate(database, signalsOf(database), [one], new Map(), at(origin))
  const answers = new Map([[one.metadata.uid, { counted: new Map([[origin, { good: 1, total: 1, gap: 0 as const }], [origin + 1, { good: 0, total: 0, gap: 1 as const }], [origin + 2, { good: 0, total: 1, gap: 0 as const }]]), through: origin + 2, problem: undefined }]])
  await evaluate(database, signalsOf(database), [one], answers, at(origin + 3))
  const again = await evaluate(database, signalsOf(database), [one], answers, at(origin + 3))
  expect(found(one, again!).budget).toEqual({ bad: 1, total: 3 })
  expect(again!.sums.get(one.metadata.uid)).toMatchObject({ queried: origin + 2, budget: { gap: 1 } })
})
