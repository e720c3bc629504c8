/** Everything that the catalogue knows, found by typing; the filters are in the address. */
import { Group, Select, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconBooks, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { EntityList } from './entity-list.tsx'
import { entitiesQuery, facetsQuery, type Filter } from './reads.ts'

/** A word is asked for when the hand rests. */
const typingPauseMs = 150

export default function Catalogue() {
  const { q, kind, type, owner } = useSearchParams()
  const filter: Filter = { q, kind, type, owner }
  const found = useInfiniteQuery({ ...entitiesQuery(filter), placeholderData: keepPreviousData })
  const rows = found.data?.pages.flatMap(({ items }) => items) ?? []
  const filtered = Object.values(filter).some(Boolean)
  return (
    <>
      <PageHeader title="Catalogue" text="What software there is, who owns it, and what depends on what. It derives itself from what runs; catalog-info.yaml in a repository says the rest." />
      <Tools />
      {found.error && <ErrorState error={found.error} />}
      {found.isPending && <RowsSkeleton />}
      {found.data && rows.length === 0 && (filtered ? <Text c="dimmed">Nothing in the catalogue is like that.</Text> : <Nothing />)}
      {rows.length > 0 && <EntityList rows={rows} more={found.hasNextPage ? () => void found.fetchNextPage() : undefined} loading={found.isFetchingNextPage} />}
    </>
  )
}

function Tools() {
  const { q = '', kind, type, owner } = useSearchParams()
  const set = useSetSearchParams()
  const [typed, setTyped] = useState(q)
  const field = useRef<HTMLInputElement>(null)
  const search = useDebouncedCallback((words: string) => set({ q: words }), typingPauseMs)
  useShortcuts([{ keys: 'f', label: 'Search the catalogue', group: 'Catalogue', run: () => field.current?.focus() }])
  const facets = useQuery(facetsQuery).data?.items ?? []
  const kinds = countsBy(facets.map(({ kind: name, count }) => ({ name, count })))
  const types = countsBy(facets.filter((one) => one.type !== null && (kind === undefined || one.kind === kind)).map(({ type: name, count }) => ({ name: name!, count })))
  return (
    <Group gap="xs" mb="sm" align="end">
      <TextInput
        ref={field}
        flex={1}
        miw={180}
        aria-label="Search the catalogue"
        placeholder="Search names, descriptions, tags, owners"
        leftSection={<IconSearch size={16} />}
        value={typed}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value)
          search(currentTarget.value)
        }}
      />
      <Select aria-label="Kind" placeholder="Every kind" w={160} clearable data={kinds} value={kind ?? null} onChange={(value) => set({ kind: value ?? undefined, type: undefined })} />
      <Select aria-label="Type" placeholder="Every type" w={150} clearable data={types} value={type ?? null} onChange={(value) => set({ type: value ?? undefined })} />
      {owner && <Select aria-label="Owner" w={220} clearable data={[owner]} value={owner} onChange={() => set({ owner: undefined })} />}
    </Group>
  )
}

/** Choices with how many there are of each. */
function countsBy(given: { name: string; count: number }[]): { value: string; label: string }[] {
  const sums = new Map<string, number>()
  for (const { name, count } of given) sums.set(name, (sums.get(name) ?? 0) + count)
  return [...sums].toSorted(([one], [other]) => one.localeCompare(other)).map(([value, count]) => ({ value, label: `${value} (${count})` }))
}

function Nothing() {
  return <EmptyState icon={IconBooks} title="The catalogue is empty" text="It fills itself with the first deploy. What another catalogue knows can be taken in:" commands={['pavior deploy', 'pavior catalog import -f catalog-info.yaml']} />
}
