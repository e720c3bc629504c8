/** Where turns stand in a week. Pure. */

/** Midnight of the Monday of this week, in the reader's zone. */
export function weekStart(now: Date): Date {
  const sinceMonday = (now.getDay() + 6) % 7
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - sinceMonday)
}

/** In percent of the time from `begin` to `end`; what goes on before and after is cut off. */
export function placed({ from, until }: { from: string; until: string }, begin: number, end: number): { left: number; width: number } {
  const first = Math.max(begin, Date.parse(from))
  const last = Math.min(end, Date.parse(until))
  const share = (ms: number): number => (ms / (end - begin)) * 100
  return { left: share(first - begin), width: Math.max(0, share(last - first)) }
}
