/** The trial of a release: its share of the traffic step by step, what the judge says, and both releases side by side. */
import { Group, List, Text } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { durationText } from '../../pieces/time-text.ts'
import type { AppPlace, Deployment } from '../../frame/apps.ts'
import { useClock } from './clock.ts'
import { remainingMs, trialSteps, type StepState, type TrialStep } from './trial-plan.ts'
import classes from './trial.module.css'

const Charts = lazy(() => import('./trial-charts.tsx'))
const tickMs = 500
const kinds = { rolling: 'Rolling', canary: 'Canary', bluegreen: 'Blue-green' }

export function Trial({ place, deployment }: { place: AppPlace; deployment: Deployment }) {
  const { status } = deployment
  const { strategy, trial, previousRelease } = status ?? {}
  const steps = trialSteps(status ?? {})
  // A first release has nothing to be tried beside.
  if (!strategy || steps.length === 0 || (previousRelease === undefined && !trial)) return null
  return (
    <Section title="Trial" actions={<Text size="sm" c="dimmed">{`${kinds[strategy.type]}, ${strategy.from}`}</Text>}>
      <ol className={classes.steps} aria-label="Steps of the trial">
        {steps.map((step) => (
          <StepCell key={step.weight} step={step} deployment={deployment} />
        ))}
      </ol>
      {trial?.held && status?.phase === 'Shifting' && (
        <Group gap={6} mt="xs" role="status" wrap="nowrap" align="start">
          <Status word="Held" tone="warn" />
          <Text size="sm">{trial.held}</Text>
        </Group>
      )}
      {trial && <Judge deployment={deployment} />}
      {trial && (
        <Suspense fallback={<RowsSkeleton />}>
          <Charts place={place} deployment={deployment} />
        </Suspense>
      )}
    </Section>
  )
}

const words: Record<StepState, string> = { done: 'done', now: 'now', 'to come': 'to come', stopped: 'taken back', 'left out': 'left out' }

function StepCell({ step, deployment: { status } }: { step: TrialStep; deployment: Deployment }) {
  const { weight, state, seconds } = step
  const now = useClock(state === 'now', tickMs)
  const left = state === 'now' ? remainingMs(status ?? {}, now) : undefined
  const held = state === 'now' && status?.trial?.held !== undefined
  const share = state === 'done' || held ? 1 : left === undefined || seconds === 0 ? 0 : 1 - left / (seconds * 1000)
  return (
    <li className={classes.step} data-state={state} aria-current={state === 'now' ? 'step' : undefined}>
      <span className={classes.bar} aria-hidden>
        <span className={classes.fill} style={{ width: `${share * 100}%` }} />
      </span>
      <b>{weight === 0 ? 'Testers' : `${weight} %`}</b>
      <span className={classes.word}>{left === undefined ? noteOf(step, status?.phase) : left === 0 ? 'time is over' : `${durationText(Math.ceil(left / 1000) * 1000).replace('.0 s', ' s')} left`}</span>
    </li>
  )
}

function noteOf({ state, seconds, pause, weight }: TrialStep, phase: string | undefined): string {
  if (state === 'now') return phase === 'Completing' ? 'instances start' : weight === 100 ? 'all traffic' : 'now'
  if (state !== 'to come') return words[state]
  if (weight === 100) return seconds > 0 ? `watched ${durationText(seconds * 1000).replace('.0 s', ' s')}` : 'all traffic'
  return [seconds > 0 && durationText(seconds * 1000).replace('.0 s', ' s'), pause && 'then asks'].filter(Boolean).join(', ') || words[state]
}

function Judge({ deployment: { status } }: { deployment: Deployment }) {
  const { judgement } = status!.trial!
  if (!judgement) {
    return (
      <Text size="sm" c="dimmed" mt="sm">
        The judge has not looked yet: no request has come to the new instances so far.
      </Text>
    )
  }
  const { verdict, evidence, requests, text } = judgement
  return (
    <div className={classes.judge} role="group" aria-label="The judge">
      <Group gap={6}>
        <Status word={verdict} />
        <Text span size="sm" c="dimmed">
          {evidence === 'traffic' ? `by ${requests} ${requests === 1 ? 'request' : 'requests'} of the traffic` : `by ${requests} requests of the platform itself`}
        </Text>
      </Group>
      <List size="sm" spacing={2}>
        {text.map((sentence) => (
          <List.Item key={sentence}>{sentence}</List.Item>
        ))}
      </List>
    </div>
  )
}
