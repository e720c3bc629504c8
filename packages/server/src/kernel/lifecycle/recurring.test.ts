import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { every, recurring } from './recurring.ts'

/** A part whose runs the test lets end one by one. */
function steered() {
  const begun: ((error?: Error) => void)[] = []
  const failures: string[] = []
  let wake = (): void => {}
  const part = recurring({
    name: 'steered',
    pauseMs: () => 0,
    once: (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')))
        begun.push((error) => (error ? reject(error) : resolve()))
        wake()
      }),
    failed: ({ message }) => failures.push(message),
  })
  const run = async (count: number): Promise<(error?: Error) => void> => {
    while (begun.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return begun[count - 1]!
  }
  return { part, run, begun, failures }
}

describe('a recurring part', () => {
  test('tells of a failure once, until it went well again', async () => {
    const { part, run, failures } = steered()
    await part.start(new AbortController().signal)
    ;(await run(1))(new Error('first'))
    ;(await run(2))(new Error('second'))
    ;(await run(3))()
    ;(await run(4))(new Error('third'))
    await run(5)
    await part.stop()
    expect(failures).toEqual(['first', 'third'])
  })

  test('runs one at a time, and stops only when what runs has ended', async () => {
    const { part, run, begun, failures } = steered()
    await part.start(new AbortController().signal)
    await run(1)
    await sleep(5)
    expect(begun).toHaveLength(1)
    await part.stop()
    await sleep(5)
    expect(begun).toHaveLength(1)
    expect(failures).toEqual([])
  })

  test('a part that never began stops at once', async () => {
    const { part, begun } = steered()
    await part.stop()
    expect(begun).toHaveLength(0)
  })

  test('begins every so often, and at once after a run that took longer', () => {
    expect([0, 300, 1000, 5000].map(every(1000))).toEqual([1000, 700, 0, 0])
  })
})
