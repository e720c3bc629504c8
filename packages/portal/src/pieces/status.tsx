/** Status as shape, word and colour, so that none of the three is needed to understand it. */
import { IconAlertTriangleFilled, IconCircleCheckFilled, IconCircleDashed, IconProgress, IconHexagonMinusFilled, type Icon } from '@tabler/icons-react'
import classes from './status.module.css'

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle'

const shapes: Record<Tone, Icon> = { good: IconCircleCheckFilled, busy: IconProgress, warn: IconAlertTriangleFilled, bad: IconHexagonMinusFilled, idle: IconCircleDashed }

const tones: Record<string, Tone> = {
  Succeeded: 'good', Ready: 'good', Running: 'good', Healthy: 'good', Live: 'good', Complete: 'good', Active: 'good', True: 'good',
  Pending: 'busy', Waiting: 'busy', Queued: 'busy', Building: 'busy', Fetching: 'busy', Releasing: 'busy', Starting: 'busy', Shifting: 'busy', Completing: 'busy', Switching: 'busy', Watching: 'busy', Restoring: 'warn', Draining: 'busy', Stopping: 'busy', Deploying: 'busy',
  Degraded: 'warn', Unhealthy: 'warn', Restarting: 'warn', Unknown: 'warn',
  Failed: 'bad', RolledBack: 'bad', Crashed: 'bad', Error: 'bad', False: 'bad',
  // What the judge says.
  passing: 'good', failing: 'bad', waiting: 'busy',
  // Steps of an operation.
  done: 'good', running: 'busy', failed: 'bad',
}

/** The tone of a phase or of a condition's status; what is not known, is over or is off is idle. */
export function toneOf(phase: string | undefined): Tone {
  return tones[phase ?? ''] ?? 'idle'
}

/** `RolledBack` as people say it: Rolled back. */
function spoken(word: string): string {
  return word.replaceAll(/(?<=[a-z])[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`)
}

export interface StatusProps {
  /** The word; it also gives the tone when there is none. */
  word: string
  tone?: Tone
}

export function Status({ word, tone = toneOf(word) }: StatusProps) {
  const Shape = shapes[tone]
  return (
    <span className={classes.status} data-tone={tone}>
      <Shape size={14} aria-hidden className={classes.shape} />
      {spoken(word)}
    </span>
  )
}
