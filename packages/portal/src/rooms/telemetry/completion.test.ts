import { expect, test } from 'vitest'
import { completed, spotAt, suggestionsFor } from './completion.ts'

/** The cursor is where the bar stands. */
function at(marked: string) {
  const cursor = marked.indexOf('|')
  return spotAt(marked.replace('|', ''), cursor)
}

test.each([
  ['ra|', { kind: 'name', word: 'ra' }],
  ['sum(pavior_h|)', { kind: 'name', word: 'pavior_h' }],
  ['rate(x{|', { kind: 'label', word: '', metric: 'x' }],
  ['x{a="1", co|}', { kind: 'label', word: 'co', metric: 'x' }],
  ['x{app="sh|"}', { kind: 'value', word: 'sh', metric: 'x', label: 'app' }],
  ['x{a="1",code=~"5|', { kind: 'value', word: '5', metric: 'x', label: 'code' }],
  ['sum by (ap|) (rate(x[5m]))', { kind: 'label', word: 'ap', metric: 'x' }],
  ['a / on(b, |', { kind: 'label', word: '', metric: 'a' }],
])('%s', (marked, expected) => {
  expect(at(marked)).toMatchObject(expected)
})

test.each(['x[5|', '1|', 'x + |', 'label_replace(x, "a|', 'x{a="1"|'])('%s asks for nothing', (marked) => {
  expect(at(marked)).toBeUndefined()
})

test('what begins so comes first, and takes the place of the word', () => {
  const known = ['rate', 'irate', 'round'].map((text) => ({ text, hint: '' }))
  expect(suggestionsFor('ra', known).map(({ text }) => text)).toEqual(['rate', 'irate'])
  expect(completed('sum(ra)', at('sum(ra|)')!, 'rate')).toEqual({ text: 'sum(rate()', cursor: 9 })
  expect(completed('x{co', at('x{co|')!, 'code')).toEqual({ text: 'x{code="', cursor: 8 })
  expect(completed('x{a="q', at('x{a="q|')!, 'q"r')).toEqual({ text: 'x{a="q\\"r', cursor: 9 })
})
