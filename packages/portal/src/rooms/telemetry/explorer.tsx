/** Metrics explorer: an expression and a time give a chart and a table. Both are in the address. */
import { Button, Group, Text } from '@mantine/core'
import { IconLayoutDashboard } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState, type FormEvent } from 'react'
import { ApiError } from '../../frame/api.ts'
import { useSearchParam, useSearchParams } from '../../frame/search-params.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { scaleText } from '../../pieces/number-text.ts'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { TimeRangePicker, useTimeRange } from '../../pieces/time-range.tsx'
import { TimeSeries } from '../../pieces/time-series.tsx'
import { AddPanel } from './dashboards/add-panel.tsx'
import { ExpressionField } from './expression-field.tsx'
import { filtered, mostLines, rowsOf, unitOf, type SeriesRow } from './lines.ts'
import { Questions } from './questions.tsx'
import { explore, type AskedOf, type Explored } from './reads.ts'
import { SourceChoice, useAskedOf } from './source-choice.tsx'
import classes from './explorer.module.css'

const chartHeight = 300
const tableName = 'rows'

export default function Explorer() {
  const { q = '' } = useSearchParams()
  const [, setQuery] = useSearchParam('q')
  // Asked again for the same expression: what is new since then.
  const [asked, setAsked] = useState(0)
  const ask = (query: string): void => {
    setQuery(query, { push: query !== q })
    setAsked((before) => before + 1)
  }
  return (
    <>
      <PageHeader title="Metrics" text="What apps measure, asked in PromQL. The address keeps the question, so that a link shows others the same." actions={<><GoLink size="sm" to="/explore/exports">Exports and sources</GoLink><TimeRangePicker /></>} />
      <Question key={q} query={q} ask={ask} />
      {q === '' ? <Questions ask={ask} /> : <Answer query={q} asked={asked} />}
    </>
  )
}

function Question({ query, ask }: { query: string; ask: (query: string) => void }) {
  const of = useAskedOf()
  const [text, setText] = useState(query)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    ask(text.trim())
  }
  return (
    <form onSubmit={submit}>
      <Group align="end" gap="xs" mb="md">
        <div style={{ flex: 1, minWidth: 'min(100%, 240px)' }}>
          <ExpressionField value={text} onChange={setText} onSubmit={() => ask(text.trim())} of={of} />
        </div>
        <SourceChoice />
        <Button type="submit">Ask</Button>
      </Group>
    </form>
  )
}

function Answer({ query, asked }: { query: string; asked: number }) {
  const of = useAskedOf()
  const { lengthMs, fixed } = useTimeRange()
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ['metrics', query, of, lengthMs, fixed, asked],
    queryFn: ({ signal }) => explore(query, of, lengthMs, fixed ? Date.parse(fixed.until) : Date.now(), signal),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Infinity,
  })
  if (error) return <Fault query={query} error={error} />
  if (!data) return <RowsSkeleton />
  if (data.series.length === 0 && !isPlaceholderData) return <EmptyState title="Nothing fits in this time." text="The names may be right and the time wrong, or a label has another value. What there is:" commands={['pavior metrics list']} />
  return <Result data={data} query={query} of={of} />
}

/** The expression with the wrong place marked, then why. */
function Fault({ query, error }: { query: string; error: Error }) {
  const { from, to } = ((error instanceof ApiError && error.details.facts) || {}) as { from?: number; to?: number }
  return (
    <>
      {from !== undefined && to !== undefined && (
        <pre className={classes.fault} aria-label="Where it is wrong" tabIndex={0}>
          {query.slice(0, from)}
          <mark>{query.slice(from, to) || ' '}</mark>
          {query.slice(to)}
        </pre>
      )}
      <ErrorState error={error} />
    </>
  )
}

function Result({ data, query, of }: { data: Explored; query: string; of: AskedOf }) {
  // The filter of the table below holds for the chart too.
  const { [`${tableName}.filter`]: words = '' } = useSearchParams()
  const { zoom } = useTimeRange()
  const [adding, setAdding] = useState(false)
  const unit = unitOf(query)
  const rows = useMemo(() => rowsOf(data.series, data.start, data.step, data.count), [data])
  const shown = useMemo(() => filtered(rows, words), [rows, words])
  const times = useMemo(() => Array.from({ length: data.count }, (_, index) => data.start + index * data.step), [data])
  const lines = useMemo(() => largest(shown).map(({ label, values }) => ({ label, values })), [shown])
  const columns = useMemo(() => columnsWith(unit), [unit])
  return (
    <>
      <Group justify="space-between" mb="xs" mih={30}>
        <Text size="sm" c="dimmed" aria-live="polite">
          {countText(shown.length, rows.length)}
        </Text>
        {of.source === undefined && (
          <Button size="xs" variant="default" leftSection={<IconLayoutDashboard size={14} />} onClick={() => setAdding(true)}>
            Add to a dashboard
          </Button>
        )}
      </Group>
      <TimeSeries title="Result" times={times} lines={lines} unit={unit} height={chartHeight} onZoom={zoom} />
      <DataTable label="series" name={tableName} rows={rows} columns={columns} rowKey={({ full }) => full} initialSort={{ key: 'last', descending: true }} />
      <AddPanel opened={adding} close={() => setAdding(false)} query={query} team={of.team} />
    </>
  )
}

function countText(shown: number, all: number): string {
  const series = all === 1 ? '1 series' : shown === all ? `${all} series` : `${shown} of ${all} series`
  return shown > mostLines ? `${series}; the ${mostLines} with the most are drawn.` : `${series}.`
}

function largest(rows: SeriesRow[]): SeriesRow[] {
  return rows.length <= mostLines ? rows : rows.toSorted((one, other) => (other.most ?? -Infinity) - (one.most ?? -Infinity)).slice(0, mostLines)
}

function columnsWith(unit: string): Column<SeriesRow>[] {
  const number = (key: 'last' | 'least' | 'most', label: string, hideBelow?: 'sm'): Column<SeriesRow> => ({
    key, label, width: '110px', align: 'right', value: (row) => row[key] ?? '', show: (row) => scaleText(row[key], unit), ...(hideBelow ? { hideBelow } : {}),
  })
  return [{ key: 'series', label: 'Series', value: ({ full }) => full, show: ({ full }) => <span className={classes.code}>{full}</span> }, number('least', 'Least', 'sm'), number('most', 'Most', 'sm'), number('last', 'Last')]
}
