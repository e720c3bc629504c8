import type { OnCallLayer, OnCallScheduleSpec } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gapsOf, onCallAt, shiftsOf } from './plan.ts'

const weekly: OnCallLayer = { name: 'primary', users: ['ada', 'bob', 'eve'], start: '2026-01-05' }
const berlin: OnCallScheduleSpec = { timeZone: 'Europe/Berlin', layers: [weekly] }
const at = (text: string): number => Date.parse(text)
const told = (spec: OnCallScheduleSpec, from: string, until: string): string[] => shiftsOf(spec, at(from), at(until)).map(({ user = 'nobody', layer = '-', fromMs }) => `${new Date(fromMs).toISOString().slice(0, 16)} ${user} ${layer}`)

describe('turns', () => {
  test('change every week at nine on the wall, whatever the clocks of machines say', () => {
    expect(told(berlin, '2026-03-17T00:00:00Z', '2026-04-07T00:00:00Z')).toEqual([
      '2026-03-17T00:00 bob primary', '2026-03-23T08:00 eve primary', '2026-03-30T07:00 ada primary', '2026-04-06T07:00 bob primary',
    ])
  })

  test('hand over once in the hour that comes twice, and in the one that is left out', () => {
    const nightly: OnCallScheduleSpec = { timeZone: 'Europe/Berlin', layers: [{ ...weekly, every: 'day', handoff: '02:30' }] }
    expect(told(nightly, '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z').map((line) => line.slice(0, 16))).toEqual(['2026-10-24T12:00', '2026-10-25T00:30', '2026-10-26T01:30'])
    expect(told(nightly, '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z').map((line) => line.slice(0, 16))).toEqual(['2026-03-28T12:00', '2026-03-29T01:30', '2026-03-30T00:30'])
  })

  test('nobody is on call before the first', () => {
    expect(told(berlin, '2026-01-05T00:00:00Z', '2026-01-06T00:00:00Z')).toEqual(['2026-01-05T00:00 nobody -', '2026-01-05T08:00 ada primary'])
  })
})

describe('layers', () => {
  const office: OnCallLayer = { name: 'office', users: ['gus'], start: '2026-01-05', within: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' }, holidays: 'never' }

  test('a later one stands in where it holds, but not on holidays', () => {
    expect(told({ ...berlin, layers: [weekly, office], holidays: ['2026-01-13'] }, '2026-01-12T12:00:00Z', '2026-01-14T12:00:00Z')).toEqual([
      '2026-01-12T12:00 gus office', '2026-01-12T16:00 bob primary', '2026-01-14T08:00 gus office',
    ])
  })

  test('hours over midnight belong to the day on which they begin', () => {
    const nights: OnCallLayer = { name: 'night', users: ['zoe'], start: '2026-01-01', handoff: '00:00', within: { days: ['fri'], from: '22:00', to: '06:00' } }
    expect(told({ timeZone: 'UTC', layers: [nights] }, '2026-01-09T00:00:00Z', '2026-01-11T00:00:00Z')).toEqual(['2026-01-09T00:00 nobody -', '2026-01-09T22:00 zoe night', '2026-01-10T06:00 nobody -'])
  })

  test('the last override decides', () => {
    const overrides = [{ user: 'eve', from: '2026-01-13T10:00:00Z', until: '2026-01-13T20:00:00Z' }, { user: 'gus', from: '2026-01-13T12:00:00Z', until: '2026-01-13T13:00:00Z' }]
    expect(told({ ...berlin, overrides }, '2026-01-13T00:00:00Z', '2026-01-14T00:00:00Z')).toEqual([
      '2026-01-13T00:00 bob primary', '2026-01-13T10:00 eve -', '2026-01-13T12:00 gus -', '2026-01-13T13:00 eve -', '2026-01-13T20:00 bob primary',
    ])
  })
})

const timeOfDay = fc.tuple(fc.nat(23), fc.constantFrom(0, 15, 30)).map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`)
const layer = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    users: fc.array(fc.constantFrom('ada', 'bob', 'eve'), { minLength: 1, maxLength: 4 }),
    start: fc.constantFrom('2025-12-01', '2026-03-20', '2026-03-29'),
    every: fc.constantFrom('day' as const, 'week' as const),
    count: fc.integer({ min: 1, max: 3 }),
    handoff: timeOfDay,
    within: fc.record({ days: fc.subarray(['mon', 'wed', 'sat', 'sun'] as const, { minLength: 1 }), from: timeOfDay, to: timeOfDay }, { requiredKeys: ['from', 'to'] }),
    holidays: fc.constantFrom('also' as const, 'only' as const, 'never' as const),
  },
  { requiredKeys: ['name', 'users', 'start'] },
)
const schedule: fc.Arbitrary<OnCallScheduleSpec> = fc.record({
  timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'),
  layers: fc.array(layer, { minLength: 1, maxLength: 3 }) as fc.Arbitrary<OnCallLayer[]>,
  holidays: fc.subarray(['2026-03-28', '2026-03-29', '2026-04-05']),
})

test('shifts follow each other, differ from their neighbours, and are what every moment of them says', () => {
  fc.assert(
    fc.property(schedule, fc.integer({ min: 0, max: 20 * 24 }), fc.integer({ min: 1, max: 10 * 24 }), fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 20 }), (spec, hoursIn, hours, places) => {
      const fromMs = at('2026-03-20T00:00:00Z') + hoursIn * 3600_000
      const untilMs = fromMs + hours * 3600_000
      const shifts = shiftsOf(spec, fromMs, untilMs)
      expect([shifts[0]!.fromMs, shifts.at(-1)!.untilMs]).toEqual([fromMs, untilMs])
      for (const [index, next] of shifts.slice(1).entries()) {
        expect(next.fromMs).toBe(shifts[index]!.untilMs)
        expect([next.user, next.layer]).not.toEqual([shifts[index]!.user, shifts[index]!.layer])
      }
      for (const place of places) {
        const moment = Math.floor(fromMs + place * (untilMs - fromMs))
        const { user, layer } = shifts.find((shift) => shift.fromMs <= moment && moment < shift.untilMs)!
        expect({ user, layer }).toEqual(onCallAt(spec, moment))
      }
      expect(gapsOf(shifts).every(({ user }) => user === undefined)).toBe(true)
    }),
    { numRuns: 60 },
  )
})
