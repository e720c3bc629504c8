/** Pure: base score of a CVSS 3.x vector, by the formulas of https://www.first.org/cvss/v3.1/specification-document#7-1. */
import type { Severity } from '@pavior/contract'

const weights: Record<string, Record<string, number>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
}
const privileges: Record<string, { U: number; C: number }> = { N: { U: 0.85, C: 0.85 }, L: { U: 0.62, C: 0.68 }, H: { U: 0.27, C: 0.5 } }

/** From 0 to 10; undefined for other versions and for what is no vector. */
export function cvssScore(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\//.test(vector)) return undefined
  const metrics = Object.fromEntries(vector.split('/').slice(1).map((part) => part.split(':') as [string, string]))
  const scope = metrics.S === 'C' ? 'C' : 'U'
  const of = (name: string): number => weights[name]?.[metrics[name] ?? ''] ?? NaN
  const needed = privileges[metrics.PR ?? '']?.[scope] ?? NaN
  const base = 1 - (1 - of('C')) * (1 - of('I')) * (1 - of('A'))
  const impact = scope === 'U' ? 6.42 * base : 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15
  const exploitability = 8.22 * of('AV') * of('AC') * needed * of('UI')
  if (Number.isNaN(impact + exploitability)) return undefined
  if (impact <= 0) return 0
  return roundedUp(Math.min((scope === 'U' ? 1 : 1.08) * (impact + exploitability), 10))
}

/** To one decimal, as the specification does it against the errors of floating point. */
function roundedUp(score: number): number {
  const whole = Math.round(score * 100_000)
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10
}

export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical'
  if (score >= 7) return 'high'
  return score >= 4 ? 'medium' : 'low'
}
