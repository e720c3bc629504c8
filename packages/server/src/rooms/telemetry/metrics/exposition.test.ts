import { expect, test } from 'vitest'
import { parseExposition } from './exposition.ts'

const shown = (text: string): unknown[] => parseExposition(text, 5).samples.map(({ name, labels, timeMs, value }) => [name, Object.fromEntries(labels), timeMs, value])

test('the text format is read', () => {
  const text = `# HELP http_requests_total Requests, all of them.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="a\\"b\\\\c\\nd",} 3

# a remark
no_labels 1.5e3
odd{ a = "1" , b="{}" } +Inf
odd{} NaN
`
  expect(shown(text)).toEqual([
    ['http_requests_total', { method: 'post', code: '200' }, 1_395_066_363_000, 1027],
    ['http_requests_total', { method: 'a"b\\c\nd' }, 5, 3],
    ['no_labels', {}, 5, 1500],
    ['odd', { a: '1', b: '{}' }, 5, Infinity],
    ['odd', {}, 5, NaN],
  ])
  expect(parseExposition(text, 5).metadata.get('http_requests_total')).toEqual({ type: 'counter', help: 'Requests, all of them.', unit: '' })
})

test('OpenMetrics is read: seconds, examples, counters named without their end', () => {
  const text = '# TYPE hits counter\n# UNIT took seconds\nhits_total{a="b"} 17.0 1520879607.789 # {trace="x # y"} 0.67\n# EOF\n'
  expect(shown(text)).toEqual([['hits_total', { a: 'b' }, 1_520_879_607_789, 17]])
  expect(parseExposition(text, 5).metadata.get('hits_total')).toMatchObject({ type: 'counter' })
})

test.each(['<html>', 'a{b="c} 1', 'a{b=c} 1', 'a', 'a one', 'a 1 2 3', '{a="b"} 1', 'a{b="c"'])('%s is refused with its line', (line) => {
  expect(() => parseExposition(`fine 1\n${line}`, 5)).toThrow('Line 2 is no sample')
})
