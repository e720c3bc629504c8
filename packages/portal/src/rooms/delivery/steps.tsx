/** Steps of build and rollout, with their times, as they happen. */
import type { Step } from '@pavior/contract'
import { Section } from '../../pieces/section.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import { durationText } from '../../pieces/time-text.ts'
import { isOver } from '../../frame/phases.ts'
import type { Build, Deployment } from '../../frame/apps.ts'
import { useClock } from './clock.ts'
import classes from './steps.module.css'

const tones: Record<Step['state'], Tone> = { pending: 'idle', running: 'busy', done: 'good', failed: 'bad', skipped: 'idle' }
const names: Record<string, string> = {
  store: 'keep the artifact', gates: 'wait', release: 'release command', start: 'start new instances', trial: 'try it on traffic', complete: 'start the rest',
  switch: 'move the traffic', watch: 'watch it', restore: 'lead the traffic back', drain: 'stop the old instances',
}
const tickMs = 100

export function Steps({ build, deployment }: { build: Build | undefined; deployment: Deployment }) {
  const own = deployment.status?.steps ?? []
  const waiting: Step[] = stepsToCome(deployment).filter((name) => !own.some((step) => step.name === name)).map((name) => ({ name, state: 'pending' }))
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

/** What a rollout goes through, shown before it is there, so that the page does not grow while it runs. */
function stepsToCome({ status }: Deployment): string[] {
  const { phase, strategy, previousRelease } = status ?? {}
  if (isOver(phase) || phase === 'Restoring') return []
  // A first release has nothing to be tried beside.
  const onTrial = strategy !== undefined && strategy.steps.length > 0 && previousRelease !== undefined
  return ['start', ...(onTrial ? ['trial', 'complete'] : []), 'switch', ...(onTrial && strategy.type === 'bluegreen' && strategy.watchSeconds > 0 ? ['watch'] : []), 'drain']
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
  const now = useClock(to === undefined, tickMs)
  return durationText(Math.max(0, (to === undefined ? now : Date.parse(to)) - Date.parse(from)))
}
