import { Anchor, Button, Group, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Link, useParams } from '@tanstack/react-router'
import type { TemplateRunProgress, TemplateRunStep } from '@pavior/contract'
import { useEffect, useState } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { live } from '../../frame/live.ts'
import { resourceHref } from '../../frame/registry.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import { durationText } from '../../pieces/time-text.ts'
import type { Run } from './queries.ts'
import classes from './templates.module.css'

const shownLines = 12
const words: Record<TemplateRunStep['state'], [word: string, tone: Tone]> = {
  pending: ['Waiting', 'idle'],
  running: ['Running', 'busy'],
  done: ['Done', 'good'],
  skipped: ['Skipped', 'idle'],
  failed: ['Failed', 'bad'],
  undone: ['Taken back', 'idle'],
  kept: ['Kept', 'warn'],
}
const phases: Record<string, [word: string, tone: Tone]> = { Running: ['Running', 'busy'], Stopped: ['Stopped', 'warn'], Undoing: ['Taking back', 'busy'], Succeeded: ['Live', 'good'], Failed: ['Failed', 'bad'] }

export default function RunPage() {
  const { team = '', run: name = '' }: { team?: string; run?: string } = useParams({ strict: false })
  const { resource, loading } = useResource<Run>('templateruns', team, name)
  if (loading) return <PageSkeleton />
  if (!resource) return <NoRun team={team} name={name} />
  return <RunView run={resource} />
}

function NoRun({ team, name }: { team: string; name: string }) {
  return (
    <>
      <PageHeader title={name} crumbs={[{ label: 'Create', to: '/create' }]} />
      <EmptyState title={`There is no run ${name} in team ${team}`} text="Runs can be deleted; the app that came of one stays." commands={['pavior get templateruns']} />
    </>
  )
}

function RunView({ run }: { run: Run }) {
  const { spec, status = {} } = run
  const [word, tone] = phases[status.phase ?? ''] ?? ['Waiting', 'idle']
  const lines = useLog(run)
  return (
    <>
      <PageHeader title={spec.app ?? run.metadata.name} crumbs={[{ label: 'Create', to: '/create' }]} beside={<Status word={word} tone={tone} />} text={`From ${spec.template} ${spec.version}, in team ${run.metadata.namespace}.`} actions={<Actions run={run} />} />
      <Stack gap="lg" maw={880}>
        {status.problem && <ProblemState problem={status.problem as never} />}
        {status.phase === 'Succeeded' && <Result run={run} />}
        <ol className={classes.steps} aria-label="Steps">
          {(status.steps ?? []).map((step) => (
            <StepRow key={step.id} step={step} />
          ))}
        </ol>
        {status.phase === 'Running' && lines.length > 0 && (
          <pre className={classes.content} aria-label="What the step says">
            {lines.join('\n')}
          </pre>
        )}
      </Stack>
    </>
  )
}

function StepRow({ step: { name, state, message, startedAt, finishedAt } }: { step: TemplateRunStep }) {
  const [word, tone] = words[state]
  return (
    <li className={classes.step}>
      <Status word={word} tone={tone} />
      <div>
        <Text size="sm">{name}</Text>
        {message && state !== 'failed' && (
          <Text size="xs" c="dimmed">
            {message}
          </Text>
        )}
      </div>
      <Text size="xs" c="dimmed" className={classes.time}>
        {startedAt && finishedAt ? durationText(Date.parse(finishedAt) - Date.parse(startedAt)) : ''}
      </Text>
    </li>
  )
}

/** What one wants next: the app, its page, its repository. */
function Result({ run: { metadata, spec, status = {} } }: { run: Run }) {
  const took = status.startedAt && status.finishedAt ? durationText(Date.parse(status.finishedAt) - Date.parse(status.startedAt)) : undefined
  return (
    <Stack gap="sm">
      {took && <Text size="sm">It took {took} from start to live.</Text>}
      <Group gap="sm">
        {status.url && (
          <Button component="a" href={status.url} target="_blank" rel="noreferrer">
            Open {spec.app}
          </Button>
        )}
        {spec.app && (
          <Button variant="default" renderRoot={(props) => <Link to={resourceHref('apps', { metadata: { name: spec.app!, namespace: metadata.namespace } })} {...props} />}>
            App
          </Button>
        )}
      </Group>
      {status.repository && (
        <>
          <Text size="sm" c="dimmed">
            The repository is{' '}
            <Anchor size="sm" href={status.repository} underline="always">
              {status.repository}
            </Anchor>
          </Text>
          <CopyCommand command={`git clone ${status.repository}`} />
        </>
      )}
    </Stack>
  )
}

function Actions({ run }: { run: Run }) {
  const { namespace, name } = run.metadata
  const change = (spec: object): void => {
    patch(resourcePath('templateruns', namespace, name), { spec }).catch((error: Error) => notifications.show({ color: 'red', title: 'The run could not be changed.', message: error.message }))
  }
  const { phase } = run.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Undoing') return null
  return (
    <>
      <Button variant="default" size="sm" onClick={() => change({ canceled: true })}>
        Stop and take back
      </Button>
      {phase === 'Stopped' && (
        <Button size="sm" onClick={() => change({ resume: crypto.randomUUID() })}>
          Go on
        </Button>
      )}
    </>
  )
}

/** The last lines that the running step said. */
function useLog({ metadata: { namespace = '', name }, status }: Run): string[] {
  const [lines, setLines] = useState<string[]>([])
  const running = status?.phase === 'Running' || status?.phase === undefined
  useEffect(() => {
    if (!running) return
    return live.open({
      path: () => `/v1/teams/${encodeURIComponent(namespace)}/templateruns/${encodeURIComponent(name)}/progress`,
      lines: (records) => {
        const said = (records as TemplateRunProgress[]).flatMap((record) => (record.type === 'log' ? [record.line] : []))
        if (said.length > 0) setLines((before) => [...before, ...said].slice(-shownLines))
      },
    })
  }, [namespace, name, running])
  return lines
}
