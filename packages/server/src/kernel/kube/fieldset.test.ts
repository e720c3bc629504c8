import { describe, expect, test } from 'vitest'
import {
  compare,
  difference,
  fieldsOf,
  fromFieldsV1,
  intersection,
  merge,
  pathsOf,
  pathText,
  removeFields,
  toFieldsV1,
  union,
  type ListedSchema,
} from './fieldset.ts'

const schema: ListedSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    env: { type: 'object', patternProperties: { '^.*$': { type: 'string' } } },
    build: { type: 'object', properties: { command: { type: 'string' }, args: { type: 'array', items: { type: 'string' } } } },
    members: {
      type: 'array',
      items: { type: 'object', properties: { user: { type: 'string' }, role: { type: 'string' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['user'],
    } as ListedSchema,
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' } as ListedSchema,
  },
}

const fields = (value: unknown) => toFieldsV1(fieldsOf(schema, value))
const remove = (value: unknown, gone: unknown) => removeFields(schema, value, fromFieldsV1(gone)!)

describe('fields of a value', () => {
  test('structures are their fields, maps and keyed lists are fields too, lists are one field', () => {
    expect(
      fields({
        name: 'a',
        env: { A: '1' },
        build: { command: 'x', args: ['a', 'b'] },
        members: [{ user: 'ada', role: 'admin' }],
        tags: ['t'],
      }),
    ).toEqual({
      'f:name': {},
      'f:env': { '.': {}, 'f:A': {} },
      'f:build': { 'f:command': {}, 'f:args': {} },
      'f:members': { '.': {}, 'k:{"user":"ada"}': { '.': {}, 'f:user': {}, 'f:role': {} } },
      'f:tags': { '.': {}, 'v:"t"': {} },
    })
    expect(fields({ env: {}, build: {} })).toEqual({ 'f:env': {}, 'f:build': {} })
  })

  test('a keyed list that breaks its keys counts as one field', () => {
    expect(fields({ members: [{ user: 'ada' }, { user: 'ada' }] })).toEqual({ 'f:members': {} })
    expect(fields({ members: [{ role: 'admin' }] })).toEqual({ 'f:members': {} })
  })

  test('survive the format of managedFields', () => {
    const set = fieldsOf(schema, { env: { A: '1' }, members: [{ user: 'ada' }] })
    expect(toFieldsV1(fromFieldsV1(toFieldsV1(set))!)).toEqual(toFieldsV1(set))
    for (const wrong of [null, 'x', { nope: {} }, { 'f:a': 1 }, { 'k:nope': {} }]) expect(fromFieldsV1(wrong)).toBeUndefined()
  })

  test('are named as kubectl shows them', () => {
    const set = fieldsOf(schema, { build: { command: 'x' }, members: [{ user: 'ada', role: 'admin' }], tags: ['t'] })
    expect([...pathsOf(set)].map(pathText)).toEqual([
      '.build.command',
      '.members',
      '.members[user="ada"]',
      '.members[user="ada"].user',
      '.members[user="ada"].role',
      '.tags',
      '.tags[="t"]',
    ])
  })
})

test('sets join, intersect and differ', () => {
  const [one, other] = [fieldsOf(schema, { name: 'a', env: { A: '1', B: '2' } }), fieldsOf(schema, { env: { B: '2', C: '3' } })]
  expect(toFieldsV1(union(one, other))).toEqual({ 'f:name': {}, 'f:env': { '.': {}, 'f:A': {}, 'f:B': {}, 'f:C': {} } })
  expect(toFieldsV1(intersection(one, other))).toEqual({ 'f:env': { '.': {}, 'f:B': {} } })
  expect(toFieldsV1(difference(one, other))).toEqual({ 'f:name': {}, 'f:env': { 'f:A': {} } })
})

test('a comparison tells what changed and what is gone', () => {
  const { changed, removed } = compare(
    schema,
    {
      name: 'a',
      env: { A: '1', B: '2' },
      members: [
        { user: 'ada', role: 'admin' },
        { user: 'bob', role: 'viewer' },
      ],
      build: { args: ['a'] },
    },
    { name: 'a', env: { A: '9', C: '3' }, members: [{ user: 'bob', role: 'admin' }], build: { args: ['b'] } },
  )
  expect(toFieldsV1(changed)).toEqual({
    'f:env': { 'f:A': {}, 'f:C': {} },
    'f:members': { 'k:{"user":"bob"}': { 'f:role': {} } },
    'f:build': { 'f:args': {} },
  })
  expect(toFieldsV1(removed)).toEqual({
    'f:env': { 'f:B': {} },
    'f:members': { 'k:{"user":"ada"}': { '.': {}, 'f:user': {}, 'f:role': {} } },
  })
})

test('merging keeps what the configuration does not name', () => {
  expect(
    merge(
      schema,
      { name: 'a', env: { A: '1' }, members: [{ user: 'ada', role: 'viewer' }], build: { args: ['a', 'b'] } },
      { env: { B: '2' }, members: [{ user: 'ada', role: 'admin' }, { user: 'bob' }], build: { args: ['c'] } },
    ),
  ).toEqual({
    name: 'a',
    env: { A: '1', B: '2' },
    members: [{ user: 'ada', role: 'admin' }, { user: 'bob' }],
    build: { args: ['c'] },
  })
})

describe('removing fields', () => {
  test('takes a map when its last key goes, and leaves it when others fill it', () => {
    expect(remove({ env: { A: '1' } }, { 'f:env': { '.': {}, 'f:A': {} } })).toEqual({})
    expect(remove({ env: { A: '1', B: '2' } }, { 'f:env': { '.': {}, 'f:A': {} } })).toEqual({ env: { B: '2' } })
  })

  test('takes a structure that becomes empty', () => {
    expect(remove({ name: 'a', build: { command: 'x' } }, { 'f:build': { 'f:command': {} } })).toEqual({ name: 'a' })
  })

  test('takes items of keyed lists, but never the keys of an item that others fill', () => {
    const members = [
      { user: 'ada', role: 'admin' },
      { user: 'bob', role: 'viewer' },
    ]
    const item = { '.': {}, 'f:user': {} }
    expect(remove({ members }, { 'f:members': { 'k:{"user":"ada"}': { ...item, 'f:role': {} } } })).toEqual({ members: [members[1]] })
    expect(remove({ members }, { 'f:members': { 'k:{"user":"ada"}': item } })).toEqual({ members })
  })

  test('takes values of sets and whole lists', () => {
    expect(remove({ tags: ['a', 'b'] }, { 'f:tags': { 'v:"a"': {} } })).toEqual({ tags: ['b'] })
    expect(remove({ name: 'a', build: { command: 'x', args: ['a'] } }, { 'f:build': { 'f:args': {} } })).toEqual({
      name: 'a',
      build: { command: 'x' },
    })
  })
})
