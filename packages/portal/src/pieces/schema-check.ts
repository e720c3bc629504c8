/** Checks values against a JSON Schema in the page itself; without eval, which the content policy forbids. */
import { Validator, type Schema } from '@cfworker/json-schema'
import type { Cause } from '@pavior/contract'
import { below } from './schema-plan.ts'

/** The same form of complaint that the API gives. Empty when the values fit. */
export function checkValues(schema: object, values: unknown): Cause[] {
  const { errors } = new Validator(schema as Schema, '7', false).validate(values)
  // The outer ones only say that something within them does not fit.
  const innermost = errors.filter(({ keyword }) => !['properties', 'items', 'additionalProperties', 'additionalItems', 'patternProperties', '$ref'].includes(keyword))
  return innermost.map(({ instanceLocation, keyword, error }) => {
    const missing = keyword === 'required' ? /property "([^"]+)"/.exec(error)?.[1] : undefined
    const field = fieldOf(instanceLocation)
    if (keyword === 'false') return { field, message: 'is not known here' }
    return missing === undefined ? { field, message: error } : { field: below(field, missing), message: 'is needed' }
  })
}

/** `#/members/0/user` → `members[0].user` */
function fieldOf(pointer: string): string {
  const parts = pointer.replace(/^#\/?/, '').split('/').filter(Boolean).map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
  return parts.reduce((path, part) => below(path, /^\d+$/.test(part) ? Number(part) : part), '')
}
