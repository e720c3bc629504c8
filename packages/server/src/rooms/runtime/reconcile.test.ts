import type { AgentEvent, ObservedState } from '@pavior/contract'
import { expect, test } from 'vitest'
import { systemClock } from '../../kernel/clock.ts'
import type { RuntimeDriver } from './ports.ts'
import { createRoutedWatch } from './reconcile.ts'

/** Reports only what the test says. */
function reporting(): { driver: RuntimeDriver; report: (generation: number) => void } {
  const listeners: ((event: AgentEvent) => void)[] = []
  let routedGeneration = -1
  const driver = { onEvent: (listener) => void listeners.push(listener), observed: () => ({ routedGeneration }) as ObservedState } as Partial<RuntimeDriver> as RuntimeDriver
  const report = (generation: number): void => {
    routedGeneration = generation
    for (const listener of listeners) listener({ type: 'routed', generation })
  }
  return { driver, report }
}

const long = 60_000

test('what is routed already needs no report', async () => {
  const { driver, report } = reporting()
  const routed = createRoutedWatch(driver, systemClock)
  report(7)
  expect(await routed(7, new AbortController().signal, 0)).toBe(true)
})

test('a report ends the waiting; one of an older generation does not', async () => {
  const { driver, report } = reporting()
  const routed = createRoutedWatch(driver, systemClock)
  const { signal } = new AbortController()
  const ends: number[] = []
  const waiting = [8, 9].map((generation) => routed(generation, signal, long).then((yes) => yes && ends.push(generation)))
  report(7)
  report(8)
  await waiting[0]
  expect(ends).toEqual([8])
  report(9)
  await waiting[1]
  expect(ends).toEqual([8, 9])
})

test('the deadline and the end of the server end the waiting too', async () => {
  const { driver } = reporting()
  const routed = createRoutedWatch(driver, systemClock)
  const end = new AbortController()
  const waiting = routed(1, end.signal, long)
  end.abort()
  expect(await waiting).toBe(false)
  expect(await routed(1, new AbortController().signal, 20)).toBe(false)
})
