/** Moments as people give them on the command line. */
import { fail } from '@pavior/contract'

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 }

/** `10m` ago, or a time; as ISO 8601. `flag` is named in the refusal. */
export function timeOf(flag: string, text: string, now: number): string {
  const match = /^(\d{1,9})([smhd])$/.exec(text)
  const time = new Date(match ? now - Number(match[1]) * units[match[2]!]! : text)
  if (Number.isNaN(time.getTime())) throw fail('BAD_REQUEST', { message: `"${text}" is neither a duration nor a time.`, fix: `For example: ${flag} 10m, or ${flag} 2026-01-31T12:00:00Z` })
  return time.toISOString()
}

/** Milliseconds of `500ms`, `90s`, `10m`, `2h` or `7d`. `flag` is named in the refusal. */
export function durationMs(flag: string, text: string): number {
  const match = /^(\d{1,9})(ms|[smhd])$/.exec(text)
  const ms = match ? Number(match[1]) * units[match[2]!]! : 0
  if (ms === 0) throw fail('BAD_REQUEST', { message: `"${text}" is not a duration.`, fix: `For example: ${flag} 10m` })
  return ms
}

/** To the minute, as people read it. */
export function shownTime(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}
