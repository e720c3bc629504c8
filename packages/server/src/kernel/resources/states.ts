/** What a resource is before and after a write. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { ObjectMeta, Resource } from '@pavior/contract'
import type { KindDefinition } from '../kind.ts'
import type { DeleteOptions, NewResource, ResourceKey } from './types.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

export function keyOf(resource: Resource): ResourceKey {
  return { kind: resource.kind, namespace: resource.metadata.namespace ?? '', name: resource.metadata.name }
}

/** Kubernetes keeps whole seconds in metadata. */
export function toSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

export function writableMetadata({ labels, annotations, ownerReferences, finalizers, managedFields, generateName }: Partial<ObjectMeta>): Partial<ObjectMeta> {
  const kept = { generateName, labels, annotations, ownerReferences, finalizers, managedFields }
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
}

/** Field owners count: who applies what is there already becomes its owner too. */
export function withoutVersion(resource: Resource): Resource {
  return { ...resource, metadata: { ...resource.metadata, resourceVersion: '' } }
}

/** The status is taken for the status subresource and nothing else is; otherwise the other way round. */
export function nextState(current: Resource, wanted: NewResource, subresource: 'status' | undefined): Resource {
  const { managedFields } = wanted.metadata
  if (subresource === 'status') {
    const metadata = managedFields ? { ...current.metadata, managedFields } : current.metadata
    return { ...current, metadata, ...(wanted.status === undefined ? {} : { status: wanted.status as Record<string, unknown> }) }
  }
  const metadata: ObjectMeta = {
    ...writableMetadata(wanted.metadata),
    name: current.metadata.name,
    ...(current.metadata.namespace === undefined ? {} : { namespace: current.metadata.namespace }),
    uid: current.metadata.uid,
    resourceVersion: current.metadata.resourceVersion,
    generation: current.metadata.generation + (isDeepStrictEqual(wanted.spec, current.spec) ? 0 : 1),
    creationTimestamp: current.metadata.creationTimestamp,
    ...(current.metadata.deletionTimestamp ? { deletionTimestamp: current.metadata.deletionTimestamp } : {}),
  }
  return { ...current, metadata, spec: wanted.spec as Record<string, unknown> }
}

export function markedForDeletion(current: Resource, { propagationPolicy }: DeleteOptions, now: Date): Resource {
  const finalizers = new Set(current.metadata.finalizers)
  if (propagationPolicy === 'Foreground') finalizers.add(foregroundFinalizer)
  if (propagationPolicy === 'Orphan') finalizers.add(orphanFinalizer)
  return {
    ...current,
    metadata: { ...current.metadata, ...(finalizers.size > 0 ? { finalizers: [...finalizers] } : {}), deletionTimestamp: current.metadata.deletionTimestamp ?? toSeconds(now) },
  }
}

/** Labels and indexed fields of the state before, when any of them changed. */
export function whatSelectorsSaw(kind: KindDefinition, previous: Resource, next: Resource): Partial<Resource> | undefined {
  const paths = ['metadata.labels', ...(kind.indexes ?? [])]
  const changed = paths.some((path) => !isDeepStrictEqual(at(previous, path), at(next, path)))
  if (!changed) return undefined
  const { name, namespace, labels } = previous.metadata
  return { metadata: { name, namespace, labels } as ObjectMeta, spec: previous.spec, ...(previous.status ? { status: previous.status } : {}) }
}

/** Only what is there; a selector for the empty string finds the rest. */
export function fieldsOf({ indexes = [] }: KindDefinition, object: Resource): Record<string, string> {
  const present = indexes.map((path) => [path, at(object, path)] as const).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(present.map(([path, value]) => [path, String(value)]))
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], value)
}
