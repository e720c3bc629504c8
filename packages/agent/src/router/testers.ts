/** Requests that ask for the release on trial: by a header, or by a cookie that a browser keeps. */
import type { DesiredRoute } from '@pavior/contract'

export interface TestersMark {
  /** Lower case. */
  field: string
  /** The cookie's name; undefined when the field's whole value is meant. */
  cookie: string | undefined
  value: string
}

export function markOf({ header, cookie, value }: NonNullable<DesiredRoute['testers']>): TestersMark {
  return { field: cookie === undefined ? (header ?? '').toLowerCase() : 'cookie', cookie, value }
}

/** `fields`: lines of a request head, each with its line break. */
export function bearsMark(fields: string, { field, cookie, value }: TestersMark): boolean {
  for (const line of fields.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon !== field.length || line.slice(0, colon).toLowerCase() !== field) continue
    const given = line.slice(colon + 1).trim()
    if (cookie === undefined ? given === value : given.split(';').some((pair) => pair.trim() === `${cookie}=${value}`)) return true
  }
  return false
}
