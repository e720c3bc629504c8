/** One trace whole. */
import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { Trace } from '@pavior/contract'
import { Ago } from '../../pieces/ago.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { scaleText } from '../../pieces/number-text.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { traceQuery, whyPath } from './trace-reads.ts'
import { Waterfall } from './waterfall.tsx'

export default function TracePage() {
  const { request = '' } = useParams({ strict: false })
  const { data, error } = useQuery(traceQuery(request))
  return (
    <>
      <PageHeader title={data?.spans[0]?.name ?? 'Trace'} text={data ? <About trace={data} /> : undefined} />
      {error ? <ErrorState error={error} /> : data ? <TraceView trace={data} /> : <RowsSkeleton />}
    </>
  )
}

function About({ trace: { spans, traceId } }: { trace: Trace }) {
  const from = Math.min(...spans.map(({ atMs }) => atMs))
  const until = Math.max(...spans.map(({ atMs, durationMs }) => atMs + durationMs))
  return (
    <>
      <Ago at={new Date(from).toISOString()} />, {scaleText(until - from, 'ms')} in {spans.length === 1 ? '1 span' : `${spans.length} spans`}. <GoLink to={whyPath(traceId)}>What happened to this request</GoLink>
    </>
  )
}

/** Its spans, with what is not shown of them. */
export function TraceView({ trace: { spans, hidden, cut } }: { trace: Trace }) {
  return (
    <>
      <Waterfall spans={spans} />
      {(hidden > 0 || cut) && (
        <Text size="sm" c="dimmed" mt="xs">
          {hidden > 0 && `${hidden} more are of teams that you do not see. `}
          {cut && 'There are more than are shown.'}
        </Text>
      )}
    </>
  )
}
