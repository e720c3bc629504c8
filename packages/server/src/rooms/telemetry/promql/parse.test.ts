import { isPaviorError } from '@pavior/contract'
import { describe, expect, test } from 'vitest'
import { bare, type Expression } from './ast.ts'
import { longestQuery, parseQuery, parseSelector } from './parse.ts'

/** With parentheses around everything, so that one sees what belongs together. */
function shape(expression: Expression): string {
  const inner = bare(expression)
  switch (inner.type) {
    case 'number':
      return String(inner.value)
    case 'string':
      return JSON.stringify(inner.value)
    case 'selector':
      return `${inner.matchers[0]!.value}${inner.rangeMs === undefined ? '' : `[${inner.rangeMs}]`}${inner.offsetMs === 0 ? '' : `-${inner.offsetMs}`}${inner.at === undefined ? '' : `@${JSON.stringify(inner.at)}`}`
    case 'subquery':
      return `${shape(inner.inner)}[${inner.rangeMs}:${inner.stepMs ?? ''}]`
    case 'negation':
      return `(-${shape(inner.inner)})`
    case 'binary':
      return `(${shape(inner.left)} ${inner.op} ${shape(inner.right)})`
    case 'aggregation':
      return `${inner.op}{${inner.without ? '-' : ''}${inner.grouping.join()}}(${shape(inner.inner)})`
    default:
      return `${inner.name}(${inner.args.map(shape).join()})`
  }
}

/** Where and how it is refused. */
function refusal(text: string): string {
  try {
    parseQuery(text)
  } catch (error) {
    if (isPaviorError(error)) return error.details.message
    throw error
  }
  return 'accepted'
}

test.each([
  ['-1 ^ 2', '(-(1 ^ 2))'],
  ['2 ^ -1 ^ 2', '(2 ^ (-(1 ^ 2)))'],
  ['-a * b', '((-a) * b)'],
  ['a + b offset 5m * c', '(a + (b-300000 * c))'],
  ['a / sum_over_time(b[5m:] @ 3) + 1', '((a / sum_over_time(b[300000:])) + 1)'],
  ['a or b and c == d + e * f ^ g', '(a or (b and (c == (d + (e * (f ^ g))))))'],
  ['a - b - c', '((a - b) - c)'],
  ['sum by (x) (a) / sum(b) without (y,)', '(sum{x}(a) / sum{-y}(b))'],
  ['a @ start() offset -1m', 'a--60000@"start"'],
  ["'a\\'b\\u00e9\\x41\\101'", '"a\'béAA"'],
  ['rate(on_call[1h30m])', 'rate(on_call[5400000])'],
])('%s', (text, expected) => {
  expect(shape(parseQuery(text))).toBe(expected)
})

describe('what is refused', () => {
  test.each([
    ['rate(x)', '1:6: rate takes a range vector; this is an instant vector.'],
    ['sum(\n  rate(x[5m])', '2:14: The query ends where another argument, or ")" is expected.'],
    ['x{a=}', '1:5: "}" stands where =, !=, =~ or !~ and a text within quotes is expected.'],
    ['holt_winters(x[5m], 1, 1)', '1:1: holt_winters is not supported.'],
    ['histogram_count(x)', '1:1: histogram_count is not supported.'],
    ['rat(x[5m])', '1:1: There is no function "rat".'],
    ['limitk(2, x)', '1:1: limitk is not supported.'],
    ['x{"a.b"="c"}', '1:3: a name within quotes is not supported.'],
    ['x[5]', '1:3: "5" is not a duration.'],
    ['x =~ y', '1:3: "=" stands where an operator, or the end is expected.'],
    ['x{a=~"(?=b)"}', '1:6: Look-around is not possible in a regular expression here.'],
    ['', '1:1: The query ends where an expression, for example up is expected.'],
  ])('%s', (text, message) => {
    expect(refusal(text)).toBe(message)
  })

  test('what is too long, too deep or too much', () => {
    expect(refusal('x'.repeat(longestQuery + 1))).toContain('32768 are allowed')
    expect(refusal('('.repeat(16_000) + 'x' + ')'.repeat(16_000))).toContain('levels deep')
    expect(refusal('-'.repeat(30_000) + 'x')).toContain('levels deep')
    expect(refusal('x+'.repeat(16_000) + 'x')).toContain('levels deep')
    expect(refusal(Array.from({ length: 101 }, () => 'x').join('+'))).toContain('101 selectors')
  })
})

test('only a selector selects', () => {
  expect(parseSelector('up{app="shop"}')).toEqual([{ name: '__name__', op: '=', value: 'up' }, { name: 'app', op: '=', value: 'shop' }])
  expect(() => parseSelector('up[5m]')).toThrow('only a selector')
  expect(() => parseSelector('sum(up)')).toThrow('only a selector')
})
