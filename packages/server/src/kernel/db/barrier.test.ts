import { expect, test } from 'vitest'
import { FlushBarrier } from './barrier.ts'

/** A flush that ends when the test says so. */
function controlled(): { barrier: FlushBarrier<number>; flushes: { end: () => void; fail: (error: Error) => void }[] } {
  const flushes: { end: () => void; fail: (error: Error) => void }[] = []
  const barrier = new FlushBarrier<number>(() => new Promise((resolve, reject) => void flushes.push({ end: () => resolve(flushes.length), fail: reject })))
  return { barrier, flushes }
}

test('whoever arrives during a flush shares the next one', async () => {
  const { barrier, flushes } = controlled()
  const first = barrier.wait()
  const later = Array.from({ length: 50 }, () => barrier.wait())
  expect(flushes).toHaveLength(1)
  flushes[0]!.end()
  expect(await first).toBe(1)
  expect(flushes).toHaveLength(2)
  flushes[1]!.end()
  expect(new Set(await Promise.all(later))).toEqual(new Set([2]))
  expect(flushes).toHaveLength(2)
})

test('nobody is served by a flush that began before they came', async () => {
  const { barrier, flushes } = controlled()
  const first = barrier.wait()
  let served = false
  const second = barrier.wait().then(() => (served = true))
  flushes[0]!.end()
  await first
  expect(served).toBe(false)
  flushes[1]!.end()
  await second
})

test('a flush that fails fails those that it would have served, and the next is tried anew', async () => {
  const { barrier, flushes } = controlled()
  const first = barrier.wait()
  const second = barrier.wait()
  flushes[0]!.fail(new Error('no disk'))
  await expect(first).rejects.toThrow('no disk')
  flushes[1]!.end()
  expect(await second).toBe(2)
})
