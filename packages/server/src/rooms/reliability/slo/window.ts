/** Where the window of an objective begins: rolling, or a period of the calendar in somebody's time zone. Pure. */
import { dateOf, dayNumber, toLocal, toUtc, type Local, type SloWindow } from '@pavior/contract'

const minuteMs = 60_000
export const hourMinutes = 60
const unitMinutes: Record<string, number> = { h: 60, d: 1440, w: 10_080 }
export const defaultWindow: SloWindow = { rolling: '28d' }

type Calendar = NonNullable<SloWindow['calendar']>

/** Length in minutes; of a calendar window the longest that its period can be. */
export function windowMinutes(window: SloWindow): number {
  if (window.calendar) return { day: 1500, week: 10_140, month: 44_700, quarter: 132_540 }[window.calendar.period]
  const [, count, unit] = /^(\d+)([hdw])$/.exec(window.rolling ?? defaultWindow.rolling!)!
  return Number(count) * unitMinutes[unit!]!
}

/** First minute of the window that ends with `head`, both since the epoch. Windows begin with a whole hour, so that what leaves them is one sum. */
export function windowStart(window: SloWindow, head: number): number {
  const first = window.calendar ? Math.floor(periodOf(window.calendar, head * minuteMs).from / minuteMs) : head - windowMinutes(window) + 1
  return Math.floor(first / hourMinutes) * hourMinutes
}

/** Milliseconds at which the window ends that holds this moment: now for a rolling one, the end of the period otherwise. */
export function windowEnd(window: SloWindow, at: number): number {
  return window.calendar ? periodOf(window.calendar, at).until : at
}

/** The period that holds this moment, in milliseconds since the epoch. */
export function periodOf(calendar: Calendar, at: number): { from: number; until: number } {
  const anchor = anchorOf(calendar)
  const boundary = (index: number): number => toUtc(shifted(anchor, calendar.period, index), calendar.timeZone)
  let index = periodsBetween(anchor, toLocal(at, calendar.timeZone), calendar.period)
  while (boundary(index) > at) index--
  while (boundary(index + 1) <= at) index++
  return { from: boundary(index), until: boundary(index + 1) }
}

/** A Monday, and the first of January. */
const plainWeek = '2024-01-01T00:00:00'

function anchorOf({ start = plainWeek }: Calendar): Local {
  const ms = Date.parse(`${start}Z`)
  const date = new Date(ms)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), time: ms - Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) }
}

const months = { month: 1, quarter: 3 } as const
const days = { day: 1, week: 7 } as const

function periodsBetween(anchor: Local, { year, month, day }: Local, period: Calendar['period']): number {
  if (period === 'day' || period === 'week') return Math.floor((dayNumber({ year, month, day }) - dayNumber(anchor)) / days[period])
  return Math.floor(((year - anchor.year) * 12 + month - anchor.month) / months[period])
}

/** A month that has no such day begins with its last. */
function shifted(anchor: Local, period: Calendar['period'], count: number): Local {
  if (period === 'day' || period === 'week') {
    return { ...dateOf(dayNumber(anchor) + count * days[period]), time: anchor.time }
  }
  const month = anchor.month + count * months[period]
  const last = new Date(Date.UTC(anchor.year, month + 1, 0)).getUTCDate()
  return { year: anchor.year, month, day: Math.min(anchor.day, last), time: anchor.time }
}
