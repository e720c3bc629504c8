/** Teams as the Namespaces of the Kubernetes API. */
import type { Resource } from '@pavior/contract'
import { age, type TableForm } from './table.ts'

export interface Namespace {
  apiVersion: 'v1'
  kind: 'Namespace'
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    creationTimestamp: string
    deletionTimestamp?: string
    labels: Record<string, string>
    annotations?: Record<string, string>
  }
  spec: { finalizers: string[] }
  status: { phase: 'Active' | 'Terminating' }
}

export function namespaceOf({ metadata }: Resource): Namespace {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, annotations } = metadata
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
      labels: { 'kubernetes.io/metadata.name': name, ...labels },
      ...(annotations ? { annotations } : {}),
    },
    spec: { finalizers: [] },
    status: { phase: deletionTimestamp ? 'Terminating' : 'Active' },
  }
}

export const namespaceTable: TableForm<Namespace> = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name of the team.', priority: 0 },
    { name: 'Status', type: 'string', format: '', description: 'Active, or Terminating while it is deleted.', priority: 0 },
    { name: 'Age', type: 'string', format: '', description: 'Time since it was created.', priority: 0 },
  ],
  cells: ({ metadata, status }, now) => [metadata.name, status.phase, age(metadata.creationTimestamp, now)],
}
