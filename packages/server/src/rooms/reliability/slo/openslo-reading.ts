/** Reads fields of documents that nobody vouches for, and notes everything that is wrong with its place. */
import type { Cause } from '@pavior/contract'

export type Fields = Record<string, unknown>

/** What OpenSLO has no field for. */
export const annotationNames = {
  environment: 'pavior.dev/environment',
  onExhausted: 'pavior.dev/on-exhausted',
  ticketAt: 'pavior.dev/ticket-at',
  minimumBad: 'pavior.dev/minimum-bad',
} as const

export class Reading {
  readonly #causes: Cause[]
  readonly #where: string

  constructor(causes: Cause[], where: string) {
    this.#causes = causes
    this.#where = where
  }

  /** Notes it and gives nothing, so that `return reading.wrong(…)` ends a reading. */
  wrong(path: string, message: string): never[] {
    this.#causes.push({ field: path === '' ? this.#where : `${this.#where}: ${path}`, message })
    return []
  }

  /** A map with no fields but these. */
  map(value: unknown, path: string, known: readonly string[]): Fields | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.wrong(path, 'must be a map of fields.')
      return undefined
    }
    for (const field of Object.keys(value)) if (!known.includes(field)) this.wrong(path === '' ? field.slice(0, 60) : `${path}.${field.slice(0, 60)}`, 'has no counterpart here.')
    return value as Fields
  }

  /** Absent and null are an empty list. */
  list(value: unknown, path: string): unknown[] {
    if (value === undefined || value === null) return []
    return Array.isArray(value) ? value : this.wrong(path, 'must be a list.')
  }

  text(value: unknown, path: string): string {
    if (typeof value !== 'string' || value === '') this.wrong(path, 'must be a text.')
    return typeof value === 'string' ? value : ''
  }

  number(value: unknown, path: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) this.wrong(path, 'must be a number.')
    return typeof value === 'number' ? value : 0
  }

  oneOf<T extends string>(value: unknown, path: string, words: readonly T[]): T {
    if (!words.includes(value as T)) this.wrong(path, `must be one of ${words.join(', ')}.`)
    return words.includes(value as T) ? (value as T) : words[0]!
  }

  texts(value: unknown, path: string): Record<string, string> {
    if (value === undefined || value === null) return {}
    if (typeof value !== 'object' || Array.isArray(value) || Object.values(value).some((one) => typeof one !== 'string')) {
      this.wrong(path, 'must be a map of texts.')
      return {}
    }
    return value as Record<string, string>
  }
}
