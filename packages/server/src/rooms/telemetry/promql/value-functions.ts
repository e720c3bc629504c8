/** Functions of single values: mathematics and the calendar (UTC). */

export const valueFunctions: ReadonlyMap<string, (value: number) => number> = new Map<string, (value: number) => number>([
  ...(['abs', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'cos', 'cosh', 'exp', 'floor', 'log10', 'log2', 'sin', 'sinh', 'sqrt', 'tan', 'tanh'] as const).map((name): [string, (value: number) => number] => [name, Math[name]]),
  ['ln', Math.log],
  ['deg', (value) => (value * 180) / Math.PI],
  ['rad', (value) => (value * Math.PI) / 180],
  ['sgn', (value) => (value < 0 ? -1 : value > 0 ? 1 : value)],
])

/** Of seconds since the epoch. */
export const calendarFunctions: ReadonlyMap<string, (seconds: number) => number> = new Map<string, (seconds: number) => number>([
  ['minute', (seconds) => dateOf(seconds).getUTCMinutes()],
  ['hour', (seconds) => dateOf(seconds).getUTCHours()],
  ['day_of_week', (seconds) => dateOf(seconds).getUTCDay()],
  ['day_of_month', (seconds) => dateOf(seconds).getUTCDate()],
  ['day_of_year', dayOfYear],
  ['days_in_month', daysInMonth],
  ['month', (seconds) => dateOf(seconds).getUTCMonth() + 1],
  ['year', (seconds) => dateOf(seconds).getUTCFullYear()],
])

/** With arguments that are evaluated at every step. */
export const boundedFunctions: ReadonlyMap<string, (value: number, ...args: number[]) => number | undefined> = new Map<string, (value: number, ...args: number[]) => number | undefined>([
  ['clamp', (value, least, most) => (most! < least! ? undefined : Math.max(least!, Math.min(most!, value)))],
  ['clamp_min', (value, least) => Math.max(least!, value)],
  ['clamp_max', (value, most) => Math.min(most!, value)],
  ['round', (value, to = 1) => Math.floor(value * (1 / to) + 0.5) / (1 / to)],
])

function dateOf(seconds: number): Date {
  return new Date(Math.trunc(seconds) * 1000)
}

function dayOfYear(seconds: number): number {
  const date = dateOf(seconds)
  return (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000 + 1
}

function daysInMonth(seconds: number): number {
  const date = dateOf(seconds)
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
}
