import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePattern } from './pattern.ts'

test.each([
  ['a|bc', ['a', 'bc'], ['ab', 'abc', '']],
  ['5..', ['500', '5xx'], ['50', '5000', '5\n0']],
  ['.*-(\\d{2,3})', ['x-12', '-123'], ['x-1', 'x-1234']],
  ['(?i)get|POST', ['GET', 'post', 'Get'], ['gets']],
  ['(?s)a.b', ['a\nb'], ['ab']],
  ['[^a-c\\]]+', ['xyz'], ['axe', ']', '']],
  ['[[:upper:]]\\w*\\b', ['Abc_1'], ['abc', 'A-']],
  ['\\p{Greek}+|\\pN', ['αβ', '7'], ['ab']],
  ['a{0}|b{2}|c{1,}', ['', 'bb', 'ccc'], ['a', 'b']],
  ['\\Qa.b\\E+', ['a.b'], ['axb']],
  ['\\x41\\x{1F600}', ['A😀'], ['A']],
  ['^a$|^(b$)', ['a', 'b'], ['ab']],
  ['', [''], ['a']],
])('%s', (text, matching, others) => {
  const pattern = compilePattern(text)
  expect(pattern.problem).toBeUndefined()
  for (const value of matching) expect([value, pattern.matches(value)]).toEqual([value, true])
  for (const value of others) expect([value, pattern.matches(value)]).toEqual([value, false])
})

test.each(['(?=a)', '(?!a)', '(?<=a)', '(a)\\1', '(', ')', 'a**', '*a', '[a', '[b-a]', 'a{1001}', 'a{3,2}', '\\', '\\y', '(?z)', '[[:nope:]]', '\\p{Nope}', '((((a{50}){50}){50}){50})', '('.repeat(200) + ')'.repeat(200)])('%s is refused', (text) => {
  expect(compilePattern(text).problem).toMatch(/\.$/)
})

test('groups prefer what stands first, and long repetition', () => {
  expect(compilePattern('(a|ab)(c|bcd)?').groups('abcd')).toEqual(['abcd', 'a', 'bcd'])
  expect(compilePattern('(.*?)(\\d*)').groups('x12')).toEqual(['x12', 'x', '12'])
  expect(compilePattern('(?P<host>[^:]+)(:(\\d+))?').groups('node:80')).toEqual(['node:80', 'node', ':80', '80'])
  expect(compilePattern('(?P<host>.+)').names).toEqual([undefined, 'host'])
})

test('what makes others hang costs steps in proportion to the value', () => {
  const work = (length: number): number => {
    const pattern = compilePattern('(a*)*(a|a)*(a+)+b')
    pattern.matches('a'.repeat(length))
    return pattern.work()
  }
  expect(work(2000)).toBeLessThan(work(1000) * 2.5)
})

test('agrees with JavaScript where both can', () => {
  const part = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab)', 'a?', 'b*', '(a+)', '(?:a|)', 'b{1,2}')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }), (parts, value) => {
      const text = parts.join('')
      expect(compilePattern(text).matches(value)).toBe(new RegExp(`^(?:${text})$`).test(value))
    }),
  )
})
