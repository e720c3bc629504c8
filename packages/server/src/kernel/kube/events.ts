/** Remarks on resources as Events of the Kubernetes API: `v1`, which `kubectl describe` reads, and `events.k8s.io/v1`. */
import { createHash } from 'node:crypto'
import { apiVersion } from '@pavior/contract'
import type { FieldRequirement, ResourceEvent } from '../resources/types.ts'
import { age, type TableForm } from './table.ts'

export interface EventFilter {
  kind?: string
  name?: string
  uid?: string
}

interface EventMeta {
  name: string
  namespace: string
  uid: string
  creationTimestamp: string
}

export interface KubeEvent {
  apiVersion: 'v1'
  kind: 'Event'
  metadata: EventMeta
  involvedObject: { apiVersion: string; kind: string; namespace?: string; name: string; uid: string }
  type: string
  reason: string
  message: string
  count: number
  firstTimestamp: string
  lastTimestamp: string
  eventTime: null
  source: { component: string }
  reportingComponent: string
  reportingInstance: string
}

/** Events of cluster kinds live in this namespace, as in Kubernetes. */
export const clusterEventNamespace = 'default'

export function eventOf(event: ResourceEvent): KubeEvent {
  const { involved, namespace } = event
  const id = createHash('sha256').update(`${involved.uid}\0${event.reason}\0${event.message}`).digest('hex')
  const [firstTimestamp, lastTimestamp] = [seconds(event.firstSeen), seconds(event.lastSeen)]
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${involved.name}.${id.slice(0, 16)}`,
      namespace: namespace || clusterEventNamespace,
      uid: `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20, 32)}`,
      creationTimestamp: firstTimestamp,
    },
    involvedObject: { apiVersion, kind: involved.kind, ...(namespace ? { namespace } : {}), name: involved.name, uid: involved.uid },
    type: event.type,
    reason: event.reason,
    message: event.message,
    count: event.count,
    firstTimestamp,
    lastTimestamp,
    eventTime: null,
    source: { component: event.source },
    reportingComponent: event.source,
    reportingInstance: '',
  }
}

export interface NewKubeEvent {
  apiVersion: 'events.k8s.io/v1'
  kind: 'Event'
  metadata: EventMeta
  regarding: KubeEvent['involvedObject']
  note: string
  reason: string
  action: string
  type: string
  eventTime: null
  reportingController: string
  reportingInstance: string
  deprecatedSource: { component: string }
  deprecatedFirstTimestamp: string
  deprecatedLastTimestamp: string
  deprecatedCount: number
}

/** The newer form of the same event. */
export function newEventOf(event: ResourceEvent): NewKubeEvent {
  const { involvedObject, message, count, firstTimestamp, lastTimestamp, source, eventTime, type, reason, reportingInstance, metadata } =
    eventOf(event)
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata,
    eventTime,
    reportingController: source.component,
    reportingInstance,
    action: reason,
    reason,
    regarding: involvedObject,
    note: message,
    type,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
  }
}

/** The part of a field selector that the store can answer, and the rest, which is judged on the events. */
export function eventFilter(fields: FieldRequirement[]): { filter: EventFilter; rest: FieldRequirement[] } {
  const filter: EventFilter = {}
  const rest = fields.filter(({ path, operator, value }) => {
    const part = /^(?:involvedObject|regarding)\.(kind|name|uid)$/.exec(path)?.[1] as keyof EventFilter | undefined
    if (!part || operator !== '=' || value === '') return path !== 'involvedObject.namespace'
    filter[part] = value
    return false
  })
  return { filter, rest }
}

export const eventTable: TableForm<KubeEvent> = {
  columns: [
    { name: 'Last Seen', type: 'string', format: '', description: 'Time since it last happened.', priority: 0 },
    { name: 'Type', type: 'string', format: '', description: 'Normal or Warning.', priority: 0 },
    { name: 'Reason', type: 'string', format: '', description: 'One word.', priority: 0 },
    { name: 'Object', type: 'string', format: '', description: 'What it is about.', priority: 0 },
    { name: 'Source', type: 'string', format: '', description: 'Who says so.', priority: 1 },
    { name: 'Message', type: 'string', format: '', description: 'What happened.', priority: 0 },
    { name: 'Count', type: 'integer', format: '', description: 'How often.', priority: 1 },
    { name: 'Name', type: 'string', format: 'name', description: 'Name of the event.', priority: 1 },
  ],
  cells: (event, now) => [
    age(event.lastTimestamp, now),
    event.type,
    event.reason,
    `${event.involvedObject.kind.toLowerCase()}/${event.involvedObject.name}`,
    event.source.component,
    event.message,
    event.count,
    event.metadata.name,
  ],
}

export const newEventTable: TableForm<NewKubeEvent> = {
  columns: eventTable.columns,
  cells: ({ metadata, regarding, type, reason, note, deprecatedSource, deprecatedCount, deprecatedLastTimestamp }, now) => [
    age(deprecatedLastTimestamp, now),
    type,
    reason,
    `${regarding.kind.toLowerCase()}/${regarding.name}`,
    deprecatedSource.component,
    note,
    deprecatedCount,
    metadata.name,
  ],
}

function seconds(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}
