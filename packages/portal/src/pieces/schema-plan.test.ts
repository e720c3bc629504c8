import { expect, test } from 'vitest'
import { checkValues } from './schema-check.ts'
import { below, defaultsOf, formOf, freshValue, hasField, homelessCauses, orderOf, wordsOf, type FormSchema } from './schema-plan.ts'

const team: FormSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    size: { type: 'integer', default: 3, minimum: 1 },
    name: { type: 'string', pattern: '^[a-z]+$' },
    role: { enum: ['admin', 'viewer'] },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    members: { type: 'array', items: { type: 'object', required: ['user'], properties: { user: { type: 'string' } } } },
    tags: { type: 'array', uniqueItems: true, items: { type: 'string', enum: ['a', 'b'] } },
    health: { type: 'object', properties: { interval: { type: 'number', default: 10 } } },
    tier: { oneOf: [{ const: 1, title: 'One' }, { const: 2 }] },
    extra: {},
  },
}

test('every kind of schema has its form', () => {
  expect(Object.fromEntries(Object.entries(team.properties!).map(([name, schema]) => [name, formOf(schema)]))).toEqual({
    size: 'number', name: 'text', role: 'choice', labels: 'map', members: 'list', tags: 'choices', health: 'object', tier: 'choice', extra: 'any',
  })
  expect(formOf({ type: 'string', 'ui:widget': 'hidden' })).toBe('hidden')
})

test('required fields come first, unless the schema gives an order', () => {
  expect(orderOf(team)[0]).toBe('name')
  expect(orderOf({ ...team, 'ui:order': ['tier', '*', 'size'] })).toEqual(['tier', 'name', 'role', 'labels', 'members', 'tags', 'health', 'extra', 'size'])
})

test('what is added begins with what it must have, and defaults', () => {
  expect(freshValue(team.properties!.members!.items!)).toEqual({ user: '' })
  expect(defaultsOf(team)).toEqual({ size: 3, health: { interval: 10 } })
  expect(wordsOf('startTimeoutSeconds')).toBe('Start timeout seconds')
})

test('fields are named as the API names them', () => {
  expect(below(below('spec', 'members'), 0)).toBe('spec.members[0]')
  expect(below('spec.labels', 'a b')).toBe('spec.labels[a b]')
  const values = { members: [{ user: 'x' }], labels: { 'a b': 'c' } }
  for (const field of ['spec.members[0].user', 'spec.members', 'spec.labels[a b]', 'spec.name']) expect(hasField(team, values, 'spec', field)).toBe(true)
  for (const field of ['spec.members[1].user', 'spec.health.interval', 'metadata.name']) expect(hasField(team, values, 'spec', field)).toBe(false)
  const causes = [{ field: 'spec.health.interval', message: 'too small' }, { field: 'spec.name', message: 'odd' }]
  expect(homelessCauses(causes, (field) => hasField(team, values, 'spec', field))).toEqual([causes[0]])
})

test('values are checked in the page, and each complaint names its field', () => {
  const fields = checkValues(team, { size: 0, members: [{}], labels: { x: 3 } }).map(({ field }) => field)
  expect(fields.toSorted()).toEqual(['labels.x', 'members[0].user', 'name', 'size'])
  expect(checkValues(team, { name: 'ada' })).toEqual([])
  expect(checkValues({ ...team, additionalProperties: false }, { name: 'ada', nmae: 1 })).toEqual([{ field: 'nmae', message: 'is not known here' }])
})
