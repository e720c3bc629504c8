import { expect, test } from 'vitest'
import { calendarOf } from './calendar.ts'

const at = (text: string): number => Date.parse(text)
const now = new Date('2026-01-01T00:00:00Z')

test('turns are events in the form of RFC 5545: stamped, escaped, folded, the same ids each time; holes are none', () => {
  const shifts = [
    { user: 'ada', layer: 'primary', fromMs: at('2026-01-05T08:00:00Z'), untilMs: at('2026-01-12T08:00:00Z') },
    { user: undefined, layer: undefined, fromMs: at('2026-01-12T08:00:00Z'), untilMs: at('2026-01-13T08:00:00Z') },
    { user: 'ümit; the one, and only', layer: undefined, fromMs: at('2026-01-13T08:00:00Z'), untilMs: at('2026-01-14T08:00:00Z') },
  ]
  const text = calendarOf({ team: 'shop', name: 'primary' }, shifts, now)
  expect(text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75)).toBe(true)
  const unfolded = text.replaceAll('\r\n ', '')
  expect(unfolded.match(/BEGIN:VEVENT/g)).toHaveLength(2)
  expect(unfolded).toContain('DTSTART:20260105T080000Z\r\nDTEND:20260112T080000Z\r\nSUMMARY:ada is on call for primary\r\n')
  expect(unfolded).toContain('SUMMARY:ümit\\; the one\\, and only is on call for primary\r\n')
  expect(calendarOf({ team: 'shop', name: 'primary' }, shifts, now)).toBe(text)
  expect(new Set(unfolded.match(/UID:\S+/g)).size).toBe(2)
})
