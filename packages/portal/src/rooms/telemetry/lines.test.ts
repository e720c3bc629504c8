import { expect, test } from 'vitest'
import { filtered, rowsOf, stepFor, unitOf } from './lines.ts'

const series = [
  { metric: { __name__: 'up', app: 'a', team: 'blue' }, values: [[100, '1'], [130, '3']] as [number, string][] },
  { metric: { __name__: 'up', app: 'b', team: 'blue' }, values: [[115, 'NaN']] as [number, string][] },
]

test('values stand at their times, with gaps where there is nothing to draw', () => {
  const rows = rowsOf(series, 100, 15, 3)
  expect(rows.map(({ label, values, last, least, most }) => ({ label, values, last, least, most }))).toEqual([
    { label: '{app="a"}', values: [1, null, 3], last: 3, least: 1, most: 3 },
    { label: '{app="b"}', values: [null, null, null], last: null, least: null, most: null },
  ])
  expect(rows[0]!.full).toBe('up{app="a", team="blue"}')
  expect(rowsOf([{ metric: {}, values: [] }], 0, 15, 1)[0]!.label).toBe('value')
  expect(filtered(rows, 'BLUE app="b')).toEqual([rows[1]])
})

test('steps and units', () => {
  expect([60_000, 3600_000, 604_800_000].map(stepFor)).toEqual([15, 15, 2520])
  expect([unitOf('pavior_instance_memory_bytes'), unitOf('rate(x_bytes_total[5m])'), unitOf('count(x_bytes)'), unitOf('up')]).toEqual(['bytes', 'bytes', '', ''])
})
