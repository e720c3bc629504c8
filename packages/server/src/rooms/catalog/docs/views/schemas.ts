/** Schemas of a document as people read them. Pure. What names itself becomes a name; size and depth have limits. */
import type { ApiProperty, ApiSchema } from '@pavior/contract'
import { at, isObject, listOf, objectOf, partsOf, pointed, stringsOf, type Json } from '../json.ts'

const deepest = 24
const mostNodes = 20_000
const mostSchemas = 3000
const mostValues = 100
const longestText = 4000
const longestNote = 200

/** Collects what schemas name, each once, however often and however roundabout. */
export class SchemaBook {
  readonly #root: unknown
  readonly #names = new Map<string, string>()
  readonly #taken = new Set<string>()
  readonly #waiting: string[] = []
  #nodes = 0
  truncated = false

  constructor(root: unknown) {
    this.#root = root
  }

  /** Makes sure that a schema is listed though nothing may name it. */
  list(reference: string): void {
    this.#nameOf(reference)
  }

  /** One schema as it is written; what it names is listed by `all`. */
  schema(value: unknown, depth = 0): ApiSchema {
    this.#nodes++
    if (depth > deepest || this.#nodes > mostNodes) {
      this.truncated = true
      return { type: '…', notes: ['left out: the definition is too large to be shown whole'] }
    }
    if (typeof value === 'boolean') return { type: value ? 'anything' : 'nothing' }
    const { $ref } = objectOf(value)
    return typeof $ref === 'string' ? this.#reference($ref, objectOf(value)) : this.#plain(objectOf(value), depth)
  }

