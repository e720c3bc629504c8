import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planSleep, type SleepGroup } from './sleep-plan.ts'
import { useUpTo } from './use.ts'

const group = fc.record<SleepGroup>({
  key: fc.string(),
  sleepAfterMs: fc.option(fc.nat(100_000), { nil: undefined }),
  activeMs: fc.nat(200_000),
  state: fc.constantFrom('awake', 'falling', 'asleep'),
  settled: fc.boolean(),
})

test('only what is awake, settled and idle for its time falls asleep, and what is not due yet is looked at again in time', () => {
  fc.assert(
    fc.property(fc.uniqueArray(group, { selector: ({ key }) => key }), fc.nat(300_000), (groups, nowMs) => {
      const { sleep, wakeAtMs } = planSleep(groups, nowMs)
      for (const { key, sleepAfterMs, activeMs, state, settled } of groups) {
        const may = sleepAfterMs !== undefined && state === 'awake' && settled
        const due = may && activeMs + sleepAfterMs <= nowMs
        expect(sleep.includes(key)).toBe(due)
        if (may && !due) expect(wakeAtMs).toBeLessThanOrEqual(activeMs + sleepAfterMs)
      }
      if (wakeAtMs !== undefined) expect(wakeAtMs).toBeGreaterThan(nowMs)
    }),
  )
})

test('time and memory are counted apart for what is awake and asleep, and never backwards', () => {
  const first = useUpTo({}, 1000, true, 50)
  const awake = useUpTo({ use: first }, 3000, true, 50)
  expect(awake).toEqual({ countedToMs: 3000, awakeSeconds: 2, asleepSeconds: 0, awakeByteSeconds: 100, asleepByteSeconds: 0 })
  expect(useUpTo({ use: awake, asleepSince: 'then' }, 4000, true, 50)).toMatchObject({ awakeSeconds: 2, asleepSeconds: 1, asleepByteSeconds: 50 })
  expect(useUpTo({ use: awake }, 9000, false)).toMatchObject({ countedToMs: 9000, awakeSeconds: 2 })
  expect(useUpTo({ use: awake }, 500, true, 50)).toMatchObject({ awakeSeconds: 2 })
})
