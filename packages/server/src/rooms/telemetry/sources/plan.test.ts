import { isPaviorError } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handedOn, refuseUnlessWell, resultsIn } from './plan.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return isPaviorError(error) ? error.code : `not coded: ${String(error)}`
  }
}
const answer = (status: number, body: string, over: object = {}) => ({ status, isJson: body.startsWith('{'), body: Buffer.from(body), cut: false, said: body, ...over })

test.each([
  [answer(200, '{"status":"success"}'), undefined],
  [answer(200, '<html>'), 'SOURCE_FAILED'],
  [answer(200, '{}', { cut: true }), 'QUERY_TOO_LARGE'],
  [answer(400, '{"error":"parse error"}'), 'QUERY_INVALID'],
  [answer(400, 'nginx'), 'SOURCE_FAILED'],
  [answer(401, '{"error":"no"}'), 'SOURCE_FAILED'],
  [answer(422, '{"error":"many-to-many"}'), 'QUERY_FAILED'],
  [answer(503, '{"error":"query timed out"}'), 'QUERY_TIMEOUT'],
  [answer(502, 'bad gateway'), 'SOURCE_FAILED'],
])('%j', (given, code) => expect(codeOf(() => refuseUnlessWell('mimir', given))).toBe(code))

test('an answer is values, or a coded refusal, whatever it is', () => {
  const asBody = (data: unknown): Buffer => Buffer.from(JSON.stringify({ status: 'success', data }))
  expect(resultsIn('m', asBody({ resultType: 'vector', result: [{ metric: { app: 'shop' }, value: [1, '2.5'] }, { metric: {}, value: [1, '+Inf'] }] }))).toEqual([{ labels: { app: 'shop' }, value: 2.5 }, { labels: {}, value: Infinity }])
  expect(resultsIn('m', asBody({ resultType: 'scalar', result: [1, 'NaN'] }))).toEqual([{ labels: {}, value: NaN }])
  expect(codeOf(() => resultsIn('m', asBody({ resultType: 'matrix', result: [] })))).toBe('QUERY_FAILED')
  fc.assert(fc.property(fc.oneof(fc.json().map((text) => Buffer.from(text)), fc.jsonValue().map((result) => asBody({ resultType: 'vector', result })), fc.uint8Array().map((bytes) => Buffer.from(bytes))), (body) => {
    expect(codeOf(() => resultsIn('m', body)) ?? 'values').toMatch(/^(values|SOURCE_FAILED|QUERY_FAILED)$/)
  }))
})

test('only parameters of Prometheus are handed on', () => {
  expect(handedOn('query', { query: 'up', time: '1', team: 'blue', evil: 'x' }).toString()).toBe('query=up&time=1')
  expect(handedOn('series', { 'match[]': ['a', 'b'] }).getAll('match[]')).toEqual(['a', 'b'])
})
