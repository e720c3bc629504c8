/** `Table` output of meta.k8s.io/v1: what `kubectl get` prints. */
import type { Resource } from '@pavior/contract'
import type { Column, KindDefinition } from '../kind.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableColumn {
  name: string
  type: string
  format: string
  description: string
  priority: number
}

export interface Table {
  kind: 'Table'
  apiVersion: string
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
  columnDefinitions: TableColumn[] | null
  rows: { cells: unknown[]; object?: unknown }[]
}

/** How the resources of one type become rows. */
export interface TableForm<R> {
  columns: TableColumn[]
  cells: (resource: R, now: Date) => unknown[]
}

const nameColumn: TableColumn = { name: 'Name', type: 'string', format: 'name', description: 'Name, unique within its team.', priority: 0 }
const ageColumn: TableColumn = { name: 'Age', type: 'string', format: '', description: 'Time since it was created.', priority: 0 }

/** Name, the kind's own columns, Age. */
export function tableForm(kind: KindDefinition): TableForm<Resource> {
  const shown = kind.columns.filter(({ name }) => name !== 'Name' && name !== 'Age')
  return {
    columns: [nameColumn, ...shown.map(columnDefinition), ageColumn],
    cells: (resource, now) => [
      resource.metadata.name,
      ...shown.map((column) => cell(column, resource, now)),
      age(resource.metadata.creationTimestamp, now),
    ],
  }
}

function columnDefinition({ name, type, description, priority }: Column<never>): TableColumn {
  // A date is sent as the time since, which is no date any more.
  return { name, type: type === 'date' ? 'string' : type, format: '', description, priority: priority ?? 0 }
}

function cell(column: Column<Resource>, resource: Resource, now: Date): unknown {
  const value = column.value(resource)
  if (value === undefined || value === null || value === '') return column.type === 'string' || column.type === 'date' ? '' : null
  return column.type === 'date' ? age(String(value), now) : value
}

/** The table of a list, or of one resource. `headers` false leaves the column definitions out, as later events of a watch do. */
export function makeTable<R extends object>(
  form: TableForm<R>,
  items: readonly R[],
  {
    metadata,
    includeObject,
    apiVersion,
    headers = true,
    now,
  }: { metadata: Table['metadata']; includeObject: IncludeObject; apiVersion: string; headers?: boolean; now: Date },
): Table {
  const object = (item: R): object => {
    if (includeObject === 'None') return {}
    return { object: includeObject === 'Object' ? item : partialMetadata(item as { metadata: object }, apiVersion) }
  }
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: headers ? form.columns : null,
    rows: items.map((item) => ({ cells: form.cells(item, now), ...object(item) })),
  }
}

export function partialMetadata(
  { metadata }: { metadata: object },
  apiVersion: string,
): { kind: string; apiVersion: string; metadata: object } {
  const { managedFields: _, ...shown } = metadata as { managedFields?: unknown }
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: shown }
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Time since in the manner of kubectl: `45s`, `3m20s`, `90m`, `5h10m`, `12h`, `3d4h`, `20d`, `2y30d`. */
export function age(timestamp: string, now: Date): string {
  const passed = Math.max(0, now.getTime() - Date.parse(timestamp))
  if (Number.isNaN(passed)) return '<unknown>'
  const whole = (unit: number): number => Math.floor(passed / unit)
  const rest = (unit: number, smaller: number): number => Math.floor((passed % unit) / smaller)
  const pair = (unit: number, letter: string, smaller: number, smallerLetter: string): string =>
    rest(unit, smaller) === 0 ? `${whole(unit)}${letter}` : `${whole(unit)}${letter}${rest(unit, smaller)}${smallerLetter}`
  if (passed < 2 * minuteMs) return `${whole(secondMs)}s`
  if (passed < 10 * minuteMs) return pair(minuteMs, 'm', secondMs, 's')
  if (passed < 3 * hourMs) return `${whole(minuteMs)}m`
  if (passed < 8 * hourMs) return pair(hourMs, 'h', minuteMs, 'm')
  if (passed < 2 * dayMs) return `${whole(hourMs)}h`
  if (passed < 8 * dayMs) return pair(dayMs, 'd', hourMs, 'h')
  if (passed < 2 * 365 * dayMs) return `${whole(dayMs)}d`
  if (passed < 8 * 365 * dayMs) return pair(365 * dayMs, 'y', dayMs, 'd')
  return `${whole(365 * dayMs)}y`
}
