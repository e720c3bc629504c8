/** Shifts as a calendar that others subscribe to: iCalendar, RFC 5545. Pure. */
import { createHash } from 'node:crypto'
import type { Shift } from './plan.ts'

/** A line is at most 75 octets; what follows begins with a space. */
const lineOctets = 75

export function calendarOf({ team, name }: { team: string; name: string }, shifts: readonly Shift[], now: Date): string {
  const events = shifts.filter(({ user }) => user !== undefined).flatMap(({ user, layer, fromMs, untilMs }) => [
    'BEGIN:VEVENT',
    // The same turn keeps its id, so that a calendar that reads it again changes it in place.
    `UID:${createHash('sha256').update([team, name, layer ?? '', fromMs].join('\n')).digest('hex').slice(0, 32)}@pavior`,
    `DTSTAMP:${stamp(now.getTime())}`,
    `DTSTART:${stamp(fromMs)}`,
    `DTEND:${stamp(untilMs)}`,
    `SUMMARY:${escaped(`${user} is on call for ${name}`)}`,
    `DESCRIPTION:${escaped(layer === undefined ? `Stands in; schedule ${team}/${name}.` : `Layer ${layer} of the schedule ${team}/${name}.`)}`,
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ])
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Pavior//On call//EN', 'CALSCALE:GREGORIAN', `X-WR-CALNAME:${escaped(`On call: ${name}`)}`, ...events, 'END:VCALENDAR']
  return lines.map((line) => `${folded(line)}\r\n`).join('')
}

function stamp(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

function escaped(text: string): string {
  return text.replaceAll(/[\\;,]/g, '\\$&').replaceAll('\n', '\\n')
}

function folded(line: string): string {
  const parts: string[] = []
  let part = ''
  for (const letter of line) {
    if (Buffer.byteLength(part + letter) > lineOctets - (parts.length > 0 ? 1 : 0)) {
      parts.push(part)
      part = ''
    }
    part += letter
  }
  return [...parts, part].join('\r\n ')
}
