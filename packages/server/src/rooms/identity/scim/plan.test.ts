import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operationsOf, pageOf, parseFilter, patchPerson, patchTeam, personOf, ScimError, teamOf, type Operation, type Person } from './plan.ts'

const ada: Person = { userName: 'ada@example.com', externalId: 'x1', displayName: 'Ada', email: 'ada@example.com', active: true }
const patch = (operations: object[]): Person => patchPerson(ada, operationsOf({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations }))

describe('a change of a person', () => {
  test.each<[string, object[], Partial<Person>]>([
    ['Okta deactivates', [{ op: 'replace', value: { active: false } }], { active: false }],
    ['Entra deactivates', [{ op: 'Replace', path: 'active', value: 'False' }], { active: false }],
    ['Entra renames', [{ op: 'Add', path: 'displayName', value: 'Ada L.' }, { op: 'Replace', path: 'emails[type eq "work"].value', value: 'al@example.com' }], { displayName: 'Ada L.', email: 'al@example.com' }],
    ['a full path', [{ op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:userName', value: 'al' }], { userName: 'al' }],
    ['without a path, with dotted and foreign attributes', [{ op: 'add', value: { 'name.givenName': 'A', title: 'Countess', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department': 'x' } }], {}],
    ['e-mails as a list', [{ op: 'replace', path: 'emails', value: [{ value: 'one@example.com' }, { value: 'two@example.com', primary: true }] }], { email: 'two@example.com' }],
  ])('%s', (_name, operations, expected) => {
    expect(patch(operations)).toMatchObject(expected)
  })

  test('takes away what is removed', () => {
    expect(patch([{ op: 'remove', path: 'externalId' }])).not.toHaveProperty('externalId')
  })

  test.each<[string, unknown]>([
    ['no operations', { Operations: [] }],
    ['an unknown operation', { Operations: [{ op: 'move', path: 'active', value: true }] }],
    ['a remove of nothing', { Operations: [{ op: 'remove' }] }],
    ['active that is neither', { Operations: [{ op: 'replace', path: 'active', value: 'perhaps' }] }],
    ['an attribute that there is not', { Operations: [{ op: 'replace', path: 'admin', value: true }] }],
    ['a path that cannot be understood', { Operations: [{ op: 'replace', path: 'emails[', value: 'x' }] }],
    ['a text that is too long', { Operations: [{ op: 'replace', path: 'displayName', value: 'x'.repeat(300) }] }],
    ['a list', []],
    ['another schema', { schemas: ['urn:x'], Operations: [{ op: 'replace', path: 'active', value: true }] }],
  ])('%s is refused whole', (_name, body) => {
    expect(() => patchPerson(ada, operationsOf(body))).toThrow(ScimError)
  })
})

describe('a change of a group', () => {
  const team = { displayName: 'Shop', members: ['one', 'two'] }
  const after = (operations: Operation[]): string[] => patchTeam(team, operations).members
  test('adds, takes by filter and by value, and replaces', () => {
    expect(after([{ op: 'add', path: 'members', value: [{ value: 'three' }, { value: 'one' }] }])).toEqual(['one', 'two', 'three'])
    expect(after([{ op: 'remove', path: 'members[value eq "one"]' }])).toEqual(['two'])
    expect(after([{ op: 'remove', path: 'members', value: [{ value: 'two' }] }])).toEqual(['one'])
    expect(after([{ op: 'remove', path: 'members' }])).toEqual([])
    expect(after([{ op: 'replace', value: { members: [{ value: 'nine' }] } }])).toEqual(['nine'])
  })
})

test('a filter asks for one attribute, whatever its case and its quotes', () => {
  expect(parseFilter('USERNAME eq "a\\"b"', ['userName'])).toEqual({ attribute: 'userName', value: 'a"b' })
  for (const wrong of ['', 'userName', 'userName co "a"', 'userName eq a', 'password eq "x"', 'userName eq "a" and active eq true']) expect(() => parseFilter(wrong, ['userName'])).toThrow(ScimError)
})

test('pages begin at one and have a limit', () => {
  expect(pageOf({})).toEqual({ startIndex: 1, count: 100 })
  expect(pageOf({ startIndex: '-3', count: '5000' })).toEqual({ startIndex: 1, count: 200 })
  expect(() => pageOf({ count: 'all' })).toThrow(ScimError)
})

test('garbage is refused in the words of SCIM, and never passes for a person', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      for (const read of [personOf, teamOf, (value: unknown) => patchPerson(ada, operationsOf(value)), (value: unknown) => patchTeam({ displayName: 'x', members: [] }, operationsOf(value))]) {
        try {
          read(body)
        } catch (error) {
          expect(error).toBeInstanceOf(ScimError)
        }
      }
    }),
    { numRuns: 300 },
  )
})
