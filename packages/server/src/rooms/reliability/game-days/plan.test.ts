import { gameDayFaults, type FaultTarget, type GameDaySpec, type GameDayStatus, type GameDayStep } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge } from './limits.ts'
import { begun, causesOf, ended, faultOf, goOn, instancesOf, isOver, lengthMs, longestMs, longestUnwatchedMs, mostInstances, nextName, settleMsOf, stateOf, type GameDay } from './plan.ts'
import { spansOf, withReports } from './report.ts'

const start = Date.parse('2026-03-01T10:00:00Z')
const target = (number: number): FaultTarget => ({ instance: `shop-web-1-${number}`, startedAt: '2026-03-01T09:00:00.000Z' })

const step: fc.Arbitrary<GameDayStep> = fc.record({ seconds: fc.integer({ min: 1, max: 120 }), kind: fc.constantFrom(...gameDayFaults), share: fc.integer({ min: 1, max: 50 }), instances: fc.integer({ min: 1, max: 4 }) }).map(({ seconds, kind, share, instances }) => ({
  seconds,
  ...(kind === 'latency' ? { latency: { ms: 100, percent: share } } : {}),
  ...(kind === 'errors' ? { errors: { status: 503, percent: share } } : {}),
  ...(kind === 'kill' ? { kill: { instances } } : {}),
  ...(kind === 'cpu' ? { cpu: { cores: 1, instances } } : {}),
  ...(kind === 'memory' ? { memory: { percent: 80, instances } } : {}),
  ...(kind === 'server' ? { server: {} } : {}),
}))
const plan: fc.Arbitrary<GameDaySpec> = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 6 }), settleSeconds: fc.integer({ min: 10, max: 60 }), percent: fc.integer({ min: 1, max: 100 }), minutes: fc.integer({ min: 1, max: 30 }) }).map(({ steps, settleSeconds, percent, minutes }) => ({ hypothesis: 'It holds whatever comes.', app: 'shop', environment: 'staging', steps, settleSeconds, blastRadius: { percent, minutes } }))

function gameDay(spec: GameDaySpec, status?: GameDayStatus): GameDay {
  return { apiVersion: 'pavior.dev/v1', kind: 'GameDay', metadata: { name: 'day', namespace: 'blue', uid: 'u', resourceVersion: '1', creationTimestamp: '' }, spec, ...(status ? { status } : {}) } as GameDay
}

/** Looks at it with these pauses, and gives every status in its order. */
function live(spec: GameDaySpec, pausesMs: readonly number[], running: number, seen: (look: number) => { allowed?: boolean; abort?: string } = () => ({})): { at: number; status: GameDayStatus }[] {
  let at = start
  let status = begun(spec, 'user:ana', new Date(at))
  const lived = [{ at, status }]
  pausesMs.forEach((pause, look) => {
    at += pause
    const { allowed = true, abort } = seen(look)
    status = { ...goOn(gameDay(spec, status), { now: new Date(at), allowed, serving: Array.from({ length: running }, (_, number) => target(number)), abort }), lookedAt: new Date(at).toISOString() }
    lived.push({ at, status })
  })
  return lived
}

const pauses = fc.array(fc.integer({ min: 1, max: longestUnwatchedMs - 1 }), { minLength: 1, maxLength: 80 })

