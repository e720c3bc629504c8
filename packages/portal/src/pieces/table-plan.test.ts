import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterRows, formatSort, nextSort, parseSort, searchTexts, sortRows, toCsv, type Cell } from './table-plan.ts'

interface Row {
  name: Cell
  size: Cell
}
const columns = [
  { key: 'name', label: 'Name', value: ({ name }: Row) => name },
  { key: 'size', label: 'Size', value: ({ size }: Row) => size },
]
const rows: Row[] = [
  { name: 'web-10', size: 3 },
  { name: 'web-9', size: undefined },
  { name: 'api', size: 20 },
]

test('numbers within names count as numbers, and what is missing comes last either way', () => {
  expect(sortRows(rows, parseSort('name'), columns).map(({ name }) => name)).toEqual(['api', 'web-9', 'web-10'])
  expect(sortRows(rows, parseSort('size'), columns).map(({ size }) => size)).toEqual([3, 20, undefined])
  expect(sortRows(rows, parseSort('-size'), columns).map(({ size }) => size)).toEqual([20, 3, undefined])
  expect(sortRows(rows, parseSort('nothing'), columns)).toBe(rows)
})

test('a third click gives the first order back', () => {
  const first = nextSort(undefined, 'name')
  const second = nextSort(first, 'name')
  expect([first, second].map((sort) => formatSort(sort!))).toEqual(['name', '-name'])
  expect(nextSort(second, 'name')).toBeUndefined()
  expect(nextSort(second, 'size')).toEqual({ key: 'size', descending: false })
})

test('every typed word must be somewhere in the row', () => {
  const texts = searchTexts(rows, columns)
  expect(filterRows(rows, texts, 'WEB 3').map(({ name }) => name)).toEqual(['web-10'])
  expect(filterRows(rows, texts, '  ')).toBe(rows)
})

test('CSV quotes what must be quoted and disarms formulas, but not numbers', () => {
  expect(toCsv([{ name: 'a "b", c', size: -1 }, { name: '=1+1', size: null }], columns)).toBe('Name,Size\r\n"a ""b"", c",-1\r\n\'=1+1,\r\n')
})

test('sorting loses and makes nothing, and its address form reads back', () => {
  const cell = fc.oneof(fc.string(), fc.integer(), fc.constant(undefined))
  fc.assert(
    fc.property(fc.array(fc.record({ name: cell, size: cell })), fc.boolean(), (some, descending) => {
      const sort = { key: 'name', descending }
      expect(parseSort(formatSort(sort))).toEqual(sort)
      expect(new Set(sortRows(some, sort, columns))).toEqual(new Set(some))
    }),
  )
})
