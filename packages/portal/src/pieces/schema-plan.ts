/** What a JSON Schema says about a form. Pure. */
import { inOrder, type Cause, type QuestionSchema } from '@pavior/contract'

/** The part of JSON Schema, and of the `ui:` words that Backstage templates use, which forms understand. */
export interface FormSchema {
  type?: string
  title?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  enumNames?: string[]
  'ui:enumNames'?: string[]
  const?: unknown
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  multipleOf?: number
  uniqueItems?: boolean
  maxItems?: number
  required?: string[]
  properties?: Record<string, FormSchema>
  items?: FormSchema
  additionalProperties?: FormSchema | boolean
  anyOf?: FormSchema[]
  oneOf?: FormSchema[]
  /** Conditions: `dueSchema` of the contract says what they come to. */
  allOf?: FormSchema[]
  if?: FormSchema | boolean
  then?: FormSchema
  else?: FormSchema
  dependencies?: Record<string, FormSchema | string[]>
  dependentRequired?: Record<string, string[]>
  dependentSchemas?: Record<string, FormSchema>
  not?: FormSchema
  /** Name of a field that is more than its type says: one of those that the form was given. */
  'ui:field'?: string
  /** textarea, password, radio, checkboxes, select, updown, hidden. */
  'ui:widget'?: string
  'ui:help'?: string
  'ui:placeholder'?: string
  'ui:autofocus'?: boolean
  'ui:disabled'?: boolean
  'ui:readonly'?: boolean
  'ui:order'?: string[]
  'ui:options'?: { rows?: number; label?: boolean; addable?: boolean; removable?: boolean; widget?: string; help?: string; placeholder?: string; [option: string]: unknown }
}

export type FieldForm = 'text' | 'choice' | 'number' | 'truth' | 'choices' | 'list' | 'map' | 'object' | 'any' | 'hidden'

export function formOf(schema: FormSchema): FieldForm {
  if (widgetOf(schema) === 'hidden') return 'hidden'
  if (choicesOf(schema) !== undefined) return 'choice'
  if (schema.type === 'string') return 'text'
  if (schema.type === 'number' || schema.type === 'integer') return 'number'
  if (schema.type === 'boolean') return 'truth'
  if (schema.type === 'array') return schema.items && (schema.uniqueItems || widgetOf(schema) === 'checkboxes') && choicesOf(schema.items) ? 'choices' : schema.items ? 'list' : 'any'
  if (schema.properties) return 'object'
  if (typeof schema.additionalProperties === 'object') return 'map'
  return 'any'
}

export interface Choice {
  value: unknown
  label: string
}

/** From `enum`, or from constants beside each other; undefined when anything may be written. */
export function choicesOf(schema: FormSchema): Choice[] | undefined {
  const { enum: values, enumNames = schema['ui:enumNames'], anyOf, oneOf, type } = schema
  if (values && type !== 'array') return values.map((value, index) => ({ value, label: enumNames?.[index] ?? String(value) }))
  if (type === 'boolean' && ['radio', 'select'].includes(widgetOf(schema) ?? '')) return [true, false].map((value, index) => ({ value, label: enumNames?.[index] ?? (value ? 'Yes' : 'No') }))
  const alternatives = oneOf ?? anyOf
  if (!alternatives?.length || !alternatives.every((one) => one.const !== undefined || one.enum?.length === 1)) return undefined
  return alternatives.map((one) => {
    const value = one.const ?? one.enum?.[0]
    return { value, label: one.title ?? String(value) }
  })
}

export function widgetOf(schema: FormSchema): string | undefined {
  return schema['ui:widget'] ?? schema['ui:options']?.widget
}

/** Names of the properties in the order of the form: as `ui:order` has it (`*` is the rest), else required ones first. */
export function orderOf(schema: FormSchema): string[] {
  const { required = [], 'ui:order': order } = schema
  const names = inOrder(schema as QuestionSchema)
  return order ? names : names.toSorted((one, other) => Number(required.includes(other)) - Number(required.includes(one)))
}

/** `startTimeoutSeconds` is read as "Start timeout seconds". */
export function wordsOf(name: string): string {
  const words = name.replaceAll(/[-_]+/g, ' ').replaceAll(/([a-z0-9])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What a field holds right after it was added. */
export function freshValue(schema: FormSchema): unknown {
  if (schema.default !== undefined) return structuredClone(schema.default)
  const form = formOf(schema)
  if (form === 'object') return Object.fromEntries((schema.required ?? []).flatMap((name) => (schema.properties?.[name] ? [[name, freshValue(schema.properties[name])]] : [])))
  if (form === 'map') return {}
  if (form === 'list' || form === 'choices') return []
  if (form === 'choice') return choicesOf(schema)?.[0]?.value
  if (form === 'truth') return false
  return form === 'text' ? '' : undefined
}

/** Values of the schema's defaults, for a form that begins empty. */
export function defaultsOf(schema: FormSchema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).flatMap(([name, inner]): [string, unknown][] => {
      if (inner.default !== undefined) return [[name, structuredClone(inner.default)]]
      if (formOf(inner) !== 'object') return []
      const below = defaultsOf(inner)
      return Object.keys(below).length > 0 ? [[name, below]] : []
    }),
  )
}

/** As the API names fields: spec.members[0].user, spec.labels[a key with blanks]. */
export function below(path: string, name: string | number): string {
  if (typeof name === 'number') return `${path}[${name}]`
  if (!/^[\w-]+$/.test(name)) return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

export function causesAt(causes: readonly Cause[], path: string): string | undefined {
  const own = causes.filter(({ field }) => field === path).map(({ message }) => message)
  return own.length > 0 ? own.join(' ') : undefined
}

/** Causes whose field the form does not show, so that none is lost. */
export function homelessCauses(causes: readonly Cause[], shown: (path: string) => boolean): Cause[] {
  return causes.filter(({ field }) => !shown(field))
}

/** Whether the form of this schema has a field at this path, for these values. */
export function hasField(schema: FormSchema, value: unknown, path: string, wanted: string): boolean {
  if (path === wanted) return true
  // What is not there yet is a button, and shows only what is said of itself.
  if (value === undefined || !wanted.startsWith(path)) return false
  const form = formOf(schema)
  if (form === 'object') return Object.entries(schema.properties ?? {}).some(([name, inner]) => hasField(inner, (value as Record<string, unknown>)[name], below(path, name), wanted))
  if (form === 'map') return Object.entries(value as object).some(([name, one]) => hasField(schema.additionalProperties as FormSchema, one, below(path, name), wanted))
  if (form === 'list') return (value as unknown[]).some((one, index) => hasField(schema.items!, one, below(path, index), wanted))
  return false
}
