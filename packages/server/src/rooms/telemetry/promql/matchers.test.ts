import { expect, test } from 'vitest'
import { splitMatchers } from './matchers.ts'

test.each([
  ['5..', true],
  ['a|b|c-d', true],
  ['(?:shop|cart)-.+', true],
  ['v1\\.2', true],
  ['[a-z]+', true],
  ['(?i)get', false],
  ['\\d+', false],
  ['[[:alpha:]]+', false],
  ['(?P<name>a)', false],
  ['\\pL', false],
])('%s is asked of the store: %s', (value, isAsked) => {
  const { asked } = splitMatchers([{ name: 'code', op: '=~', value }])
  expect(asked.length === 1).toBe(isAsked)
})

test('what the store is not asked is looked at afterwards', () => {
  const { asked, fits } = splitMatchers([{ name: 'app', op: '=', value: 'shop' }, { name: 'code', op: '=~', value: '\\d+' }, { name: 'method', op: '!~', value: '(?i)get' }])
  expect(asked).toEqual([{ name: 'app', op: '=', value: 'shop' }])
  expect([fits({ code: '200' }), fits({ code: '2xx' }), fits({ code: '200', method: 'Get' })]).toEqual([true, false, false])
})
