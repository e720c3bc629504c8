import type { Resource } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matches, parseFieldSelector, parseLabelSelector } from './selectors.ts'

const labelled = (labels: Record<string, string>): Partial<Resource> => ({ metadata: { name: 'x', labels } as never })

describe('label selectors', () => {
  test('every form is understood', () => {
    expect(parseLabelSelector('a=b,c!=d, e in (x, y),f notin (z),!g,h,i==j,example.com/k=')).toEqual([
      { key: 'a', operator: 'In', values: ['b'] },
      { key: 'c', operator: 'NotIn', values: ['d'] },
      { key: 'e', operator: 'In', values: ['x', 'y'] },
      { key: 'f', operator: 'NotIn', values: ['z'] },
      { key: 'g', operator: 'DoesNotExist', values: [] },
      { key: 'h', operator: 'Exists', values: [] },
      { key: 'i', operator: 'In', values: ['j'] },
      { key: 'example.com/k', operator: 'In', values: [''] },
    ])
    expect(parseLabelSelector('')).toEqual([])
  })

  test.each(['a=b=c', 'a in x', 'a in (x', '=b', 'a b', 'a=b c', '!', 'a/b/c', 'a=$x'])('%j is refused', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(/cannot be understood/)
  })

  test.each<[string, Record<string, string>, boolean]>([
    ['a=b', { a: 'b' }, true],
    ['a=b', { a: 'c' }, false],
    ['a=b', {}, false],
    ['a!=b', {}, true],
    ['a in (b,c)', { a: 'c' }, true],
    ['a notin (b,c)', { a: 'c' }, false],
    ['a notin (b,c)', {}, true],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['a=', { a: '' }, true],
    ['toString', {}, false],
    ['a=b,c=d', { a: 'b', c: 'e' }, false],
  ])('%s on %j is %s', (selector, labels, expected) => {
    expect(matches(labelled(labels), { labels: parseLabelSelector(selector) })).toBe(expected)
  })

  test('what equals is what a selector made of the labels finds', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,10}$/)
    fc.assert(
      fc.property(fc.dictionary(word, word, { maxKeys: 4 }), (labels) => {
        const selector = Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(',')
        expect(matches(labelled(labels), { labels: parseLabelSelector(selector) })).toBe(true)
      }),
    )
  })
})

describe('field selectors', () => {
  test('are parsed with escapes', () => {
    expect(parseFieldSelector('metadata.name=a\\,b,spec.app!=c,x.y==z')).toEqual([
      { path: 'metadata.name', operator: '=', value: 'a,b' },
      { path: 'spec.app', operator: '!=', value: 'c' },
      { path: 'x.y', operator: '=', value: 'z' },
    ])
    expect(() => parseFieldSelector('spec.app')).toThrow(/cannot be understood/)
  })

  test('match as text, absent as empty', () => {
    const resource: Partial<Resource> = { metadata: { name: 'x' } as never, spec: { version: 3, canceled: true } }
    const fits = (text: string): boolean => matches(resource, { fields: parseFieldSelector(text) })
    expect(['spec.version=3', 'spec.canceled=true', 'spec.app=', 'spec.app!=a', 'metadata.name=x'].map(fits)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ])
    expect(['spec.version=4', 'spec.app=a', 'metadata.name!=x'].map(fits)).toEqual([false, false, false])
  })
})
