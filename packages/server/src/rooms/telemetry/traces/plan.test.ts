import type { Span } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { below, findingsOf, ownTimes, timesOf } from './plan.ts'

const at = Date.parse('2026-01-05T10:00:00Z')
const span = (spanId: string, over: Partial<Span> = {}): Span => ({ traceId: 'f'.repeat(32), spanId, team: 'blue', app: 'shop', environment: 'production', name: `work ${spanId}`, kind: 'internal', atMs: at, durationMs: 100, failed: false, attributes: {}, events: [], links: [], ...over })
const request = (over: Partial<NonNullable<Span['request']>> = {}): NonNullable<Span['request']> => ({ requestId: 'r-1', method: 'GET', host: 'shop.test', path: '/orders', status: 500, tries: 1, woke: false, sentMs: 2, answeredMs: 1180, bytesIn: 200, bytesOut: 100, ...over })
const routed = span('root', { name: 'GET /orders', kind: 'server', durationMs: 1200, failed: true, instance: 'shop-web-12-abc', release: 12, request: request() })

describe('own time', () => {
  test('is what no span below covers, and work at the same time counts once', () => {
    const spans = [span('a', { durationMs: 100 }), span('b', { parentId: 'a', atMs: at + 10, durationMs: 30 }), span('c', { parentId: 'a', atMs: at + 20, durationMs: 30 }), span('d', { parentId: 'a', atMs: at + 90, durationMs: 50 })]
    expect([...ownTimes(spans)]).toEqual([['a', 50], ['b', 30], ['c', 30], ['d', 50]])
  })

  test('of spans within each other adds up to the whole, whatever their order', () => {
    const tree = fc.array(fc.record({ from: fc.integer({ min: 0, max: 900 }), length: fc.integer({ min: 0, max: 100 }) }), { maxLength: 12 })
    fc.assert(
      fc.property(tree, fc.integer(), (pieces, seed) => {
        // One after the other, so that none overlap.
        let reached = 0
        const children = pieces.map(({ from, length }, index) => {
          const begin = Math.max(reached, from % 50 + reached)
          reached = begin + length
          return span(`s${index}`, { parentId: 'root', atMs: at + begin, durationMs: length })
        })
        const root = span('root', { durationMs: reached + 10 })
        const mixed = [root, ...children].toSorted((one, other) => ((one.spanId.length * seed) % 7) - ((other.spanId.length * seed) % 7))
        const sum = [...ownTimes(mixed).values()].reduce((total, own) => total + own, 0)
        expect(sum).toBeCloseTo(root.durationMs, 6)
      }),
    )
  })

  test('never is below zero, and chains that bite their tail end', () => {
    const spans = [span('a', { parentId: 'b' }), span('b', { parentId: 'a', durationMs: 500 })]
    expect([...ownTimes(spans).values()].every((own) => own >= 0)).toBe(true)
    expect(below(spans, 'a').map(({ spanId }) => spanId).toSorted()).toEqual(['a', 'b'])
  })
})

describe('where the time went', () => {
  test('the way in, each span by itself, what is not traced, and the way out', () => {
    const spans = [routed, span('handler', { parentId: 'root', atMs: at + 10, durationMs: 1150, kind: 'server' }), span('select', { parentId: 'handler', name: 'SELECT orders', app: 'shop', atMs: at + 20, durationMs: 1100, kind: 'client' })]
    expect(timesOf(routed, spans)).toEqual([
      { what: 'SELECT orders in shop', ms: 1100, share: expect.closeTo(0.917, 2), spanId: 'select' },
      { what: 'work handler in shop', ms: 50, share: expect.closeTo(0.042, 2), spanId: 'handler' },
      { what: 'shop, outside of what it traces', ms: 28, share: expect.closeTo(0.023, 2) },
    ])
  })

  test('without spans of the app it is the app', () => {
    expect(timesOf(routed, [routed])[0]).toEqual({ what: 'shop, until its answer began', ms: 1178, share: expect.closeTo(0.98, 2) })
  })

  test('waking is told, and a request that took no time has no parts', () => {
    expect(timesOf({ ...routed, request: request({ woke: true, sentMs: 700 }) }, [])[0]!.what).toBe('waking shop, and taking the request in')
    expect(timesOf({ ...routed, durationMs: 0 }, [])).toEqual([])
  })
})

describe('what happened', () => {
  const release = { version: 12, artifact: 'sha256:1', commit: 'abcdef0123', message: 'Faster orders', deployedAt: new Date(at - 240_000).toISOString(), deployedBy: 'ana' }

  test('is told from the outcome to the release', () => {
    const select = span('select', { parentId: 'root', name: 'SELECT orders', app: 'stock', atMs: at + 20, durationMs: 1100, failed: true, events: [{ atMs: at, name: 'exception', attributes: { 'exception.type': 'Timeout', 'exception.message': 'no\nconnection' } }] })
    const spans = [routed, select]
    const logs = [{ at: '', app: 'shop', level: 'info', instance: '', line: 'begin' }, { at: '', app: 'stock', level: 'error', instance: '', line: 'pool is empty' }]
    expect(findingsOf({ root: routed, spans, times: timesOf(routed, spans), logs, release, usualMs: 40 })).toEqual([
      'GET /orders got 500 from shop-web-12-abc after 1.20 s.',
      'That is 30.0 times as long as 95 % of the requests of shop took around then (40 ms).',
      'The first thing that failed: SELECT orders in stock, with “Timeout: no connection”.',
      '92 % of the time, 1.10 s, went by in SELECT orders in stock.',
      'stock logged “pool is empty” (error).',
      'It ran on release v12 of shop (commit abcdef0 “Faster orders”, by ana), which had been there for 4 minutes only: look there first.',
    ])
  })

  test.each([
    [{ error: 'INSTANCE_TIMEOUT', status: 504 }, 'GET /orders got 504 from the router in place of shop after 1.20 s: INSTANCE_TIMEOUT.'],
    [{ status: 499 }, 'Whoever sent GET /orders went away after 1.20 s, before the answer was there.'],
  ])('an answer of nobody says so: %j', (over, expected) => {
    const root = { ...routed, request: request(over) }
    expect(findingsOf({ root, spans: [root], times: [], logs: [], release: undefined, usualMs: undefined })[0]).toBe(expected)
  })

  test('tries, waking and slow bodies are told', () => {
    const root = { ...routed, request: request({ tries: 2, woke: true }) }
    const found = findingsOf({ root, spans: [root], times: [], logs: [], release: { version: 3, artifact: 'a' }, usualMs: undefined })
    expect(found).toContain('shop was asleep and had to be woken first.')
    expect(found).toContain('It went to 2 instances, one after the other, because the first was not to be reached.')
    expect(found.at(-1)).toBe('It ran on release v3 of shop.')
  })
})
