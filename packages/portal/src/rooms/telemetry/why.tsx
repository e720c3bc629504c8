/** What happened to one request: in words, in time, in lines, and on which release. */
import { Button, Group, Table, Text, TextInput } from '@mantine/core'
import type { RequestLogLine, TimeShare, Why } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { appPath } from '../../frame/apps.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { percentText, scaleText } from '../../pieces/number-text.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { TraceView } from './trace.tsx'
import { whyPath, whyQuery } from './trace-reads.ts'
import classes from './why.module.css'

export default function WhyPage() {
  const { request = '' } = useParams({ strict: false })
  return (
    <>
      <PageHeader title="Why" text="What happened to one request. Every answer of an app carries its id in the field x-request-id." />
      <Ask key={request} id={request} />
      {request === '' ? <EmptyState title="No request was asked for." text="Take the id from an answer, a log line or an error page. The same in a terminal:" commands={['pavior why <request>']} /> : <Answer id={request} />}
    </>
  )
}

function Ask({ id }: { id: string }) {
  const [text, setText] = useState(id)
  const go = useNavigate()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') void go({ to: whyPath(text.trim()) })
  }
  return (
    <form onSubmit={submit}>
      <Group align="end" gap="xs" mb="md" wrap="nowrap">
        <TextInput className={classes.field} label="Id of a request or a trace" value={text} onChange={({ currentTarget }) => setText(currentTarget.value)} spellCheck={false} autoFocus={id === ''} />
        <Button type="submit">Ask</Button>
      </Group>
    </form>
  )
}

function Answer({ id }: { id: string }) {
  const { data, error } = useQuery(whyQuery(id))
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  const [first, ...more] = data.findings
  return (
    <>
      <Text fw={600}>{first}</Text>
      {more.map((finding) => (
        <Text key={finding} size="sm" mt={4}>
          {finding}
        </Text>
      ))}
      {data.times.length > 0 && <Times times={data.times} />}
      <Section title="In time">
        <TraceView trace={data.trace} />
      </Section>
      {data.logs.length > 0 && <Lines lines={data.logs} />}
      <Origin why={data} />
      <div style={{ marginTop: 12 }}>
        <CopyCommand command={`pavior why ${data.requestId || data.traceId}`} />
      </div>
    </>
  )
}

function Times({ times }: { times: TimeShare[] }) {
  return (
    <Section title="Where the time went">
      <Table aria-label="Where the time went">
        <Table.Tbody>
          {times.map(({ what, ms, share }) => (
            <Table.Tr key={what}>
              <Table.Td>{what}</Table.Td>
              <Table.Td w={90} ta="right">
                {scaleText(ms, 'ms')}
              </Table.Td>
              <Table.Td w={80} ta="right">
                {percentText(share, 1)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}

function Lines({ lines }: { lines: RequestLogLine[] }) {
  return (
    <Section title="What was logged about it">
      <div className={classes.lines} tabIndex={0} role="region" aria-label="Lines about the request">
        {lines.map(({ at, app, level, line }, index) => (
          <div key={`${at} ${index}`} data-level={level}>
            <span className={classes.dim}>{at.slice(11, 23)}</span> {app} {level} {line}
          </div>
        ))}
      </div>
    </Section>
  )
}

function Origin({ why: { span, release, requestId, traceId } }: { why: Why }) {
  const place = { team: span.team, app: span.app }
  return (
    <Section title="Where it was">
      <Text size="sm">
        <GoLink to={appPath(place)}>{span.app}</GoLink> in {span.environment}, <Ago at={new Date(span.atMs).toISOString()} />
        {release && (
          <>
            , release {release.deployment ? <GoLink to={appPath(place, 'deployments', release.deployment)}>v{release.version}</GoLink> : `v${release.version}`}
            {release.commit && `, commit ${release.commit.slice(0, 7)}`}
            {release.message && ` “${release.message}”`}
            {release.author && ` by ${release.author}`}
          </>
        )}
      </Text>
      <Text size="sm" c="dimmed" className={classes.ids}>
        {requestId && `Request ${requestId}. `}Trace {traceId}.
      </Text>
    </Section>
  )
}
