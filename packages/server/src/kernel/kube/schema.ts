/**
 * Explains in the words of Kubernetes why a value does not fit a schema, and prunes what the schema does not know.
 *
 * The compiled TypeBox check decides whether a value fits; this walk runs only when it does not, so it may take its time.
 */
import type { Cause } from '@pavior/contract'
import Format from 'typebox/format'

/** The part of JSON Schema that TypeBox emits for our kinds. */
export interface JsonSchema {
  type?: string
  description?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  patternProperties?: Record<string, JsonSchema>
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
}

export interface Findings {
  causes: Cause[]
  /** Paths of fields that the schema does not have, in the order found. */
  unknown: string[]
}

/** A record with a key pattern refuses other keys; TypeBox leaves it open. Returns a changed copy. */
export function closeRecords<S>(schema: S): S {
  if (Array.isArray(schema)) return schema.map(closeRecords) as S
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closeRecords(value)])) as JsonSchema
  if (typeof copy.patternProperties === 'object' && copy.properties === undefined && copy.additionalProperties === undefined)
    copy.additionalProperties = false
  return copy as S
}

/**
 * Collects what is wrong with `value` and returns it without unknown fields and without nulls in optional fields.
 * What needs no change is returned as the same object.
 */
export function examine(schema: JsonSchema, value: unknown, path: string, found: Findings): unknown {
  if (schema.anyOf) return examineChoice(schema.anyOf, value, path, found)
  if (schema.enum && !schema.enum.includes(value)) return unsupported(schema.enum, value, path, found)
  if ('const' in schema && schema.const !== value) return unsupported([schema.const], value, path, found)
  if (!schema.type) return value
  if (!isOfType(schema.type, value)) {
    found.causes.push({
      field: path,
      reason: 'FieldValueTypeInvalid',
      message: `Invalid value: "${typeName(value)}": must be ${schema.type}`,
    })
    return value
  }
  if (schema.type === 'object') return examineObject(schema, value as Record<string, unknown>, path, found)
  if (schema.type === 'array') return examineArray(schema, value as unknown[], path, found)
  const complaint =
    typeof value === 'string' ? stringComplaint(schema, value) : typeof value === 'number' ? numberComplaint(schema, value) : undefined
  if (complaint) found.causes.push({ field: path, ...complaint })
  return value
}

function examineObject(schema: JsonSchema, value: Record<string, unknown>, path: string, found: Findings): unknown {
  const kept: Record<string, unknown> = {}
  let changed = false
  for (const name of schema.required ?? []) {
    if (value[name] === undefined || (value[name] === null && !acceptsNull(schema.properties?.[name]))) {
      found.causes.push({ field: join(path, name), reason: 'FieldValueRequired', message: 'Required value' })
    }
  }
  for (const [name, inner] of Object.entries(value)) {
    const declared = ownProperty(schema.properties, name)
    const pattern = declared ?? patternFor(schema, name)
    const place = join(path, name)
    if (declared && inner === null && !acceptsNull(declared)) {
      changed = true
      continue
    }
    if (pattern) {
      kept[name] = examine(pattern, inner, place, found)
      if (kept[name] !== inner) changed = true
    } else if (schema.additionalProperties === false) {
      reportStranger(schema, name, path, found)
      changed = true
    } else {
      kept[name] = typeof schema.additionalProperties === 'object' ? examine(schema.additionalProperties, inner, place, found) : inner
      if (kept[name] !== inner) changed = true
    }
  }
  return changed ? kept : value
}

/** A field that is not declared is unknown; a key of a map that does not fit the map's pattern is a wrong value. */
function reportStranger(schema: JsonSchema, name: string, path: string, found: Findings): void {
  const [pattern] = Object.keys(schema.patternProperties ?? {})
  if (pattern === undefined) found.unknown.push(join(path, name))
  else found.causes.push({ field: path, reason: 'FieldValueInvalid', message: `Invalid value: ${quote(name)}: keys must match ${pattern}` })
}

