/**
 * Field ownership: `managedFields` for every write, and server-side apply.
 *
 * As in Kubernetes, an entry belongs to a manager, an operation and a subresource. Who applies owns exactly what is in the
 * applied configuration; who updates owns what the update changed. Apply lays its configuration over the live resource,
 * removes what the manager applied before and nobody else owns, and is refused where it would change a field of another.
 */
import { apiVersion, fail, type Cause, type ManagedFieldsEntry, type ObjectMeta, type Resource } from '@pavior/contract'
import type { KindDefinition } from '../kind.ts'
import type { NewResource } from '../resources/types.ts'
import {
  compare,
  difference,
  FieldSet,
  fieldsOf,
  fromFieldsV1,
  intersection,
  merge,
  pathsOf,
  pathText,
  removeFields,
  sameFields,
  toFieldsV1,
  union,
  type ListedSchema,
} from './fieldset.ts'
import type { JsonSchema } from './schema.ts'

export interface Write {
  /** Name of the field manager. */
  manager: string
  subresource?: 'status'
  /** RFC 3339 with whole seconds. */
  time: string
}

export interface FieldManager {
  /** `managedFields` after an update that leads from `previous` to `next`. */
  update(previous: Resource | undefined, next: NewResource, write: Write): ManagedFieldsEntry[]
  /** The resource after an apply; throws APPLY_CONFLICT. `live` undefined creates. */
  apply(live: Resource | undefined, config: NewResource, write: Write & { force: boolean }): NewResource
  /** Fields that the manager applied and that differ between the two. */
  touched(previous: Resource, next: NewResource, manager: string): string[]
}

interface Manager extends Omit<ManagedFieldsEntry, 'fieldsV1' | 'fieldsType'> {
  fields: FieldSet
}

/** Older entries of updates are joined into one beyond this many. */
const mostUpdateEntries = 10
const joinedManager = 'ancient-changes'

const stringMap: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } }
const metadataSchema: ListedSchema = {
  type: 'object',
  properties: {
    labels: stringMap,
    annotations: stringMap,
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set' } as ListedSchema,
    ownerReferences: {
      type: 'array',
      items: { type: 'object' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
    } as ListedSchema,
  },
}

export function createFieldManager(kind: KindDefinition): FieldManager {
  const schema = {
    type: 'object',
    properties: { metadata: metadataSchema, spec: kind.spec as JsonSchema, ...(kind.status ? { status: kind.status as JsonSchema } : {}) },
  } as ListedSchema

  return {
    update: (previous, next, write) => {
      const managers = readManagers(next.metadata.managedFields, previous?.metadata.managedFields)
      const { changed, removed } = compare(schema, previous && tracked(previous, write.subresource), tracked(next, write.subresource))
      if (changed.empty && removed.empty) return managers.map(toEntry)
      const own = takeOut(managers, 'Update', write)
      const others = managers.map((manager) => ({ ...manager, fields: difference(difference(manager.fields, changed), removed) }))
      const fields = difference(own ? union(own.fields, changed) : changed, removed)
      return joinOld([...others, entryOf('Update', write, fields)]).map(toEntry)
    },

    apply: (live, config, { force, ...write }) => {
      const managers = readManagers(undefined, live?.metadata.managedFields)
      const own = takeOut(managers, 'Apply', write)
      const before = live && tracked(live, write.subresource)
      const wanted = withoutNulls(tracked(config, write.subresource))
      const fields = fieldsOf(schema, wanted)
      const owned = managers.reduce((all, manager) => union(all, manager.fields), fields)
      const abandoned = difference(own?.fields ?? new FieldSet(), owned)
      const after = removeFields(schema, merge(schema, before ?? {}, wanted), abandoned, owned) as Tracked
      const { changed, removed } = compare(schema, before ?? {}, after)
      if (!force) refuseConflicts(managers, changed)
      const others = managers.map((manager) => ({ ...manager, fields: difference(difference(manager.fields, changed), removed) }))
      const same = own && sameFields(own.fields, fields)
      const managedFields = [...others, same ? own : entryOf('Apply', write, fields)].map(toEntry)
      return composed(live, config, after, write.subresource, ordered(managedFields, live?.metadata.managedFields))
    },

    touched: (previous, next, manager) => {
      const own = takeOut(readManagers(undefined, previous.metadata.managedFields), 'Apply', { manager, time: '' })
      if (!own) return []
      const { changed, removed } = compare(schema, tracked(previous, undefined), tracked(next, undefined))
      return [...pathsOf(intersection(own.fields, union(changed, removed)))].map(pathText)
    },
  }
}

interface Tracked {
  metadata?: Partial<ObjectMeta>
  spec?: unknown
  status?: unknown
}

/** The part of a resource that has owners: what a write of the main resource, or of its status, can change. */
function tracked({ metadata, spec, status }: NewResource | Resource, subresource: 'status' | undefined): Tracked {
  if (subresource === 'status') return status === undefined ? {} : { status }
  const { labels, annotations, finalizers, ownerReferences } = metadata
  const owned = Object.fromEntries(
    Object.entries({ labels, annotations, finalizers, ownerReferences }).filter(([, value]) => value !== undefined && value !== null),
  )
  return { ...(Object.keys(owned).length > 0 ? { metadata: owned } : {}), ...(isEmpty(spec) ? {} : { spec }) }
}

function isEmpty(spec: unknown): boolean {
  return spec === undefined || (typeof spec === 'object' && spec !== null && Object.keys(spec).length === 0)
}

/** The live resource with what was applied to it. Everything that nobody owns stays as it is. */
function composed(
  live: Resource | undefined,
  config: NewResource,
  after: Tracked,
  subresource: 'status' | undefined,
  managedFields: ManagedFieldsEntry[],
): NewResource {
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...rest } = (live ?? config).metadata
  // A version in the configuration is a condition that the write checks.
  const { resourceVersion, uid } = {
    ...live?.metadata,
    ...definedOnly({ resourceVersion: config.metadata.resourceVersion, uid: config.metadata.uid }),
  }
  if (subresource === 'status')
    return { ...live!, metadata: { ...live!.metadata, ...definedOnly({ resourceVersion, uid }), managedFields }, status: after.status }
  const metadata = { ...rest, ...after.metadata, ...definedOnly({ resourceVersion, uid }), managedFields } as NewResource['metadata']
  return { apiVersion, kind: config.kind, metadata, spec: after.spec ?? {}, ...(live?.status ? { status: live.status } : {}) }
}