describe('however often it is looked at', () => {
  test('at most one fault is at work, never beyond its end, and none when it is over', () => {
    fc.assert(
      fc.property(plan, pauses, fc.integer({ min: 0, max: 8 }), (spec, pausesMs, running) => {
        for (const { status } of live(spec, pausesMs, running)) {
          const fault = faultOf(gameDay(spec, status))
          const working = status.steps!.filter(({ state }) => state === 'Running')
          expect(working.length).toBeLessThanOrEqual(1)
          if (isOver(stateOf(status))) expect([fault, working]).toEqual([undefined, []])
          if (!fault) continue
          const index = status.steps!.indexOf(working[0]!)
          expect(Date.parse(fault.until) - Date.parse(working[0]!.from!)).toBe(spec.steps[index]!.seconds * 1000)
          const hit = [fault.kill, fault.cpu, fault.memory].flatMap((effect) => effect?.targets ?? [])
          expect(hit.length).toBe(instancesOf(spec.steps[index]!))
          expect(hit.length).toBeLessThanOrEqual(mostInstances(spec, running))
        }
      }),
    )
  })

  test('steps go forward only, one after the other, and what is over stays over', () => {
    const order = ['Pending', 'Running', 'Settling', 'Done', 'Cut', 'Skipped']
    fc.assert(
      fc.property(plan, pauses, (spec, pausesMs) => {
        const lived = live(spec, pausesMs, 8)
        for (const [index, { status }] of lived.slice(1).entries()) {
          const before = lived[index]!.status
          if (isOver(stateOf(before))) expect(stateOf(status)).toBe(stateOf(before))
          status.steps!.forEach(({ state }, at) => {
            expect(order.indexOf(state)).toBeGreaterThanOrEqual(order.indexOf(before.steps![at]!.state))
            if (state === 'Running' || state === 'Settling') expect(status.steps!.slice(at + 1).every((later) => later.state === 'Pending')).toBe(true)
          })
        }
      }),
    )
  })

  test('it comes to an end by the clock', () => {
    fc.assert(
      fc.property(plan, (spec) => {
        const looks = Math.ceil((longestMs(spec) + 2000) / 1000)
        const last = live(spec, Array.from({ length: looks }, () => 1000), 8).at(-1)!
        expect(isOver(stateOf(last.status))).toBe(true)
        if (lengthMs(spec) + spec.steps.length * 2000 < longestMs(spec) && spec.steps.every((each) => instancesOf(each) <= mostInstances(spec, 8))) expect(last.status.state).toBe('Finished')
      }),
      { numRuns: 30 },
    )
  })

  test('everything ends at the look that sees a reason', () => {
    fc.assert(
      fc.property(plan, fc.integer({ min: 0, max: 20 }), fc.boolean(), (spec, when, forbidden) => {
        const lived = live(spec, Array.from({ length: 22 }, () => 1000), 8, (look) => (look < when ? {} : forbidden ? { allowed: false } : { abort: 'It hurts.' }))
        const { status } = lived[when + 1]!
        expect(isOver(stateOf(status))).toBe(true)
        expect(faultOf(gameDay(spec, status))).toBeUndefined()
        if (isOver(stateOf(lived[when]!.status))) return
        expect(status).toMatchObject({ state: 'Aborted', reason: forbidden ? 'The environment staging does not allow faults any more.' : 'It hurts.' })
      }),
    )
  })
})

describe('when nobody could look', () => {
  const spec = (one: GameDayStep): GameDaySpec => ({ hypothesis: 'It holds whatever comes.', app: 'shop', environment: 'staging', blastRadius: { minutes: 60 }, steps: [one, { seconds: 60, latency: { ms: 1, percent: 1 } }] })

  test('for too long it ends', () => {
    const { status } = live(spec({ seconds: 600, latency: { ms: 1, percent: 1 } }), [1000, longestUnwatchedMs + 1], 2).at(-1)!
    expect(status).toMatchObject({ state: 'Aborted', reason: 'Nobody could look for 60 s, because the control plane was away.', steps: [{ state: 'Cut' }, { state: 'Skipped' }] })
  })

  test('because that is what is tried out, it goes on, unless it lasts much longer', () => {
    const away = spec({ seconds: 300, server: {} })
    expect(live(away, [1000, 301_000], 2).at(-1)!.status).toMatchObject({ state: 'Running', steps: [{ state: 'Settling' }, { state: 'Pending' }] })
    expect(live(away, [1000, 300_000 + longestUnwatchedMs + 1], 2).at(-1)!.status.state).toBe('Aborted')
  })
})

test('plans that reach too far, last too long or say two things at once are refused', () => {
  const base = { hypothesis: 'It holds whatever comes.', app: 'shop', environment: 'staging' }
  const fields = (spec: Partial<GameDaySpec>): string[] => causesOf({ ...base, steps: [{ seconds: 10, latency: { ms: 10, percent: 5 } }], ...spec }).map(({ field }) => field)
  expect(fields({})).toEqual([])
  expect(fields({ steps: [{ seconds: 10, errors: { status: 503, percent: 26 } }] })).toEqual(['spec.steps[0].errors.percent'])
  expect(fields({ steps: [{ seconds: 10, errors: { status: 503, percent: 100, match: { header: 'x-game', value: 'day' } } }] })).toEqual([])
  expect(fields({ steps: [{ seconds: 10 }] })).toEqual(['spec.steps[0]'])
  expect(fields({ steps: [{ seconds: 10, kill: {}, cpu: { cores: 1 } }] })).toEqual(['spec.steps[0]'])
  expect(fields({ steps: [{ seconds: 10, latency: { ms: 10, jitterMs: 11, percent: 5 } }] })).toEqual(['spec.steps[0].latency.jitterMs'])
  expect(fields({ steps: [{ seconds: 1800, kill: {} }] })).toEqual(['spec.steps'])
  expect(fields({ abort: [{ slo: 'fast' }, { burnRate: 2 }, { errorPercent: 1, p95Ms: 2 }, {}, { query: 'up' }, { query: 'up', above: 0 }, { slo: 'fast', burnRate: 2 }] })).toEqual(['spec.abort[0]', 'spec.abort[1]', 'spec.abort[2]', 'spec.abort[3]', 'spec.abort[4]'])
})

