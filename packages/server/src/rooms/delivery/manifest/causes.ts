/** From the errors of a schema to causes that name file, line and field. */
import type { Cause } from '@pavior/contract'

export interface SchemaError {
  keyword: string
  instancePath: string
  message: string
  params: object
}

export function causesOf(file: string, { keyword, instancePath, message, params }: SchemaError, lineOf: (path: string[]) => number | undefined): Cause[] {
  const path = instancePath.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const place = (inner: string[]): string => {
    const line = lineOf(inner)
    return `${file}${line === undefined ? '' : `:${line}`} ${inner.join('.') || '(whole file)'}`
  }
  const { additionalProperties } = params as { additionalProperties?: string[] }
  if (keyword === 'additionalProperties' && additionalProperties) {
    return additionalProperties.map((name) => ({ field: place([...path, name]), message: 'is not a known field', reason: 'FieldValueInvalid' }))
  }
  return [{ field: place(path), message, reason: 'FieldValueInvalid' }]
}
