import { Button } from '@mantine/core'
import type { Resource } from '@pavior/contract'
import { useInfiniteQuery } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import classes from './kinds.module.css'

interface AuditEntry {
  time: string
  actor: string
  verb: string
  uid: string
  resourceVersion: string
  subresource?: string
}

interface AuditPage {
  items: AuditEntry[]
  continue?: string
}

const pageSize = 50

/** Who changed it, and when. For administrators of its team or of the platform. */
export function History({ resource }: { resource: Resource }) {
  const { kind, metadata } = resource
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit', metadata.uid, metadata.resourceVersion],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ kind, name: metadata.name, limit: String(pageSize), ...(metadata.namespace ? { team: metadata.namespace } : {}), ...(pageParam ? { continue: pageParam } : {}) })
      return get<AuditPage>(`/v1/audit?${search}`, signal)
    },
    getNextPageParam: (page) => page.continue,
    placeholderData: (before) => before,
  })
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  const entries = data.pages.flatMap(({ items }) => items)
  if (entries.length === 0) return <EmptyState title="No changes are kept" text="The audit keeps changes as long as the platform is set to." />
  return (
    <>
      {entries.map(({ time, actor, verb, subresource, resourceVersion }) => (
        <div key={`${resourceVersion} ${verb}`} className={classes.event}>
          <Ago at={time} />
          <div className={classes.words}>
            <b>{actor.replace(/^user:/, '')}</b> {verb}
            {subresource && ` of its ${subresource}`}
          </div>
        </div>
      ))}
      {hasNextPage && (
        <Button variant="default" size="compact-sm" mt="sm" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show older
        </Button>
      )}
    </>
  )
}
