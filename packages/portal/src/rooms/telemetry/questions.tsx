/** Where nothing was asked yet: questions that most people have, ready to ask. */
import { Text, UnstyledButton } from '@mantine/core'
import { Section } from '../../pieces/section.tsx'
import { useTeam } from '../../frame/team.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { useQuery } from '@tanstack/react-query'
import type { Column } from '../../pieces/table-column.ts'
import type { Suggestion } from './completion.ts'
import { namesQuery } from './reads.ts'
import classes from './explorer.module.css'

const questions: { text: string; query: string }[] = [
  { text: 'Requests a second of each app', query: 'sum by (app) (rate(pavior_http_requests_total[5m]))' },
  { text: 'Share of requests that fail', query: 'sum by (app) (rate(pavior_http_requests_total{code="5xx"}[5m])) / sum by (app) (rate(pavior_http_requests_total[5m]))' },
  { text: '95 of 100 answers within, in seconds', query: 'histogram_quantile(0.95, sum by (app, le) (rate(pavior_http_request_duration_seconds_bucket[5m])))' },
  { text: 'Memory of each app', query: 'sum by (app) (pavior_instance_memory_bytes)' },
  { text: 'CPU cores in use by each app', query: 'sum by (app) (rate(pavior_instance_cpu_seconds_total[5m]))' },
]

export function Questions({ ask }: { ask: (query: string) => void }) {
  const { data = [], isPending } = useQuery(namesQuery({ team: useTeam() }))
  const metrics = data.filter(({ hint }) => hint !== 'function')
  const columns: Column<Suggestion>[] = [
    { key: 'metric', label: 'Metric', value: ({ text }) => text, show: ({ text }) => <Ask text={text} query={text} ask={ask} code /> },
    { key: 'meaning', label: 'Meaning', value: ({ hint }) => hint, hideBelow: 'sm' },
  ]
  return (
    <>
      <Section title="Ready to ask">
        {questions.map(({ text, query }) => (
          <Ask key={query} text={text} query={query} ask={ask} />
        ))}
      </Section>
      <Section title="What is measured">
        <DataTable label="metrics" rows={metrics} columns={columns} rowKey={({ text }) => text} loading={isPending} empty={<Text size="sm">Nothing yet: metrics come with the first requests, and from what apps send.</Text>} />
      </Section>
    </>
  )
}

function Ask({ text, query, ask, code = false }: { text: string; query: string; ask: (query: string) => void; code?: boolean }) {
  return (
    <UnstyledButton className={classes.question} py={4} onClick={() => ask(query)}>
      <Text size="sm" c="var(--mantine-color-anchor)" className={code ? classes.code : undefined} component="span">
        {text}
      </Text>
      {!code && (
        <Text size="xs" c="dimmed" className={classes.code} component="span" display="block">
          {query}
        </Text>
      )}
    </UnstyledButton>
  )
}
