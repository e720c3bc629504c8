import { expect, test } from 'vitest'
import { agoText, durationText } from './time-text.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

test.each([
  ['2026-03-01T11:59:59Z', 'just now'],
  ['2026-03-01T12:00:02Z', 'just now'],
  ['2026-03-01T11:59:18Z', '42 s ago'],
  ['2026-03-01T11:54:01Z', '5 min ago'],
  ['2026-03-01T09:00:00Z', '3 h ago'],
  ['2026-02-27T11:00:00Z', '2 d ago'],
  ['2025-10-20T12:00:00Z', '4 mo ago'],
  ['2024-12-01T12:00:00Z', '1 y ago'],
  ['2026-03-01T12:05:30Z', 'in 5 min'],
])('%s is said as %s', (at, text) => {
  expect(agoText(Date.parse(at), now)).toBe(text)
})

test.each([
  [0, '0 ms'],
  [340.4, '340 ms'],
  [4260, '4.2 s'],
  [59_990, '59.9 s'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
])('%d ms took %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