function examineArray(schema: JsonSchema, value: unknown[], path: string, found: Findings): unknown {
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    const none = value.length === 0 && schema.minItems === 1
    found.causes.push(
      none
        ? { field: path, reason: 'FieldValueRequired', message: 'Required value: must have at least 1 item' }
        : {
            field: path,
            reason: 'FieldValueInvalid',
            message: `Invalid value: ${value.length}: must have at least ${schema.minItems} items`,
          },
    )
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    // A list that is far too long would be answered with as many causes.
    found.causes.push({
      field: path,
      reason: 'FieldValueTooMany',
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
    })
    return value
  }
  if (schema.uniqueItems && new Set(value.map((item) => JSON.stringify(item))).size < value.length) {
    found.causes.push({ field: path, reason: 'FieldValueDuplicate', message: 'Duplicate value: items must be unique' })
  }
  if (!schema.items) return value
  const kept = value.map((item, index) => examine(schema.items!, item, `${path}[${index}]`, found))
  return kept.some((item, index) => item !== value[index]) ? kept : value
}

/** The first alternative that fits; when none does, the one that is of the right type explains why. */
function examineChoice(alternatives: JsonSchema[], value: unknown, path: string, found: Findings): unknown {
  let closest: Findings | undefined
  for (const alternative of alternatives) {
    const attempt: Findings = { causes: [], unknown: [] }
    const kept = examine(alternative, value, path, attempt)
    if (attempt.causes.length === 0) {
      found.unknown.push(...attempt.unknown)
      return kept
    }
    if (!alternative.type || isOfType(alternative.type, value)) closest ??= attempt
  }
  if (closest) found.causes.push(...closest.causes)
  else {
    const types = [...new Set(alternatives.map((alternative) => alternative.type ?? 'another value'))].join(' or ')
    found.causes.push({ field: path, reason: 'FieldValueTypeInvalid', message: `Invalid value: "${typeName(value)}": must be ${types}` })
  }
  return value
}

function unsupported(supported: unknown[], value: unknown, path: string, found: Findings): unknown {
  const list = supported.map((one) => quote(one)).join(', ')
  found.causes.push({
    field: path,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${quote(value)}: supported values: ${list}`,
  })
  return value
}

type Complaint = Omit<Cause, 'field'>

const invalid = (value: unknown, text: string): Complaint => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${quote(value)}: ${text}`,
})

function stringComplaint({ minLength, maxLength, pattern, format }: JsonSchema, value: string): Complaint | undefined {
  if (minLength !== undefined && value.length < minLength) return invalid(value, `must be at least ${minLength} characters long`)
  if (maxLength !== undefined && value.length > maxLength)
    return { reason: 'FieldValueTooLong', message: `Too long: must be at most ${maxLength} characters` }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return invalid(value, `must match ${pattern}`)
  if (format !== undefined && Format.Has(format) && !Format.Test(format, value)) return invalid(value, `must be of the form ${format}`)
  return undefined
}

function numberComplaint(
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonSchema,
  value: number,
): Complaint | undefined {
  if (minimum !== undefined && value < minimum) return invalid(value, `must be greater than or equal to ${minimum}`)
  if (maximum !== undefined && value > maximum) return invalid(value, `must be less than or equal to ${maximum}`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return invalid(value, `must be greater than ${exclusiveMinimum}`)
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return invalid(value, `must be less than ${exclusiveMaximum}`)
  if (multipleOf !== undefined && value % multipleOf !== 0) return invalid(value, `must be a multiple of ${multipleOf}`)
  return undefined
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  return typeof value === type
}

/** JSON's own word for the type of a value. */
function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function acceptsNull(schema: JsonSchema | undefined): boolean {
  return (
    schema !== undefined &&
    (schema.type === 'null' ||
      schema.const === null ||
      (schema.type === undefined && !schema.enum && !schema.anyOf) ||
      (schema.anyOf?.some(acceptsNull) ?? false))
  )
}

function patternFor({ patternProperties }: JsonSchema, name: string): JsonSchema | undefined {
  for (const [pattern, schema] of Object.entries(patternProperties ?? {})) if (new RegExp(pattern, 'u').test(name)) return schema
  return undefined
}

function ownProperty(properties: Record<string, JsonSchema> | undefined, name: string): JsonSchema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined
}

const longestQuoted = 120

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > longestQuoted ? `${text.slice(0, longestQuoted)}…` : text
}

/** Keys that are no plain words stand in brackets, so that a path stays readable. */
function join(path: string, name: string): string {
  const shown = name.length > longestQuoted ? `${name.slice(0, longestQuoted)}…` : name
  if (!/^[\w-]+$/.test(shown)) return `${path}[${shown}]`
  return path === '' ? shown : `${path}.${shown}`
}