describe('conditions', () => {
  const figures = { requests: 200, errorPercent: 6, p95Ms: 300 }

  test('end it above their limit only, and never by a handful of requests', () => {
    expect(judge([{ errorPercent: 6 }, { p95Ms: 299 }], { figures, values: [] }).reason).toBe('95th percentile: 300 ms, and more than 299 ms ends it.')
    expect(judge([{ errorPercent: 5 }], { figures, values: [] }).reason).toBe('Requests that fail: 6 %, and more than 5 % ends it.')
    expect(judge([{ errorPercent: 5 }], { figures: { ...figures, requests: 9 }, values: [] })).toEqual({ limits: [{ text: 'Requests that fail', limit: 5, unit: '%' }], reason: undefined })
  })

  test('that cannot be asked end it, those without a value do not', () => {
    const conditions = [{ slo: 'fast', burnRate: 10 }, { query: 'queue_length', above: 5 }]
    expect(judge(conditions, { figures, values: [{ value: 9 }, { value: undefined }] }).reason).toBeUndefined()
    expect(judge(conditions, { figures, values: [{ value: 11 }, {}] }).reason).toContain('Burn of fast: 11 x')
    expect(judge(conditions, { figures, values: [{}, { problem: 'it took too long.' }] }).reason).toContain('nobody would see when to stop: it took too long.')
  })
})

test('figures are of whole intervals of the router, and never of the next fault', () => {
  fc.assert(
    fc.property(plan, pauses, (spec, pausesMs) => {
      for (const { at, status } of live(spec, pausesMs, 8)) {
        status.steps!.forEach((state, index) => {
          const { before, during, after } = spansOf(status.steps!, index, new Date(at))
          for (const span of [before, during, after]) if (span) expect(span.until.getTime()).toBeGreaterThanOrEqual(span.from.getTime())
          if (before) expect(before.until.getTime()).toBeLessThanOrEqual(Date.parse(state.from!))
          if (after) expect(after.from.getTime()).toBeGreaterThanOrEqual(Date.parse(state.from!))
          if (after && state.settledAt) expect(after.until.getTime()).toBeLessThanOrEqual(Math.max(after.from.getTime(), Date.parse(state.until!) + settleMsOf(spec) + longestUnwatchedMs))
        })
      }
    }),
  )
})

test('what was reached never falls, even when an agent begins to count anew', () => {
  const spec: GameDaySpec = { hypothesis: 'It holds whatever comes.', app: 'shop', environment: 'staging', steps: [{ seconds: 60, latency: { ms: 10, percent: 5 } }] }
  const [, { status }] = live(spec, [1000], 2) as [unknown, { status: GameDayStatus }]
  const report = { id: 'u/0', active: true, seen: 100, delayed: 7, failed: 0, instances: [] }
  const first = withReports(spec, status, 'u', [report])
  expect(first.steps![0]).toMatchObject({ reached: { seen: 100, delayed: 7 }, outcome: '7 of 100 requests were held up.' })
  expect(withReports(spec, first, 'u', [{ ...report, seen: 3, delayed: 0 }]).steps![0]!.reached).toMatchObject({ seen: 100, delayed: 7 })
  expect(withReports(spec, first, 'u', [])).toEqual(first)
  expect(ended(first, 'Stopped', 'ana stopped it.', new Date(start + 5000), 'user:ana')).toMatchObject({ state: 'Stopped', message: 'It was stopped: ana stopped it.', stoppedBy: 'user:ana', steps: [{ state: 'Cut', until: new Date(start + 5000).toISOString() }] })
})

test('the same again has the next name', () => {
  expect(['day', 'day-2', 'day-9', 'day-x', 'a'.repeat(63)].map(nextName)).toEqual(['day-2', 'day-3', 'day-10', 'day-x-2', `${'a'.repeat(57)}-2`])
})
