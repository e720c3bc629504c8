/** What was written in some time, newest first; a line opens to all that it says. */
import { Button, Group, Select, Text, TextInput } from '@mantine/core'
import { IconSearch, IconX } from '@tabler/icons-react'
import { logLevels, type LogPage } from '@pavior/contract'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import type { AppPlace } from '../../../frame/apps.ts'
import { useSearchParams, useSetSearchParams } from '../../../frame/search-params.ts'
import { EmptyState } from '../../../pieces/empty-state.tsx'
import { ErrorState } from '../../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../../pieces/page-skeleton.tsx'
import { Entry } from './entry.tsx'
import { FilterFields } from './filters.tsx'
import { pageOf, timesOf, type Times } from './reads.ts'
import classes from './logs.module.css'

interface HistoryProps {
  place: AppPlace
  question: string
  lengthMs: number
  fixed: { from: string; until: string } | undefined
}

interface PageAsked {
  times: Times
  before: string
}

export function History(props: HistoryProps) {
  const { place, question, lengthMs, fixed } = props
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['log-lines', place, question, lengthMs, fixed],
    initialPageParam: undefined as PageAsked | undefined,
    queryFn: async ({ pageParam, signal }): Promise<LogPage & { times: Times }> => {
      // Older pages are of the time of the first one.
      const asked = pageParam ?? { times: timesOf(lengthMs, fixed), before: '' }
      return { ...(await pageOf(place, question, asked.times, asked.before, signal)), times: asked.times }
    },
    getNextPageParam: ({ next, times }): PageAsked | undefined => (next === undefined ? undefined : { times, before: next }),
    retry: false,
  })
  const lines = data?.pages.flatMap((page) => page.lines) ?? []
  const last = data?.pages.at(-1)
  return (
    <section aria-label={`What ${place.app} wrote`}>
      <Question place={place} />
      {error ? <ErrorState error={error} /> : !data ? <RowsSkeleton /> : lines.length === 0 && !hasNextPage ? (
        <EmptyState title="No line fits." text="The words may be right and the time wrong. The same in a terminal:" commands={[`pavior logs --app ${place.app} --team ${place.team} --since 24h --grep "…"`]} />
      ) : (
        <ol className={classes.entries} aria-label="Lines">
          {lines.map((entry, index) => (
            <Entry key={`${entry.time}-${index}`} entry={entry} originPrefix={`${place.app}-`} />
          ))}
        </ol>
      )}
      {data && (
        <Group gap="sm" mt={4}>
          <Text size="xs" c="dimmed" role="status">
            {lines.length} lines, newest first{last?.searchedTo ? `; searched back to ${new Date(last.searchedTo).toLocaleString()}` : hasNextPage ? '' : ', complete'}
          </Text>
          {hasNextPage && (
            <Button size="compact-xs" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              {last?.searchedTo ? 'Search further back' : 'Older lines'}
            </Button>
          )}
        </Group>
      )}
    </section>
  )
}

function Question({ place }: { place: AppPlace }) {
  const { grep = '', level, request, trace } = useSearchParams()
  const set = useSetSearchParams()
  const [text, setText] = useState(grep)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    set({ view: 'history', grep: text.trim() }, { push: true })
  }
  return (
    <form onSubmit={submit}>
      <Group gap="xs" mb="xs">
        <FilterFields place={place} />
        <TextInput className={classes.search} size="xs" leftSection={<IconSearch size={14} />} placeholder="Text, or /pattern/" aria-label="Search the log" value={text} onChange={({ currentTarget }) => setText(currentTarget.value)} />
        <Select size="xs" w={130} aria-label="Least level" placeholder="Any level" clearable data={logLevels.map((each) => ({ value: each, label: `${each} and worse` }))} value={level ?? null} onChange={(next) => set({ level: next ?? undefined })} />
        <Button size="xs" type="submit" variant="default">
          Search
        </Button>
        {(request ?? trace) !== undefined && (
          <Button size="compact-xs" variant="light" rightSection={<IconX size={12} />} onClick={() => set({ view: 'history', request: undefined, trace: undefined }, { push: true })}>
            {request === undefined ? `trace ${trace?.slice(0, 8)}` : `request ${request.slice(0, 8)}`}
          </Button>
        )}
      </Group>
    </form>
  )
}
