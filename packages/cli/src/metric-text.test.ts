import { expect, test } from 'vitest'
import { figure, labelsText, sparkline, topRows } from './metric-text.ts'

test('numbers are short, and bytes are bytes', () => {
  expect([0, 12, 0.123456, 1234.5678, 2e9, NaN, Infinity, -Infinity].map((value) => figure(value, 'x'))).toEqual(['0', '12', '0.1235', '1235', '2000000000', 'NaN', '+Inf', '-Inf'])
  expect(figure(5 * 1024 * 1024, 'pavior_instance_memory_bytes')).toBe('5.0 MB')
})

test('labels stand in order', () => {
  expect(labelsText({ __name__: 'up' })).toBe('up')
  expect(labelsText({ b: '2', __name__: 'up', a: 'x"y' })).toBe('up{a="x\\"y", b="2"}')
  expect(labelsText({})).toBe('{}')
})

test('a line from nothing to the most', () => {
  expect(sparkline([0, 1, 2, 4, NaN, 8])).toBe('▁▂▃▅ █')
  expect(sparkline([0, 0])).toBe('▁▁')
  expect(sparkline([-1, 1])).toBe('▁█')
  expect(sparkline([])).toBe('')
})

test('columns come together by app and environment, the most first', () => {
  const of = (app: string, value: string) => ({ metric: { team: 'blue', app, environment: 'production' }, value: [0, value] as [number, string] })
  const rows = topRows(new Map([['cpu', [of('a', '0.1'), of('b', '0.5')]], ['p95', [of('a', 'NaN')]]]), 'cpu')
  expect(rows.map(({ app, cpu }) => [app, cpu])).toEqual([['b', 0.5], ['a', 0.1]])
  expect(rows[1]!.p95).toBeNaN()
})
