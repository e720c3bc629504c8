/** Times as people say them. Pure. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const month = 30 * day
const year = 365 * day

/** How long ago, in one unit: `just now`, `42 s ago`, `5 min ago`, `3 h ago`, `2 d ago`, `4 mo ago`, `1 y ago`; a time to come is `in 5 min`. */
export function agoText(atMs: number, nowMs: number): string {
  const passed = nowMs - atMs
  // Clocks of two machines are never quite the same.
  if (Math.abs(passed) < 3 * second) return 'just now'
  const text = spanText(Math.abs(passed))
  return passed < 0 ? `in ${text}` : `${text} ago`
}

/** One unit of a span, rounded down: `42 s`, `5 min`, `3 h`. */
function spanText(ms: number): string {
  const units: [number, string][] = [[year, 'y'], [month, 'mo'], [day, 'd'], [hour, 'h'], [minute, 'min'], [second, 's']]
  const [size, name] = units.find(([unit]) => ms >= unit) ?? [second, 's']
  return `${Math.floor(ms / size)} ${name}`
}

/** How long something took: `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationText(ms: number): string {
  if (ms < second) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < minute) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < hour) return `${Math.floor(ms / minute)} min ${Math.floor((ms % minute) / second)} s`
  return `${Math.floor(ms / hour)} h ${Math.floor((ms % hour) / minute)} min`
}
