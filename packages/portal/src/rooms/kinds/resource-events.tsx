import type { Resource } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Status } from '../../pieces/status.tsx'
import classes from './kinds.module.css'

interface KubeEvent {
  metadata: { uid: string }
  type: string
  reason: string
  message: string
  count: number
  lastTimestamp: string
}

/** Events of cluster kinds live in this namespace, as in Kubernetes. */
const clusterEventNamespace = 'default'

/** Remarks of the platform on this resource; read anew whenever the resource changes. */
export function Events({ resource }: { resource: Resource }) {
  const { uid, namespace, resourceVersion } = resource.metadata
  const { data, error } = useQuery({
    queryKey: ['events', uid, resourceVersion],
    queryFn: ({ signal }) => get<{ items: KubeEvent[] }>(`/api/v1/namespaces/${encodeURIComponent(namespace ?? clusterEventNamespace)}/events?fieldSelector=${encodeURIComponent(`involvedObject.uid=${uid}`)}`, signal),
    placeholderData: (before) => before,
  })
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  if (data.items.length === 0) return <EmptyState title="No events" text="Here stands what the platform remarks about it: progress, warnings, failures. Older events are forgotten." />
  return data.items
    .toSorted((one, other) => other.lastTimestamp.localeCompare(one.lastTimestamp))
    .map(({ metadata, type, reason, message, count, lastTimestamp }) => (
      <div key={metadata.uid} className={classes.event}>
        <Ago at={lastTimestamp} />
        <div className={classes.words}>
          <Status word={reason} tone={type === 'Warning' ? 'warn' : 'idle'} /> {message}
          {count > 1 && ` (${count} times)`}
        </div>
      </div>
    ))
}