function refuseConflicts(others: Manager[], changed: FieldSet): void {
  const conflicts = others.flatMap((manager) =>
    [...pathsOf(intersection(manager.fields, changed))].map((path) => ({ manager: managerText(manager), field: pathText(path) })),
  )
  if (conflicts.length === 0) return
  const causes: Cause[] = conflicts.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }))
  const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`
  throw fail('APPLY_CONFLICT', {
    message: `Apply failed with ${count}: ${conflictText(conflicts)}`,
    why: 'Other managers set these fields to other values.',
    causes,
  })
}

function conflictText(conflicts: { manager: string; field: string }[]): string {
  if (conflicts.length === 1) return `conflict with ${conflicts[0]!.manager}: ${conflicts[0]!.field}`
  const managers = [...new Set(conflicts.map(({ manager }) => manager))].toSorted()
  return managers
    .map((manager) => {
      const fields = conflicts.filter((conflict) => conflict.manager === manager).map(({ field }) => `- ${field}`)
      return `conflicts with ${manager}:\n${fields.join('\n')}`
    })
    .join('\n')
}

function managerText({ manager, subresource, operation, apiVersion: version }: Manager): string {
  const name = `"${manager}"${subresource ? ` with subresource "${subresource}"` : ''}`
  return operation === 'Update' ? `${name} using ${version}` : name
}

/**
 * The managers to go on from: those that the writer sent, otherwise those of the live resource. As in Kubernetes a single
 * empty entry resets them, and what cannot be read counts as not sent.
 */
function readManagers(sent: unknown, live: ManagedFieldsEntry[] | undefined): Manager[] {
  if (Array.isArray(sent) && sent.length === 1 && Object.keys((sent[0] as object | null) ?? {}).length === 0) return []
  if (Array.isArray(sent) && sent.length > 0) {
    const read = sent.map(fromEntry)
    if (read.every((manager) => manager !== undefined)) return read
  }
  return (live ?? []).map(fromEntry).filter((manager) => manager !== undefined)
}

function fromEntry(entry: Partial<ManagedFieldsEntry> | null): Manager | undefined {
  const { manager, operation, apiVersion: version, time, subresource } = entry ?? {}
  const fields = fromFieldsV1(entry?.fieldsV1)
  if (!fields || typeof manager !== 'string' || (operation !== 'Apply' && operation !== 'Update')) return undefined
  return {
    manager,
    operation,
    apiVersion: String(version ?? apiVersion),
    time: String(time ?? ''),
    ...(subresource ? { subresource: String(subresource) } : {}),
    fields,
  }
}

function toEntry({ fields, subresource, ...entry }: Manager): ManagedFieldsEntry {
  return { ...entry, fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(fields), ...(subresource ? { subresource } : {}) }
}

function entryOf(operation: Manager['operation'], { manager, subresource, time }: Write, fields: FieldSet): Manager {
  return { manager, operation, apiVersion, time, ...(subresource ? { subresource } : {}), fields }
}

/** Takes the writer's own entry out of the list. */
function takeOut(managers: Manager[], operation: Manager['operation'], { manager, subresource }: Write): Manager | undefined {
  const index = managers.findIndex(
    (entry) => entry.manager === manager && entry.operation === operation && entry.subresource === subresource,
  )
  return index < 0 ? undefined : managers.splice(index, 1)[0]
}

/** Entries without fields go; the oldest updates beyond the limit become one. */
function joinOld(managers: Manager[]): Manager[] {
  const alive = managers.filter(({ fields }) => !fields.empty)
  const updates = alive
    .filter(({ operation, subresource }) => operation === 'Update' && !subresource)
    .toSorted((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0))
  const old = updates.slice(0, Math.max(0, updates.length - mostUpdateEntries + 1))
  if (updates.length <= mostUpdateEntries) return alive
  const joined = { ...old.at(-1)!, manager: joinedManager, fields: old.reduce((all, { fields }) => union(all, fields), new FieldSet()) }
  return [joined, ...alive.filter((manager) => !old.includes(manager))]
}

/** Entries keep their places, so that an apply without effect gives what was there; entries without fields go. */
function ordered(entries: ManagedFieldsEntry[], live: ManagedFieldsEntry[] | undefined): ManagedFieldsEntry[] {
  const place = ({ manager, operation, subresource }: ManagedFieldsEntry): number => {
    const index = (live ?? []).findIndex(
      (entry) => entry.manager === manager && entry.operation === operation && entry.subresource === subresource,
    )
    return index < 0 ? Number.MAX_SAFE_INTEGER : index
  }
  return entries.filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0).toSorted((one, other) => place(one) - place(other))
}

/** Null in a configuration is the same as leaving the field out. */
function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]]))) as T
}

function definedOnly<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Partial<T>
}
