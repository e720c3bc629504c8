import { Anchor, Stack, Title } from '@mantine/core'
import type { ObjectMeta, Resource } from '@pavior/contract'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { kindsQuery, namesQuery, type Kind } from '../../frame/kinds.ts'
import { resourceHref } from '../../frame/registry.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { Ago } from '../../pieces/ago.tsx'

interface Relation {
  plural: string
  kind: string
  metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'creationTimestamp' | 'labels' | 'ownerReferences'>
}

const columns: Column<Relation>[] = [
  { key: 'name', label: 'Name', value: ({ metadata }) => metadata.name },
  { key: 'kind', label: 'Kind', value: ({ kind }) => kind, width: '160px' },
  { key: 'age', label: 'Made', value: ({ metadata }) => metadata.creationTimestamp, show: ({ metadata }) => <Ago at={metadata.creationTimestamp} />, width: '120px', hideBelow: 'xs' },
]

/** What it belongs to, and what belongs to it and goes when it goes. */
export function Related({ resource }: { resource: Resource }) {
  const { data: kinds = [] } = useQuery(kindsQuery)
  const { parts, loading } = useParts(resource.metadata.uid, kinds)
  const owners = resource.metadata.ownerReferences ?? []
  const own = resource.metadata.namespace
  if (loading) return <RowsSkeleton />
  if (owners.length === 0 && parts.length === 0) return <EmptyState title="Nothing belongs to it, and it belongs to nothing" />
  return (
    <Stack gap="lg">
      {owners.length > 0 && (
        <section>
          <Title order={2} size="h3" mb={4}>
            Belongs to
          </Title>
          {owners.map(({ kind, name, uid }) => {
            const plural = kinds.find((one) => one.kind === kind)?.plural ?? kind.toLowerCase()
            return (
              <Anchor key={uid} size="sm" renderRoot={(props) => <Link to={resourceHref(plural, { metadata: { name, namespace: own } })} {...props} />}>
                {kind} {name}
              </Anchor>
            )
          })}
        </section>
      )}
      {parts.length > 0 && (
        <section>
          <Title order={2} size="h3" mb={4}>
            Goes with it
          </Title>
          <DataTable name="related" label="resources" rows={parts} columns={columns} rowKey={({ metadata }) => metadata.uid} href={(part) => resourceHref(part.plural, part)} />
        </section>
      )}
    </Stack>
  )
}

function useParts(uid: string, kinds: Kind[]): { parts: Relation[]; loading: boolean } {
  return useQueries({
    queries: kinds.map(({ plural }) => namesQuery(plural)),
    combine: (results) => ({
      loading: results.some(({ isPending }) => isPending),
      parts: results.flatMap(({ data = [] }, index) =>
        data.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid)).map(({ metadata }) => ({ plural: kinds[index]!.plural, kind: kinds[index]!.kind, metadata })),
      ),
    }),
  })
}
