import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schedule } from '../src/schedule.js'

test('a job runs again and again, also after a failure, and never twice at once', async () => {
  const stop = new AbortController()
  const seen: string[] = []
  let running = 0
  const job = {
    name: 'flaky',
    everyMs: 1,
    timeoutMs: 1000,
    run: async () => {
      running++
      assert.equal(running, 1)
      await new Promise(setImmediate)
      running--
      if (seen.length === 0) throw new Error('not yet')
      return { ok: true }
    },
  }
  await schedule([job], stop.signal, ({ error }) => {
    seen.push(error ? error.message : 'done')
    if (seen.length === 3) stop.abort()
  })
  assert.deepEqual(seen, ['not yet', 'done', 'done'])
})

test('a job that takes too long is told to stop', async () => {
  const stop = new AbortController()
  const run = (signal: AbortSignal) => new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('took too long'))))
  let message = ''
  // The timer of the job itself does not keep a process alive.
  const alive = setInterval(() => {}, 1000)
  await schedule([{ name: 'slow', everyMs: 1, timeoutMs: 10, run }], stop.signal, ({ error }) => {
    message = error?.message ?? ''
    stop.abort()
  })
  clearInterval(alive)
  assert.equal(message, 'took too long')
})
