/** Parameters of Prometheus' API, from the address or from a form. */
import { fail } from '@pavior/contract'
import { durationOf } from '../promql/literals.ts'

/** As Fastify gives them: several of one name are a list. */
export type Parameters = Record<string, string | string[] | undefined>

/** The form wins over the address. */
export function parametersOf(query: unknown, body: unknown): Parameters {
  return { ...(query as Parameters), ...(body as Parameters | undefined) }
}

export function formOf(body: string): Parameters {
  const form: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (const [name, value] of new URLSearchParams(body)) (form[name] ??= []).push(value)
  return form
}

export function one(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name]
  const first = Array.isArray(value) ? value[0] : value
  return first === '' ? undefined : first
}

export function all(parameters: Parameters, name: string): string[] {
  return [parameters[name] ?? []].flat()
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
/** The last moment that a Date can be. */
const farthestMs = 8.64e15

function invalid(name: string, text: string, fix: string): Error {
  return fail('QUERY_INVALID', { message: `invalid parameter "${name}": "${text.slice(0, 100)}" cannot be read.`, fix })
}

/** Seconds since the epoch, or a time by RFC 3339; milliseconds. */
export function timeParameter(parameters: Parameters, name: string, usual?: number): number {
  const text = one(parameters, name)
  if (text === undefined) {
    if (usual !== undefined) return usual
    throw fail('QUERY_INVALID', { message: `invalid parameter "${name}": it is missing.`, fix: 'Give seconds since the epoch, or a time such as 2026-01-31T12:00:00Z.' })
  }
  // Clients of Prometheus ask for all of time by years with nine digits, or as many seconds.
  const ever = /^([+-]?)\d{6,9}-\d\d-\d\dT/.exec(text)
  if (ever) return ever[1] === '-' ? -farthestMs : farthestMs
  const ms = number.test(text) ? Math.round(Math.max(-farthestMs, Math.min(farthestMs, Number(text) * 1000))) : /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(ms)) throw invalid(name, text, 'Give seconds since the epoch, or a time such as 2026-01-31T12:00:00Z.')
  return ms
}

/** Seconds, or a duration of PromQL; milliseconds. */
export function durationParameter(parameters: Parameters, name: string): number | undefined {
  const text = one(parameters, name)
  if (text === undefined) return undefined
  const ms = number.test(text) ? Math.round(Number(text) * 1000) : durationOf(text)
  if (ms === undefined || !Number.isSafeInteger(ms)) throw invalid(name, text, 'Give seconds, or a duration such as 30s or 5m.')
  return ms
}
