/** Local time of people and moments of machines, by the rules of a time zone. Pure. */

/** A date and a time on somebody's wall. */
export interface Local {
  year: number
  /** From 0. */
  month: number
  day: number
  /** Milliseconds since midnight, by the wall. */
  time: number
}

const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** How far the clocks of a zone are ahead of UTC at this moment, in milliseconds. */
function offsetMs(at: number, timeZone: string): number {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' })
  formats.set(timeZone, format)
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) - Math.floor(at / 1000) * 1000
}

/** What the wall shows at this moment, in milliseconds since the epoch. */
export function toLocal(at: number, timeZone: string): Local {
  const local = at + offsetMs(at, timeZone)
  const date = new Date(local)
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), time: local - midnight }
}

/** A time that the clocks leave out counts as that of before the change; one that comes twice as the first. Days beyond a month's end are those of the next. */
export function toUtc({ year, month, day, time }: Local, timeZone: string): number {
  const local = Date.UTC(year, month, day) + time
  const candidates = [offsetMs(local - dayMs, timeZone), offsetMs(local + dayMs, timeZone)].map((offset) => local - offset)
  const exact = candidates.filter((at) => at + offsetMs(at, timeZone) === local)
  return exact.length > 0 ? Math.min(...exact) : candidates[0]!
}

/** Days since the epoch of a date on the wall: what calendars count with. */
export function dayNumber({ year, month, day }: Pick<Local, 'year' | 'month' | 'day'>): number {
  return Math.floor(Date.UTC(year, month, day) / dayMs)
}

/** The date of a number of days since the epoch. */
export function dateOf(day: number): Pick<Local, 'year' | 'month' | 'day'> {
  const date = new Date(day * dayMs)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() }
}

export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Weekday = (typeof weekdays)[number]

export function weekdayOf(day: number): Weekday {
  // The first day of the epoch was a Thursday.
  return weekdays[(((day + 4) % 7) + 7) % 7]!
}

/** Milliseconds since midnight of a time such as 09:30. */
export function timeOfDay(text: string): number {
  const [hours, minutes] = text.split(':').map(Number)
  return (hours! * 60 + minutes!) * 60_000
}
