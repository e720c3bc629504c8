/** Numbers, durations and texts as PromQL writes them. */

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }

/** Milliseconds of `1h30m`; undefined when it is no duration, or none that is longer than nothing. */
export function durationOf(text: string): number | undefined {
  if (!/^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.test(text) || text === '') return undefined
  let ms = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) ms += Number(count) * unitMs[unit!]!
  return ms
}

/** Undefined when it is no number of PromQL 2. */
export function numberOf(text: string): number | undefined {
  const lower = text.toLowerCase()
  if (lower === 'inf') return Infinity
  if (lower === 'nan') return NaN
  if (/^0x[0-9a-f]+$/.test(lower)) return Number(lower)
  if (/^0[0-7]+$/.test(lower)) return Number.parseInt(lower, 8)
  return /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/.test(lower) ? Number(lower) : undefined
}

const escapes: Record<string, string> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"' }
const escape = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[^])/g

/** Text within quotes, by the rules of Go; undefined when an escape is not one, or the end is missing. */
export function textOf(quoted: string): string | undefined {
  const quote = quoted[0]!
  if (quoted.length < 2 || quoted.at(-1) !== quote) return undefined
  const inner = quoted.slice(1, -1)
  if (quote === '`') return inner
  if (inner.includes('\n')) return undefined
  let broken = false
  const text = inner.replaceAll(escape, (_all, code: string) => {
    const one = codeOf(code, quote)
    if (one === undefined) broken = true
    return one ?? ''
  })
  return broken ? undefined : text
}

function codeOf(code: string, quote: string): string | undefined {
  if (code === '"' || code === "'") return code === quote ? code : undefined
  if (code.length === 1) return escapes[code]
  const point = /^[0-7]/.test(code) ? Number.parseInt(code, 8) : Number.parseInt(code.slice(1), 16)
  return point <= 0x10ffff ? String.fromCodePoint(point) : undefined
}
