import { expect, test } from 'vitest'
import { refusal, unfit, type ServerFacts } from './external.ts'

const where = { address: 'db:5432/pavior', user: 'pavior', database: 'pavior' }
const fine: ServerFacts = { versionNumber: 150_018, version: '15.18', encoding: 'UTF8', standby: false, mayCreate: true }

test.each<[string, Partial<ServerFacts>, string | undefined, RegExp | undefined]>([
  ['15 is enough', {}, undefined, undefined],
  ['14 is not', { versionNumber: 140_023, version: '14.23' }, 'DATABASE_UNSUPPORTED', /PostgreSQL 14\.23; Pavior needs 15/],
  ['another encoding', { encoding: 'SQL_ASCII' }, 'DATABASE_UNSUPPORTED', /SQL_ASCII/],
  ['a standby', { standby: true, mayCreate: false }, 'DATABASE_REFUSED', /standby/],
  ['a user that owns nothing', { mayCreate: false }, 'DATABASE_REFUSED', /"pavior" may not create tables/],
])('%s', (_, facts, code, message) => {
  const problem = unfit({ ...fine, ...facts }, where)
  expect(problem?.code).toBe(code)
  if (message) expect(problem!.message).toMatch(message)
})

test.each([
  [{ code: '28P01', message: 'password authentication failed' }, 'DATABASE_REFUSED'],
  [{ code: '28000', message: 'no pg_hba.conf entry' }, 'DATABASE_REFUSED'],
  [{ code: '3D000', message: 'database "x" does not exist' }, 'DATABASE_REFUSED'],
  [{ message: 'The server does not support SSL connections' }, 'DATABASE_REFUSED'],
  [{ message: 'self-signed certificate in certificate chain' }, 'DATABASE_REFUSED'],
  [{ code: '23505', message: 'duplicate key' }, undefined],
  [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' }, undefined],
])('%o is %s', (error, code) => {
  expect(refusal(Object.assign(new Error(error.message), error))?.code).toBe(code)
})
