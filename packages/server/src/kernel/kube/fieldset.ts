/**
 * Sets of fields, as `managedFields` records them in the FieldsV1 format of Kubernetes.
 *
 * Maps are granular: every key is a field of its own. Lists are atomic, which means one field as a whole, unless their
 * schema says otherwise with `x-kubernetes-list-type`: `map` lists have an item per key (`k:{"user":"ada"}`), `set` lists
 * an item per value (`v:"x"`).
 */
import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema } from './schema.ts'

export interface ListedSchema extends JsonSchema {
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
}

/** A trie of path elements (`f:name`, `k:{…}`, `v:…`). `member`: the field itself is in the set, not only what is below. */
export class FieldSet {
  member: boolean
  readonly children: Map<string, FieldSet>

  constructor(member = false, children = new Map<string, FieldSet>()) {
    this.member = member
    this.children = children
  }

  get empty(): boolean {
    return !this.member && this.children.size === 0
  }

  child(element: string): FieldSet {
    let child = this.children.get(element)
    if (!child) this.children.set(element, (child = new FieldSet()))
    return child
  }
}

type Combine = (one: boolean, other: boolean) => boolean

function combine(one: FieldSet | undefined, other: FieldSet | undefined, rule: Combine): FieldSet {
  const result = new FieldSet(rule(one?.member ?? false, other?.member ?? false))
  for (const element of new Set([...(one?.children.keys() ?? []), ...(other?.children.keys() ?? [])])) {
    const child = combine(one?.children.get(element), other?.children.get(element), rule)
    if (!child.empty) result.children.set(element, child)
  }
  return result
}

export const union = (one: FieldSet, other: FieldSet): FieldSet => combine(one, other, (a, b) => a || b)
export const intersection = (one: FieldSet, other: FieldSet): FieldSet => combine(one, other, (a, b) => a && b)
export const difference = (one: FieldSet, other: FieldSet): FieldSet => combine(one, other, (a, b) => a && !b)

export function sameFields(one: FieldSet, other: FieldSet): boolean {
  if (one.member !== other.member || one.children.size !== other.children.size) return false
  for (const [element, child] of one.children) {
    const counterpart = other.children.get(element)
    if (!counterpart || !sameFields(child, counterpart)) return false
  }
  return true
}

/** Every path in the set, as path elements. */
export function* pathsOf(set: FieldSet, prefix: string[] = []): Generator<string[]> {
  if (set.member && prefix.length > 0) yield prefix
  for (const [element, child] of set.children) yield* pathsOf(child, [...prefix, element])
}

/** `.spec.members[user="ada"].role`, as kubectl shows it. */
export function pathText(path: string[]): string {
  return path
    .map((element) => {
      const value = element.slice(2)
      if (element.startsWith('f:')) return `.${value}`
      if (element.startsWith('v:')) return `[=${value}]`
      const keys = Object.entries(JSON.parse(value) as Record<string, unknown>)
      return `[${keys.map(([key, part]) => `${key}=${JSON.stringify(part)}`).join(',')}]`
    })
    .join('')
}

export type FieldsV1 = { [element: string]: FieldsV1 }

export function toFieldsV1(set: FieldSet): FieldsV1 {
  const result: FieldsV1 = {}
  if (set.member && set.children.size > 0) result['.'] = {}
  for (const element of [...set.children.keys()].toSorted()) result[element] = toFieldsV1(set.children.get(element)!)
  return result
}

/** Undefined when it is no FieldsV1. */
export function fromFieldsV1(fields: unknown): FieldSet | undefined {
  const set = readFields(fields)
  if (set) set.member = isObject(fields) && '.' in fields
  return set
}

function readFields(fields: unknown): FieldSet | undefined {
  if (!isObject(fields)) return undefined
  const entries = Object.entries(fields)
  const set = new FieldSet(entries.length === 0 || '.' in fields)
  for (const [element, below] of entries) {
    if (element === '.') continue
    if (!isElement(element)) return undefined
    const child = readFields(below)
    if (!child) return undefined
    set.children.set(element, child)
  }
  return set
}

function isElement(element: string): boolean {
  if (element.startsWith('f:')) return true
  if (!element.startsWith('k:') && !element.startsWith('v:')) return false
  try {
    const value: unknown = JSON.parse(element.slice(2))
    return element.startsWith('v:') || isObject(value)
  } catch {
    return false
  }
}

/** All fields of a value. */
export function fieldsOf(schema: ListedSchema | undefined, value: unknown): FieldSet {
  const set = new FieldSet()
  if (isObject(value)) {
    const entries = Object.entries(value)
    // A map that users fill is a field itself, and so is everything empty; a structure is only its fields.
    set.member = entries.length === 0 || isMap(schema)
    for (const [key, inner] of entries) set.children.set(`f:${key}`, fieldsOf(schemaAt(schema, key), inner))
    return set
  }
  const elements = listElements(schema, value)
  set.member = true
  for (const [element, item] of elements ?? [])
    set.children.set(element, isObject(item) ? itemFields(schema!.items, item) : new FieldSet(true))
  return set
}

function itemFields(schema: JsonSchema | undefined, item: object): FieldSet {
  const set = fieldsOf(schema, item)
  set.member = true
  return set
}

