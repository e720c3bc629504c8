import type { PaviorError } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonPatch, mergePatch, patchType } from './patch.ts'

describe('merge patch', () => {
  // The examples of RFC 7386, appendix A.
  test.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    const before = structuredClone(target)
    expect(mergePatch(target, patch)).toEqual(expected)
    expect(target).toEqual(before)
  })

  test('twice is the same as once, and prototypes are safe', () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.integer(),
        fc.string(),
        fc.constant(null),
        fc.array(fc.integer(), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), tie('node'), { maxKeys: 3 }),
      ),
    })).node
    fc.assert(
      fc.property(value, value, (target, patch) => {
        const once = mergePatch(target, patch)
        expect(mergePatch(once, patch)).toEqual(once)
      }),
    )
    mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('JSON patch', () => {
  const target = () => ({ spec: { env: { 'a/b': '1' }, list: [1, 2, 3] } })

  test('adds, removes, replaces, moves, copies and tests', () => {
    const patched = jsonPatch(target(), [
      { op: 'test', path: '/spec/env/a~1b', value: '1' },
      { op: 'add', path: '/spec/list/-', value: 4 },
      { op: 'remove', path: '/spec/list/0' },
      { op: 'replace', path: '/spec/env/a~1b', value: '2' },
      { op: 'copy', from: '/spec/list', path: '/spec/copy' },
      { op: 'move', from: '/spec/env', path: '/spec/moved' },
    ])
    expect(patched).toEqual({ spec: { moved: { 'a/b': '2' }, list: [2, 3, 4], copy: [2, 3, 4] } })
    expect(jsonPatch(target(), [{ op: 'replace', path: '', value: { whole: true } }])).toEqual({ whole: true })
  })

  test.each<[unknown, string, RegExp]>([
    [[{ op: 'test', path: '/spec/list/0', value: 9 }], 'INVALID', /test of operation 0 \(test "\/spec\/list\/0"\) failed/],
    [[{ op: 'remove', path: '/nope' }], 'INVALID', /names a path that does not exist/],
    [[{ op: 'replace', path: '/spec/nope/deep', value: 1 }], 'INVALID', /does not exist/],
    [{}, 'BAD_REQUEST', /list of operations/],
    [[{ op: 'fly', path: '/a' }], 'BAD_REQUEST', /unknown op/],
    [[{ op: 'add', path: 'a', value: 1 }], 'BAD_REQUEST', /no usable path/],
    [[{ op: 'add', path: '/a' }], 'BAD_REQUEST', /has no value/],
    [[{ op: 'move', path: '/a' }], 'BAD_REQUEST', /no usable "from"/],
    [[{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'BAD_REQUEST', /no usable path/],
    [[null], 'BAD_REQUEST', /is no object/],
    [Array(10_001).fill({ op: 'remove', path: '/a' }), 'BAD_REQUEST', /at most 10000/],
  ])('refuses %.80j', (patch, code, message) => {
    try {
      jsonPatch(target(), patch)
    } catch (error) {
      expect((error as PaviorError).code).toBe(code)
      expect((error as PaviorError).message).toMatch(message)
      return
    }
    throw new Error('the patch was applied')
  })
})

test('the content type says which patch it is', () => {
  expect(patchType('application/merge-patch+json; charset=utf-8')).toBe('merge')
  expect(patchType('application/json-patch+json')).toBe('json')
  expect(patchType('application/apply-patch+yaml')).toBe('apply')
  expect(() => patchType('application/strategic-merge-patch+json')).toThrow(/Strategic merge patch is not supported/)
  expect(() => patchType(undefined)).toThrow(/not supported/)
})
