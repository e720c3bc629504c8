import type { Resource } from '@pavior/contract'
import { expect, test } from 'vitest'
import { defineKind } from '../kind.ts'
import { age, makeTable, tableForm } from './table.ts'
import { appKind } from './testing/kinds.ts'

const now = new Date('2026-06-01T00:00:00Z')

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [200, '3m20s'],
  [11 * 60, '11m'],
  [179 * 60, '179m'],
  [3 * 3600 + 600, '3h10m'],
  [9 * 3600, '9h'],
  [50 * 3600, '2d2h'],
  [9 * 86_400, '9d'],
  [800 * 86_400, '2y70d'],
  [9 * 365 * 86_400, '9y'],
  [-5, '0s'],
])('%d seconds ago is %s', (seconds, text) => {
  expect(age(new Date(now.getTime() - seconds * 1000).toISOString(), now)).toBe(text)
})

test('an age of nonsense is unknown', () => expect(age('never', now)).toBe('<unknown>'))

test('name first, age last, own columns between, wide ones with priority 1', () => {
  const app = {
    apiVersion: 'pavior.dev/v1',
    kind: 'App',
    metadata: { name: 'shop', namespace: 'blue', creationTimestamp: '2026-05-31T23:59:00Z', managedFields: [] },
    spec: { processes: { web: {} } },
  } as never as Resource
  const table = makeTable(tableForm(appKind), [app], {
    metadata: { resourceVersion: '7' },
    includeObject: 'Metadata',
    apiVersion: 'meta.k8s.io/v1',
    now,
  })
  expect(table.columnDefinitions?.map(({ name, priority }) => [name, priority])).toEqual([
    ['Name', 0],
    ['Declared', 0],
    ['Processes', 0],
    ['Description', 1],
    ['Age', 0],
  ])
  expect(table.rows).toEqual([
    {
      cells: ['shop', '', 1, '', '60s'],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: expect.not.objectContaining({ managedFields: [] }) },
    },
  ])
})

test('dates become the time since, and what is missing stays empty', () => {
  const kind = defineKind<{ at?: string; size?: number }, object>({
    ...(appKind as object as ReturnType<typeof defineKind<{ at?: string; size?: number }, object>>),
    columns: [
      { name: 'Done', type: 'date', description: 'When.', value: ({ spec }) => spec.at },
      { name: 'Size', type: 'integer', description: 'How much.', value: ({ spec }) => spec.size },
    ],
  })
  const form = tableForm(kind)
  const cells = (spec: object): unknown[] =>
    form.cells({ metadata: { name: 'x', creationTimestamp: now.toISOString() }, spec } as never, now)
  expect(cells({ at: '2026-05-31T22:00:00Z', size: 3 })).toEqual(['x', '120m', 3, '0s'])
  expect(cells({})).toEqual(['x', '', null, '0s'])
  expect(form.columns.map(({ type }) => type)).toEqual(['string', 'string', 'integer', 'string'])
})