export interface Comparison {
  /** Fields that only the later value has, or has with another value. */
  changed: FieldSet
  /** Fields that only the earlier value had. */
  removed: FieldSet
}

/** What differs between two values. */
export function compare(schema: ListedSchema | undefined, before: unknown, after: unknown): Comparison {
  const [earlier, later] = [fieldsOf(schema, before), fieldsOf(schema, after)]
  const modified = new FieldSet()
  markModified(schema, before, after, modified)
  return { changed: union(difference(later, earlier), intersection(modified, later)), removed: difference(earlier, later) }
}

/** Marks the fields that both values have with different contents. */
function markModified(schema: ListedSchema | undefined, before: unknown, after: unknown, modified: FieldSet): void {
  const [earlier, later] = [childrenOf(schema, before), childrenOf(schema, after)]
  if (!earlier || !later) {
    modified.member = !isDeepStrictEqual(before, after)
    return
  }
  for (const [element, value] of later) {
    if (!earlier.has(element)) continue
    const below = new FieldSet()
    markModified(schemaOfElement(schema, element), earlier.get(element), value, below)
    if (!below.empty) modified.children.set(element, below)
  }
}

/** Lays `config` over `live`: maps and keyed lists item by item, everything else as a whole. */
export function merge(schema: ListedSchema | undefined, live: unknown, config: unknown): unknown {
  if (config === undefined) return live
  const [existing, wanted] = [childrenOf(schema, live), childrenOf(schema, config)]
  if (!existing || !wanted || isObject(live) !== isObject(config)) return config
  if (isObject(live)) {
    const result: Record<string, unknown> = { ...live }
    for (const [key, value] of Object.entries(config as object)) result[key] = merge(schemaAt(schema, key), live[key], value)
    return result
  }
  const items = new Map(existing)
  for (const [element, item] of wanted) items.set(element, merge(schema!.items, items.get(element), item))
  return [...items.values()]
}

/** The value without the fields of `gone`. What loses its last content goes too, unless `kept` has it as a field. */
export function removeFields(schema: ListedSchema | undefined, value: unknown, gone: FieldSet, kept?: FieldSet): unknown {
  const children = childrenOf(schema, value)
  if (!children || gone.children.size === 0) return value
  const left = new Map<string, unknown>()
  for (const [element, item] of children) {
    const below = gone.children.get(element)
    const rest = below ? withoutFields(schemaOfElement(schema, element), item, element, below, kept?.children.get(element)) : item
    if (rest !== undefined) left.set(element, rest)
  }
  return isObject(value) ? Object.fromEntries([...left].map(([element, item]) => [element.slice(2), item])) : [...left.values()]
}

/** What is left of one field or item; undefined when nothing is. */
function withoutFields(
  schema: ListedSchema | undefined,
  item: unknown,
  element: string,
  gone: FieldSet,
  kept: FieldSet | undefined,
): unknown {
  const children = childrenOf(schema, item)
  if (!children) return gone.member ? undefined : item
  const rest = removeFields(schema, item, gone, kept)
  if (element.startsWith('k:')) {
    const keys = JSON.parse(element.slice(2)) as Record<string, unknown>
    const more = Object.keys(rest as object).some((key) => !Object.hasOwn(keys, key))
    return more || !gone.member ? { ...keys, ...(rest as object) } : undefined
  }
  const emptied = childrenOf(schema, rest)?.size === 0 && (gone.member || children.size > 0)
  return emptied && !kept?.member ? undefined : rest
}

/** Children by path element; undefined for values that are one field. */
function childrenOf(schema: ListedSchema | undefined, value: unknown): Map<string, unknown> | undefined {
  if (isObject(value)) return new Map(Object.entries(value).map(([key, inner]) => [`f:${key}`, inner]))
  return listElements(schema, value)
}

/** Items of a keyed list or of a set by path element; undefined for atomic lists, and for lists that break their own keys. */
function listElements(schema: ListedSchema | undefined, value: unknown): Map<string, unknown> | undefined {
  const type = schema?.['x-kubernetes-list-type']
  if (!Array.isArray(value) || !type || type === 'atomic') return undefined
  const elements = new Map<string, unknown>()
  for (const item of value) {
    const element = type === 'set' ? `v:${JSON.stringify(item)}` : keyElement(schema['x-kubernetes-list-map-keys'] ?? [], item)
    if (element === undefined || elements.has(element)) return undefined
    elements.set(element, item)
  }
  return elements
}

function keyElement(keys: string[], item: unknown): string | undefined {
  if (!isObject(item) || keys.some((key) => item[key] === undefined)) return undefined
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key]])))}`
}

const isItem = (element: string): boolean => !element.startsWith('f:')

function schemaOfElement(schema: ListedSchema | undefined, element: string): ListedSchema | undefined {
  return isItem(element) ? schema?.items : schemaAt(schema, element.slice(2))
}

function schemaAt(schema: ListedSchema | undefined, key: string): ListedSchema | undefined {
  if (schema?.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key]
  const [pattern] = Object.values(schema?.patternProperties ?? {})
  return pattern ?? (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined)
}

/** A map with keys that users choose, other than a structure with declared fields. */
function isMap(schema: ListedSchema | undefined): boolean {
  return (
    schema !== undefined &&
    !schema.properties &&
    (schema.patternProperties !== undefined || typeof schema.additionalProperties === 'object')
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
