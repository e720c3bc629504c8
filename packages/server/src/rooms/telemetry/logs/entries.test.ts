import type { CollectedLine } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entriesOf } from './entries.ts'
import { factsOf, messageOf } from './line.ts'

const nowMs = 1_800_000_000_000
const bounds = { nowMs, oldestMs: nowMs - 86_400_000, aheadMs: 60_000 }
const source = { team: 'blue', app: 'shop', environment: 'production' }

function written(texts: string[], agoMs = 10_000): CollectedLine[] {
  let next = 0
  return texts.map((line) => ({ time: new Date(nowMs - agoMs).toISOString(), line, next: (next += Buffer.byteLength(line) + 1) }))
}
const bodies = (texts: string[]): string[] => entriesOf({ lines: written(texts), next: 0, ended: true }, source, 0, bounds).lines.map(({ body }) => body)

const traces: Record<string, string[]> = {
  java: ['java.lang.IllegalStateException: no', '\tat com.shop.Cart.add(Cart.java:12)', 'Caused by: java.io.IOException: gone', '\tat com.shop.Db.read(Db.java:3)', '\t... 12 more'],
  node: ['Error: no', '    at add (/app/cart.js:3:1)', '    at async main {', "  code: 'ENOENT'", '}'],
  python: ['Traceback (most recent call last):', '  File "/app/main.py", line 3, in <module>', '    add()', 'ValueError: no', '', 'During handling of the above exception, another exception occurred:', '', 'Traceback (most recent call last):', '  File "/app/main.py", line 5, in <module>', 'shop.errors.CartError'],
  go: ['panic: runtime error: index out of range [3] with length 3', '', 'goroutine 1 [running]:', 'main.add(0x3)', '\t/app/main.go:12 +0x1d', 'main.main()', '\t/app/main.go:5 +0x2f', 'exit status 2'],
}

test.each(Object.entries(traces))('a trace of %s is one entry, and what is around it is not', (_, trace) => {
  expect(bodies(['before', ...trace, 'after', 'more'])).toEqual(['before', trace.join('\n'), 'after', 'more'])
  expect(entriesOf({ lines: written(trace), next: 0, ended: true }, source, 0, bounds).lines[0]!.level).toBe(4)
})

test('an entry that may go on is held for a moment, and every other one is not', () => {
  const fresh = entriesOf({ lines: written(['fine', 'Error: no', '    at add (/app/cart.js:3:1)'], 100), next: 99, ended: false }, source, 0, bounds)
  expect(fresh).toMatchObject({ lines: [{ body: 'fine', seq: 5 }], next: 5 })
  expect(entriesOf({ lines: written(['fine', 'Error: no'], 2000), next: 99, ended: false }, source, 0, bounds)).toMatchObject({ next: 99, lines: [{}, { body: 'Error: no' }] })
  expect(entriesOf({ lines: written(['fine'], 0), next: 5, ended: false }, source, 0, bounds).next).toBe(5)
})

test('a line in pieces is put together as far as a line may be long', () => {
  const pieces = Array.from({ length: 600 }, (_, index) => ({ time: new Date(nowMs).toISOString(), line: 'x'.repeat(16_384), next: (index + 1) * 16_384, ...(index > 0 ? { continues: true as const } : {}) }))
  const { lines, cutOff, next } = entriesOf({ lines: pieces, next: 9_830_400, ended: true }, source, 0, bounds)
  expect([lines.length, lines[0]!.body.length, cutOff, next]).toEqual([1, 65_536, 596, 9_830_400])
})

test('times that have not come are now, and those before anything that is kept are left out', () => {
  const at = (ms: number): CollectedLine => ({ time: new Date(ms).toISOString(), line: 'x', next: 2 })
  const { lines } = entriesOf({ lines: [at(nowMs + 3600_000), at(nowMs - 3600_000), at(nowMs - 90_000_000)], next: 6, ended: true }, source, 0, bounds)
  expect(lines.map(({ atMs }) => atMs)).toEqual([nowMs, nowMs - 3600_000])
})

test('whatever is written, no text is lost or comes twice', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('one', '  indented', 'Error: x', '    at f (a.js:1:1)', 'Traceback (most recent call last):', '', '}', '{"level":30}', 'panic: x')), (texts) => {
      expect(bodies(texts).join('\n')).toBe(texts.join('\n'))
    }),
  )
})

test.each([
  ['{"level":50,"msg":"no","reqId":"r-1","trace_id":"5b8efff798038103d269b633813fc60c"}', { level: 4, requestId: 'r-1', traceId: '5b8efff798038103d269b633813fc60c' }],
  ['{"severity":"WARNING","message":"x","req":{"id":7}}', { level: 3, requestId: '7' }],
  ['{"lvl":"info","traceparent":"00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01"}', { level: 2, traceId: '5b8efff798038103d269b633813fc60c' }],
  ['level=debug request_id=abc-123 msg=x', { level: 1, requestId: 'abc-123' }],
  ['2026-01-31 12:00:00 ERROR [main] trace_id=5B8EFFF798038103D269B633813FC60C no', { level: 4, traceId: '5b8efff798038103d269b633813fc60c' }],
  ['{"broken', { level: 0 }],
  ['{}', { level: 0 }],
  ['listening', { level: 0 }],
])('%s says', (body, facts) => expect(factsOf(body)).toEqual(facts))

test('a line of JSON has a message and attributes', () => {
  expect(messageOf('{"msg":"hello","level":30,"n":1}')).toEqual({ message: 'hello', attributes: { level: 30, n: 1 } })
  expect(messageOf('[1]')).toEqual({ message: '[1]' })
  expect(messageOf('plain')).toEqual({ message: 'plain' })
})
