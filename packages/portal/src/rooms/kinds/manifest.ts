/** A resource as people write it: without what the platform keeps about it. Pure. */
import { apiVersion, type Cause, type Resource } from '@pavior/contract'
import { parseDocument, stringify } from 'yaml'

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: Record<string, unknown>
}

/** Bookkeeping of the platform and of kubectl, which nobody writes by hand. */
const keptNotes = /^(kubectl\.kubernetes\.io|pavior\.dev)\//

export function manifestOf({ kind, metadata: { name, namespace, labels, annotations }, spec }: Resource): Manifest {
  const notes = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !keptNotes.test(key)))
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}), ...(labels && Object.keys(labels).length > 0 ? { labels } : {}), ...(Object.keys(notes).length > 0 ? { annotations: notes } : {}) },
    spec,
  }
}

export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** All that is known of a resource, in the order in which people read it. Who set which field is for programs. */
export function wholeYaml({ kind, metadata, spec, status }: Resource): string {
  const { name, namespace, managedFields: _, ...others } = metadata
  return toYaml({ apiVersion, kind, metadata: { name, ...(namespace ? { namespace } : {}), ...others }, spec, ...(status ? { status } : {}) })
}

export type Read = { manifest: Manifest; problem?: undefined } | { manifest?: undefined; problem: Cause }

/** What was typed, if it can be read and is of this kind. */
export function fromYaml(text: string, kind: string): Read {
  const document = parseDocument(text, { prettyErrors: true })
  const [error] = document.errors
  if (error) return { problem: { field: '', message: error.message.split('\n')[0] ?? 'The YAML cannot be read.' } }
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: { field: '', message: 'A resource begins with kind, metadata and spec.' } }
  const { kind: given, metadata, spec } = value as Partial<Manifest>
  if (given !== undefined && given !== kind) return { problem: { field: 'kind', message: `This page is for ${kind}, not for ${String(given)}.` } }
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null)) return { problem: { field: 'metadata', message: 'needs names and values.' } }
  if (spec !== undefined && (typeof spec !== 'object' || spec === null || Array.isArray(spec))) return { problem: { field: 'spec', message: 'needs names and values.' } }
  return { manifest: { ...(value as Manifest), apiVersion, kind, metadata: { ...metadata, name: metadata?.name ?? '' }, spec: spec ?? {} } }
}
