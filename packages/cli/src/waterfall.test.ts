import { spansInTree, type Span } from '@pavior/contract'
import { expect, test } from 'vitest'
import { waterfall } from './waterfall.ts'

const span = (spanId: string, over: Partial<Span> = {}): Span => ({ traceId: '', spanId, team: 'blue', app: 'shop', environment: 'production', name: spanId, kind: 'internal', atMs: 0, durationMs: 100, failed: false, attributes: {}, events: [], links: [], ...over })

test('spans stand below their parents, by time', () => {
  const spans = [span('late', { parentId: 'root', atMs: 50 }), span('lost', { parentId: 'elsewhere', atMs: 5 }), span('root'), span('early', { parentId: 'root', atMs: 10 }), span('deep', { parentId: 'late', atMs: 60 })]
  expect(spansInTree(spans).map(({ span: { spanId }, depth }) => [spanId, depth])).toEqual([['root', 0], ['early', 1], ['late', 1], ['deep', 2], ['lost', 0]])
})

test('every span is shown once, also of a chain that bites its tail', () => {
  expect(spansInTree([span('a', { parentId: 'b' }), span('b', { parentId: 'a' }), span('c', { parentId: 'c' })]).map(({ span: { spanId } }) => spanId).toSorted()).toEqual(['a', 'b', 'c'])
})

test('a bar lies where its span lay', () => {
  const [root, half, tiny] = waterfall([span('root'), span('half', { parentId: 'root', atMs: 50, durationMs: 50, failed: true }), span('tiny', { parentId: 'root', atMs: 100, durationMs: 0 })])
  expect(root!.bar).toBe('█'.repeat(40))
  expect(half).toMatchObject({ bar: '·'.repeat(20) + '█'.repeat(20), duration: '50 ms', failed: true })
  expect(tiny!.bar).toBe(`${'·'.repeat(39)}█`)
  expect(waterfall([span('alone', { durationMs: 0 })])[0]!.bar).toBe('█'.repeat(40))
})
