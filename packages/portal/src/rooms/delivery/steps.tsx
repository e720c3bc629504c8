/** Steps of build and rollout, with their times, as they happen. */
import type { Step } from '@pavior/contract'
import { useEffect, useState } from 'react'
import { Section } from '../../pieces/section.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import { durationText } from '../../pieces/time-text.ts'
import type { Build, Deployment } from '../../frame/apps.ts'
import classes from './steps.module.css'

const tones: Record<Step['state'], Tone> = { pending: 'idle', running: 'busy', done: 'good', failed: 'bad', skipped: 'idle' }
/** What a rollout goes through; those to come are shown too, so that the page does not grow while it runs. */
const rolloutSteps = ['start', 'switch', 'drain']
const names: Record<string, string> = { store: 'keep the artifact', release: 'release command', start: 'start new instances', switch: 'move the traffic', drain: 'stop the old instances' }
const tickMs = 100

export function Steps({ build, deployment }: { build: Build | undefined; deployment: Deployment }) {
  const own = deployment.status?.steps ?? []
  const over = deployment.status?.finishedAt !== undefined
  const waiting: Step[] = over ? [] : rolloutSteps.filter((name) => !own.some((step) => step.name === name)).map((name) => ({ name, state: 'pending' }))
  return (
    <Section title="Steps">
      <ol className={classes.steps} aria-label="Steps">
        {build && <StepLine step={wholeBuild(build)} />}
        {[...own, ...waiting].map((step) => (
          <StepLine key={step.name} step={step} />
        ))}
      </ol>
    </Section>
  )
}

export function BuildSteps({ build: { status } }: { build: Build }) {
  return (
    <Section title="Steps">
      <ol className={classes.steps} aria-label="Steps">
        {(status?.steps?.length ? status.steps : [{ name: 'wait for its turn', state: 'pending' as const }]).map((step) => (
          <StepLine key={step.name} step={step} />
        ))}
      </ol>
    </Section>
  )
}

/** The build as one step; its own steps stand in its log. */
function wholeBuild({ status }: Build): Step {
  const { phase, reused, summary, startedAt, finishedAt } = status ?? {}
  const state = phase === 'Succeeded' ? (reused ? 'skipped' : 'done') : phase === 'Failed' || phase === 'Canceled' ? 'failed' : phase === 'Building' ? 'running' : 'pending'
  return { name: 'build', state, ...(summary ? { message: reused ? `${summary}, built before` : summary } : {}), ...(startedAt ? { startedAt } : {}), ...(finishedAt ? { finishedAt } : {}) }
}

function StepLine({ step }: { step: Step }) {
  return (
    <li className={classes.step} data-state={step.state}>
      <Status word={step.state} tone={tones[step.state]} />
      <span className={classes.name}>{names[step.name] ?? step.name}</span>
      <span className={classes.message}>{step.message}</span>
      <span className={classes.took}>{step.startedAt && <Took from={step.startedAt} to={step.finishedAt} />}</span>
    </li>
  )
}

function Took({ from, to }: { from: string; to: string | undefined }) {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (to !== undefined) return undefined
    const timer = window.setInterval(() => setNow(Date.now()), tickMs)
    return () => window.clearInterval(timer)
  }, [to])
  return durationText(Math.max(0, (to === undefined ? now : Date.parse(to)) - Date.parse(from)))
}
