/** One run: what was done, what it waits for, and the answer. */
import { Button, Group, Text, TextInput } from '@mantine/core'
import type { RunbookStepState } from '@pavior/contract'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { personText, phaseOf, runbookPath, toneOfStep, type Run } from './reads.ts'
import classes from './run.module.css'

export default function RunPage() {
  const { team = '', run: name = '' } = useParams({ strict: false })
  const { resource: run, loading } = useResource<Run>('runbookruns', team, name)
  const crumbs = [{ label: 'Runbooks', to: '/runbooks' }, ...(run ? [{ label: run.spec.runbook, to: runbookPath(team, run.spec.runbook) }] : [])]
  if (loading) return <PageSkeleton />
  if (!run) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no run ${name} in team ${team}.`} commands={[`pavior runbook runs --team ${team}`]} />
      </>
    )
  }
  const steps = run.status?.steps ?? []
  const given = Object.entries(run.spec.parameters ?? {})
  return (
    <>
      <PageHeader title={run.spec.title ?? run.spec.runbook} crumbs={crumbs} actions={<Cancel run={run} />} />
      <Text size="sm" mb="sm" aria-live="polite">
        <Status {...phaseOf(run)} /> {run.status?.message ?? 'It begins.'}
      </Text>
      <Text size="sm" c="dimmed">
        Begun <Ago at={run.metadata.creationTimestamp} /> by {personText(run.spec.requestedBy)}
        {given.length > 0 && `, with ${given.map(([key, value]) => `${key} ${value}`).join(', ')}`}
        {run.spec.reason && `: ${run.spec.reason}`}
      </Text>
      <Section title="Steps">
        <ol className={classes.steps} aria-label="Steps">
          {steps.map((step, index) => (
            <Step key={index} run={run} step={step} index={index} last={index === steps.length - 1} />
          ))}
        </ol>
      </Section>
    </>
  )
}

function Step({ run, step, index, last }: { run: Run; step: RunbookStepState; index: number; last: boolean }) {
  const { name, state, text, output, by, choice, note } = step
  return (
    <li className={classes.step}>
      <Group gap="xs">
        <Status word={state} tone={toneOfStep(state)} />
        <Text size="sm" fw={600} component="span">
          {name}
        </Text>
        {by && (
          <Text size="sm" c="dimmed" component="span">
            {choice ? `chose ${choice}, ` : ''}
            {personText(by)} <Ago at={step.finishedAt ?? step.startedAt} />
            {note ? `: ${note}` : ''}
          </Text>
        )}
      </Group>
      {text && text !== name && (
        <Text size="sm" className={classes.text}>
          {text}
        </Text>
      )}
      {output && (
        <pre className={classes.output} tabIndex={0} aria-label={`What came of ${name}`}>
          {output}
        </pre>
      )}
      {last && state === 'Waiting' && <Answer run={run} step={step} index={index} />}
    </li>
  )
}

function Answer({ run: { metadata }, step: { needs, options = [] }, index }: { run: Run; step: RunbookStepState; index: number }) {
  const session = useSession()
  const [note, setNote] = useState('')
  const { busy, error, act } = useAct()
  const team = metadata.namespace!
  const answer = (body: object): void => act(() => post(`/v1/teams/${encodeURIComponent(team)}/runbookruns/${encodeURIComponent(metadata.name)}/answer`, { step: index, ...body, ...(note ? { note } : {}) }))
  if (!mayAs(session, 'developer', team)) return <CopyCommand command={`pavior runbook approve ${metadata.name} --team ${team}`} />
  return (
    <div className={classes.answer}>
      <TextInput size="xs" label="Note" description="What others should know; may be empty." value={note} onChange={({ currentTarget }) => setNote(currentTarget.value)} />
      <Group gap="xs" mt="xs">
        {needs === 'choice' ? (
          options.map((option) => (
            <Button key={option} size="xs" disabled={busy} onClick={() => answer({ choose: option })}>
              {option}
            </Button>
          ))
        ) : (
          <>
            <Button size="xs" loading={busy} onClick={() => answer({ approve: true })}>
              {needs === 'approval' ? 'Approve and do it' : 'It is done'}
            </Button>
            <Button size="xs" variant="default" disabled={busy} onClick={() => answer({ skip: true })}>
              Skip
            </Button>
          </>
        )}
      </Group>
      {error && <ErrorState error={error} />}
    </div>
  )
}

function Cancel({ run: { metadata, status } }: { run: Run }) {
  const session = useSession()
  const { busy, error, act } = useAct()
  if (status?.finishedAt || !mayAs(session, 'developer', metadata.namespace!)) return null
  return (
    <>
      <Button size="xs" variant="default" disabled={busy} onClick={() => act(() => post(`/v1/teams/${encodeURIComponent(metadata.namespace!)}/runbookruns/${encodeURIComponent(metadata.name)}/cancel`))}>
        Cancel the run
      </Button>
      {error && <ErrorState error={error} />}
    </>
  )
}
