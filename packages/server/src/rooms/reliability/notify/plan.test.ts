import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterFailure, giveUpMs, nextTelling, retryAfterMs, type Escalation } from './plan.ts'

const at = (minutes: number): Date => new Date(minutes * 60_000)
const levels = [{ users: ['ada'], minutes: 5 }, { users: ['bob'], minutes: 10 }]

test('levels follow each other by their times, all of them so many times, and then nobody more', () => {
  const told: string[] = []
  let before: Escalation | undefined
  for (let minute = 0; minute < 100; minute++) {
    const next = nextTelling({ levels, repeat: 2 }, before, 'page', at(minute))
    if (!next) continue
    told.push(`${minute}: ${next.level}/${next.round}`)
    before = next
  }
  expect(told).toEqual(['0: 1/1', '5: 2/1', '15: 1/2', '20: 2/2'])
})

test('of a ticket somebody is told once', () => {
  const first = nextTelling({ levels }, undefined, 'ticket', at(0))
  expect(first).toEqual({ level: 1, round: 1 })
  expect(nextTelling({ levels }, first, 'ticket', at(1000))).toBeUndefined()
})

test('whenever it is looked at, no level is told twice in a round or before its time', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ minutes: fc.integer({ min: 1, max: 60 }) }), { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 4 }), fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 100 }), (timed, repeat, steps) => {
      const policy = { levels: timed.map(({ minutes }) => ({ users: ['ada'], minutes })), repeat }
      let [before, now] = [undefined as Escalation | undefined, 0]
      const seen = new Set<string>()
      for (const step of steps) {
        now += step
        const next = nextTelling(policy, before, 'page', at(now))
        if (!next) continue
        if (before) expect(Date.parse(before.nextAt!)).toBeLessThanOrEqual(at(now).getTime())
        expect(seen.has(`${next.round}/${next.level}`)).toBe(false)
        seen.add(`${next.round}/${next.level}`)
        before = next
      }
      expect(seen.size).toBeLessThanOrEqual(timed.length * repeat)
    }),
  )
})

test('pauses grow, have a part by lot, keep to what is asked, and have an end', () => {
  expect([1, 2, 3, 8, 20].map((failures) => retryAfterMs(failures, undefined, 1))).toEqual([2000, 4000, 8000, 256_000, 300_000])
  expect(retryAfterMs(1, undefined, 0)).toBe(1000)
  expect(retryAfterMs(1, 30_000, 0)).toBe(30_000)
  expect(retryAfterMs(1, 1e9, 0)).toBe(300_000)
})

test('a failure is tried again, handed over, or the end', () => {
  const of = { attempts: 1, ageMs: 0, final: false, fallback: false, failuresBeforeFallback: 3 }
  expect(afterFailure(of, 1)).toEqual({ state: 'Queued', afterMs: 2000 })
  expect(afterFailure({ ...of, fallback: true }, 1)).toEqual({ state: 'Queued', afterMs: 2000 })
  expect(afterFailure({ ...of, fallback: true, attempts: 3 }, 1)).toEqual({ state: 'HandedOver' })
  expect(afterFailure({ ...of, fallback: true, final: true }, 1)).toEqual({ state: 'HandedOver' })
  expect(afterFailure({ ...of, final: true }, 1)).toEqual({ state: 'Failed' })
  expect(afterFailure({ ...of, ageMs: giveUpMs }, 1)).toEqual({ state: 'Failed' })
})