  /** Everything that was named, and what that names. */
  all(): { name: string; schema: ApiSchema }[] {
    const listed: { name: string; schema: ApiSchema }[] = []
    for (let reference = this.#waiting.shift(); reference !== undefined; reference = this.#waiting.shift()) {
      listed.push({ name: this.#names.get(reference)!, schema: this.schema(pointed(this.#root, reference)) })
    }
    return listed.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  }

  #reference(reference: string, { description }: Json): ApiSchema {
    // Nothing is ever fetched for a definition.
    if (!reference.startsWith('#')) return { type: 'elsewhere', notes: [note(`described in ${reference}, which is not read`)] }
    if (pointed(this.#root, reference) === undefined) return { type: 'unknown', notes: [note(`${reference} is not in the definition`)] }
    const name = this.#nameOf(reference)
    return { type: '', ...(name === undefined ? { notes: [note(reference)] } : { ref: name }), ...textAs('description', description) }
  }

  #nameOf(reference: string): string | undefined {
    const known = this.#names.get(reference)
    if (known !== undefined) return known
    if (this.#names.size >= mostSchemas) {
      this.truncated = true
      return undefined
    }
    const last = partsOf(reference).at(-1)?.slice(0, longestNote) || 'the definition'
    const name = this.#taken.has(last) ? reference.slice(0, longestNote) : last
    this.#taken.add(name)
    this.#names.set(reference, name)
    this.#waiting.push(reference)
    return name
  }

  #plain(schema: Json, depth: number): ApiSchema {
    const inner = (value: unknown): ApiSchema => this.schema(value, depth + 1)
    const [word, parts] = partsIn(schema)
    const properties = objectOf(schema.properties)
    const { items = schema.prefixItems, additionalProperties } = schema
    const notes = notesOf(schema)
    const values = schema.enum === undefined ? (schema.const === undefined ? [] : [schema.const]) : listOf(schema.enum)
    return {
      type: typeOf(schema, word),
      ...textAs('description', schema.description ?? schema.title),
      ...(schema.deprecated === true ? { deprecated: true } : {}),
      ...(notes.length > 0 ? { notes } : {}),
      ...(values.length > 0 ? { values: values.slice(0, mostValues).map(plain) } : {}),
      ...(Object.keys(properties).length > 0 ? { properties: this.#properties(properties, stringsOf(schema.required), inner) } : {}),
      ...(items === undefined ? {} : { items: Array.isArray(items) ? { type: 'each in its place', parts: items.map(inner) } : inner(items) }),
      ...(isObject(additionalProperties) ? { entries: inner(additionalProperties) } : {}),
      ...(parts.length > 0 ? { parts: parts.map(inner) } : {}),
    }
  }

  #properties(properties: Json, required: string[], inner: (value: unknown) => ApiSchema): ApiProperty[] {
    const must = new Set(required)
    return Object.entries(properties).map(([name, schema]) => ({ name: name.slice(0, longestNote), required: must.has(name), schema: inner(schema) }))
  }
}

function partsIn(schema: Json): [string, unknown[]] {
  for (const [key, word] of [['oneOf', 'one of'], ['anyOf', 'any of'], ['allOf', 'all of']] as const) {
    const parts = listOf(schema[key])
    if (parts.length > 0) return [word, parts]
  }
  return ['', []]
}

function typeOf({ type, nullable, enum: values, const: constant, properties, items, format }: Json, word: string): string {
  const named = Array.isArray(type) ? type.map(plain).join(' or ') : typeof type === 'string' ? note(type) : ''
  const kind = named || word || (properties ? 'object' : items ? 'array' : values || constant !== undefined ? 'one value of' : '')
  const precise = typeof format === 'string' ? `${kind} (${note(format)})` : kind
  return nullable === true ? `${precise} or null` : precise
}

/** What limits a value, in words. */
function notesOf(schema: Json): string[] {
  const limits: [string, (value: string) => string][] = [
    ['minLength', (least) => `at least ${least} characters`],
    ['maxLength', (most) => `at most ${most} characters`],
    ['minimum', (least) => `≥ ${least}`],
    ['exclusiveMinimum', (least) => `> ${least}`],
    ['maximum', (most) => `≤ ${most}`],
    ['exclusiveMaximum', (most) => `< ${most}`],
    ['multipleOf', (step) => `a multiple of ${step}`],
    ['minItems', (least) => `at least ${least} items`],
    ['maxItems', (most) => `at most ${most} items`],
    ['pattern', (form) => `like ${form}`],
    ['default', (value) => `default ${value}`],
    ['example', (value) => `for example ${value}`],
  ]
  const notes = limits.flatMap(([key, say]) => (schema[key] === undefined || schema[key] === null ? [] : [note(say(plain(schema[key])))]))
  if (schema.uniqueItems === true) notes.push('each once')
  if (schema.readOnly === true) notes.push('only read')
  if (schema.writeOnly === true) notes.push('only written')
  return notes
}

export function note(text: string): string {
  return text.length > longestNote ? `${text.slice(0, longestNote)}…` : text
}

/** Any value in one line; what is deep is cut. */
export function plain(value: unknown): string {
  if (typeof value === 'string') return note(value)
  if (isObject(value) || Array.isArray(value)) return shallow(value)
  return String(value)
}

function shallow(value: Json | unknown[]): string {
  const inner = Object.entries(value).slice(0, 10).map(([key, one]) => {
    const text = typeof one === 'object' && one !== null ? '…' : note(String(one))
    return Array.isArray(value) ? text : `${key}: ${text}`
  })
  return note(Array.isArray(value) ? `[${inner.join(', ')}]` : `{ ${inner.join(', ')} }`)
}

/** A text under its name, when it is one; long ones are cut. */
export function textAs<K extends string>(key: K, value: unknown): { [k in K]?: string } {
  return typeof value === 'string' && value.trim() !== '' ? ({ [key]: value.slice(0, longestText) } as { [k in K]: string }) : {}
}

/** Title, version and description, as `info` of OpenAPI and AsyncAPI has them. */
export function headOf(document: unknown, otherwise: string): { title: string; version?: string; description?: string } {
  const info = objectOf(at(document, 'info'))
  return { title: typeof info.title === 'string' ? note(info.title) : otherwise, ...(info.version === undefined ? {} : { version: note(String(info.version)) }), ...textAs('description', info.description) }
}

/** Same words, same id; two that are alike are told apart by their number. */
export function idMaker(): (words: string) => string {
  const taken = new Map<string, number>()
  return (words) => {
    const id = words.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '').slice(0, longestNote) || 'operation'
    const before = taken.get(id) ?? 0
    taken.set(id, before + 1)
    return before === 0 ? id : `${id}-${before + 1}`
  }
}
