import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ejectionMs, fitsPath, indexByHost, isSaneRequestId, isTraceparent, matchPath, parseHost, pathOf, pickInstance, pickWeighted, plainAddress,
  routesOfHost,
} from './plan.ts'

describe('pickWeighted', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 6 })

  test('over a turn each gets exactly its weight', () => {
    fc.assert(fc.property(weights, fc.integer({ min: 1, max: 3 }), (given, turns) => {
      const total = given.reduce((sum, weight) => sum + weight, 0)
      const current: number[] = []
      const picks = Array.from({ length: total * turns }, () => pickWeighted(given, current))
      given.forEach((weight, index) => expect(picks.filter((pick) => pick === index)).toHaveLength(weight * turns))
    }))
  })

  test('at any moment nobody is more than one pick away from its share', () => {
    const pickable = weights.filter((given) => given.some((weight) => weight > 0))
    fc.assert(fc.property(pickable, fc.integer({ min: 1, max: 200 }), (given, picks) => {
      const total = given.reduce((sum, weight) => sum + weight, 0)
      const current: number[] = []
      const counts = given.map(() => 0)
      for (let i = 1; i <= picks; i++) {
        counts[pickWeighted(given, current)]!++
        // Smooth round-robin bounds the lead of one by the number of its rivals.
        given.forEach((weight, index) => expect(Math.abs(counts[index]! - i * weight / total)).toBeLessThan(given.length))
      }
    }))
  })

  test('nothing to pick', () => {
    expect(pickWeighted([], [])).toBe(-1)
    expect(pickWeighted([0, 0], [])).toBe(-1)
  })
})

describe('pickInstance', () => {
  const instances = fc.array(fc.record({ inFlight: fc.nat(5), ejectedUntil: fc.constantFrom(0, 200) }), { minLength: 1, maxLength: 8 })

  test('takes the least busy of those that may serve; the last one is never passed over', () => {
    fc.assert(fc.property(instances, fc.nat(20), (given, cursor) => {
      const picked = given[pickInstance(given, cursor, 100)]!
      const serving = given.filter(({ ejectedUntil }) => ejectedUntil <= 100)
      const eligible = serving.length > 0 ? serving : given
      expect(eligible).toContain(picked)
      expect(picked.inFlight).toBe(Math.min(...eligible.map(({ inFlight }) => inFlight)))
    }))
  })

  test('avoids where it failed before, as long as there is another', () => {
    fc.assert(fc.property(instances, fc.nat(20), (given, cursor) => {
      const failed = given[cursor % given.length]!
      const picked = given[pickInstance(given, cursor, 100, failed)]!
      if (given.length > 1) expect(picked).not.toBe(failed)
      else expect(picked).toBe(failed)
    }))
  })

  test('equals take turns', () => {
    const idle = [1, 2, 3].map(() => ({ inFlight: 0, ejectedUntil: 0 }))
    let cursor = -1
    expect(Array.from({ length: 6 }, () => (cursor = pickInstance(idle, cursor, 0)))).toEqual([0, 1, 2, 0, 1, 2])
    expect(pickInstance([], 0, 0)).toBe(-1)
  })
})

describe('routes', () => {
  const label = fc.constantFrom('a', 'b', 'c')
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const pattern = fc.oneof(host, host.map((name) => `*.${name}`))
  const path = fc.array(fc.constantFrom('x', 'xy', 'y'), { maxLength: 3 }).map((segments) => `/${segments.join('/')}`)

  test('the match is the most specific of all that fit', () => {
    const fitsHost = (wanted: string, name: string): boolean => (wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) : wanted === name)
    fc.assert(fc.property(fc.array(fc.record({ host: pattern, path }), { maxLength: 8 }), host, path, (routes, name, asked) => {
      const found = matchPath(routesOfHost(indexByHost(routes), name), asked)
      const covers = (prefix: string): boolean => `${asked}/`.startsWith(prefix === '/' ? '/' : `${prefix}/`)
      const fitting = routes.filter((route) => fitsHost(route.host, name) && covers(route.path))
      const rank = (route: { host: string; path: string }): number => {
        return (route.host.startsWith('*.') ? route.host.length : 1_000) * 100 + route.path.length
      }
      if (fitting.length === 0) expect(found).toBeUndefined()
      else expect(rank(found!)).toBe(Math.max(...fitting.map(rank)))
    }))
  })

  test('a prefix ends at a segment', () => {
    expect([fitsPath('/', '/x'), fitsPath('/x', '/x'), fitsPath('/x/', '/x'), fitsPath('/x', '/x/y')]).toEqual([true, true, true, true])
    expect(fitsPath('/x', '/xy')).toBe(false)
  })

  test.each([['/a?b#c', '/a'], ['/a#b?c', '/a'], ['*', '/'], ['/', '/'], ['/a/', '/a/']])('path of %s', (target, expected) => {
    expect(pathOf(target)).toBe(expected)
  })

  test.each([
    ['App.Test:80', { name: 'app.test', port: '80' }], ['app.test.', { name: 'app.test', port: '' }],
    ['[::1]:8080', { name: '[::1]', port: '8080' }],
    ['127.0.0.1', { name: '127.0.0.1', port: '' }], ['a b', undefined], ['a/b', undefined], ['u@h', undefined],
    ['a:b', undefined], ['[::1', undefined],
  ])('host of %s', (value, expected) => expect(parseHost(value)).toEqual(expected))
})

describe('ids', () => {
  test.each([
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', true],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra', false],
    ['cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later', true],
    ['ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', false],
    ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', false],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', false],
    ['00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01', false],
    ['', false],
  ])('traceparent %s', (value, valid) => expect(isTraceparent(value)).toBe(valid))

  test('request ids that could break a log line or a page are not kept', () => {
    for (const bad of ['', 'a b', '<b>', 'a"b', 'ä', 'a\tb', 'x'.repeat(129)]) expect(isSaneRequestId(bad)).toBe(false)
    expect(isSaneRequestId('f6a1-22_X:7/3+4=')).toBe(true)
  })

  test('addresses', () => {
    expect([plainAddress('::ffff:10.0.0.1'), plainAddress('::1'), plainAddress(undefined)]).toEqual(['10.0.0.1', '::1', 'unknown'])
  })
})

test('exclusion doubles up to its bound', () => {
  expect([1, 2, 3, 10, 1_000].map((failures) => ejectionMs(failures, 1_000, 30_000))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000])
})
