/** How a run goes on from where it is. Pure. */
import type { RunbookRunStatus, RunbookStepState } from '@pavior/contract'
import type { Step } from './text.ts'

/** What a step found or did. */
export interface Result {
  /** Whether it went as hoped. */
  good: boolean
  output: string
}

/** What is to be done next by the platform. */
export type Move =
  | { do: 'check'; query: string }
  | { do: 'sleep'; ms: number; query?: string }
  | { do: 'ask' }
  /** Begin the one-off command. */
  | { do: 'start' }
  /** Look how it is. */
  | { do: 'await'; task: string }
  /** Only say what would be done. */
  | { do: 'show' }
  | { do: 'lost' }
  | { do: 'end' }

/** A wait looks at its figure this often. */
const lookEveryMs = 10_000
/** A change or command of which nothing was heard for so long was broken off, and nobody knows whether it was done. */
const lostAfterMs = 2 * 60_000

const finalPhases = new Set(['Succeeded', 'Stopped', 'Failed', 'Canceled'])

export function isOver({ phase }: RunbookRunStatus): boolean {
  return finalPhases.has(phase ?? '')
}

export function begun(steps: readonly Step[], dryRun: boolean, now: Date): RunbookRunStatus {
  const status: RunbookRunStatus = { phase: 'Running', startedAt: now.toISOString(), steps: [] }
  return enter(status, steps, 0, dryRun, now)
}

/** The run as it is when it reaches a step. */
function enter(status: RunbookRunStatus, steps: readonly Step[], index: number, dryRun: boolean, now: Date): RunbookRunStatus {
  const step = steps[index]
  if (!step) return ended(status, 'Succeeded', dryRun ? 'The dry run is through: nothing was changed.' : 'Every step is done.', now)
  const state = stateOf(step, dryRun, now)
  return { ...status, phase: state.state === 'Waiting' ? 'Waiting' : 'Running', current: index, message: `${state.state === 'Waiting' ? 'It waits for somebody' : 'It is at work'}: ${step.name}`, steps: [...(status.steps ?? []), state] }
}

function stateOf(step: Step, dryRun: boolean, now: Date): RunbookStepState {
  const base = { name: step.name, type: step.type, text: textOf(step), startedAt: now.toISOString() }
  if (step.type === 'decision') return { ...base, state: 'Waiting', needs: 'choice', options: Object.keys(step.options) }
  if (step.type === 'human' && !dryRun) return { ...base, state: 'Waiting', needs: 'confirmation' }
  if ((step.type === 'change' || (step.type === 'command' && !step.safe)) && !dryRun) return { ...base, state: 'Waiting', needs: 'approval' }
  return { ...base, state: 'Running' }
}

/** What it does or asks, in a line. */
export function textOf(step: Step): string {
  switch (step.type) {
    case 'check':
      return `${step.query} ${step.above === undefined ? `below ${step.below}` : `above ${step.above}`}`
    case 'command':
      return `run in ${step.app ?? '?'}${step.environment ? ` in ${step.environment}` : ''}: ${step.run}`
    case 'change':
      return step.act === 'patch' ? `change ${step.kind} ${step.name}: ${JSON.stringify(step.spec)}` : `${step.act} ${step.process ? `${step.process} of ` : ''}${step.app}${step.environment ? ` in ${step.environment}` : ''}${step.to ? ` to ${step.to}` : ''}`
    case 'wait':
      return step.until ? `up to ${step.seconds} s, until ${step.until.query} is ${step.until.above === undefined ? `below ${step.until.below}` : `above ${step.until.above}`}` : `${step.seconds} s`
    case 'decision':
    case 'human':
      return step.text ?? step.name
  }
}

/** What the platform does now. */
export function moveOf(status: RunbookRunStatus, steps: readonly Step[], dryRun: boolean, now: Date): Move {
  const state = status.steps?.at(-1)
  const step = status.current === undefined ? undefined : steps[status.current]
  if (isOver(status) || !state || !step) return { do: 'end' }
  if (state.state === 'Waiting') return { do: 'ask' }
  if (step.type === 'check') return { do: 'check', query: step.query }
  if (step.type === 'wait') {
    const left = Date.parse(state.startedAt!) + step.seconds * 1000 - now.getTime()
    // A clock that was set back must not make it wait for longer than it said.
    return { do: 'sleep', ms: Math.max(0, Math.min(left, step.seconds * 1000, step.until ? lookEveryMs : Infinity)), ...(step.until ? { query: step.until.query } : {}) }
  }
  if (dryRun) return { do: 'show' }
  if (state.task !== undefined) return { do: 'await', task: state.task }
  if (step.type === 'command' && step.safe && state.by === undefined) return { do: 'start' }
  const left = Date.parse(state.startedAt!) + lostAfterMs - now.getTime()
  // Whoever approved it does it; only when they are not heard of any more it is ours to say.
  return left > 0 ? { do: 'sleep', ms: Math.min(left, lostAfterMs) } : { do: 'lost' }
}

/** What a figure means for a check or a wait; without one nothing is known, and that is no good sign. */
export function judged(limits: { above?: number; below?: number }, value: number | undefined): Result {
  if (value === undefined) return { good: false, output: 'Nothing was measured.' }
  const good = limits.above === undefined ? value < limits.below! : value > limits.above
  return { good, output: `It is ${Number(value.toPrecision(4))}.` }
}

/** The run after its step came to a result. */
export function after(status: RunbookRunStatus, steps: readonly Step[], { good, output }: Result, dryRun: boolean, now: Date): RunbookRunStatus {
  const step = steps[status.current!]!
  const otherwise = step.type === 'check' ? (step.otherwise ?? 'stop') : 'fail'
  const to = good ? 'next' : otherwise
  // A check that sends the run elsewhere has done its work.
  const closed = closing(status, { state: good || step.type === 'check' ? 'Done' : 'Failed', output, finishedAt: now.toISOString() })
  return lead(closed, steps, to, `${step.name}: ${output}`, dryRun, now)
}

export interface Answer {
  by: string
  note?: string
  choice?: string
  skip?: boolean
}

/** The run after a person said or did what it waited for. */
export function answered(status: RunbookRunStatus, steps: readonly Step[], { by, note, choice, skip }: Answer, dryRun: boolean, now: Date): RunbookRunStatus {
  const step = steps[status.current!]!
  const closed = closing(status, { state: skip ? 'Skipped' : 'Done', by, ...(note ? { note } : {}), ...(choice ? { choice } : {}), finishedAt: now.toISOString() })
  const to = step.type === 'decision' && !skip ? step.options[choice!]! : 'next'
  return lead(closed, steps, to, `${by} chose ${choice ?? 'to stop'}.`, dryRun, now)
}

/** Somebody took a change or a command into hand. */
export function approved(status: RunbookRunStatus, { by, note }: Answer, now: Date): RunbookRunStatus {
  const steps = status.steps!
  const { needs: _, ...last } = steps.at(-1)!
  return { ...status, phase: 'Running', message: `It is at work: ${last.name}`, steps: [...steps.slice(0, -1), { ...last, state: 'Running', by, ...(note ? { note } : {}), startedAt: now.toISOString() }] }
}

/** Nobody knows whether it was done: a person looks and says. */
export function lost(status: RunbookRunStatus): RunbookRunStatus {
  const steps = status.steps!
  const last = steps.at(-1)!
  return { ...status, phase: 'Waiting', message: `It waits for somebody: ${last.name}`, steps: [...steps.slice(0, -1), { ...last, state: 'Waiting', needs: 'approval', output: 'The server stopped while this was at work, so it is not known whether it was done. Look, then approve it again or skip it.' }] }
}

export function canceled(status: RunbookRunStatus, by: string, now: Date): RunbookRunStatus {
  return ended(closing(status, { state: 'Skipped', by, finishedAt: now.toISOString() }), 'Canceled', `Canceled by ${by}.`, now)
}

function lead(status: RunbookRunStatus, steps: readonly Step[], to: string, why: string, dryRun: boolean, now: Date): RunbookRunStatus {
  if (to === 'stop') return ended(status, 'Stopped', why, now)
  if (to === 'fail') return ended(status, 'Failed', why, now)
  const index = to === 'next' ? status.current! + 1 : steps.findIndex(({ name }) => name === to)
  const reached = status.steps?.length ?? 0
  // Steps may lead back; a text that only leads in a circle must not go on without end.
  if (reached >= mostReached) return ended(status, 'Failed', `It went through ${mostReached} steps without coming to an end.`, now)
  return enter(status, steps, index, dryRun, now)
}

const mostReached = 200

function closing(status: RunbookRunStatus, over: Partial<RunbookStepState>): RunbookRunStatus {
  const steps = status.steps ?? []
  const last = steps.at(-1)
  if (!last) return status
  const { needs: _, options: __, ...rest } = last
  return { ...status, steps: [...steps.slice(0, -1), { ...rest, ...over }] }
}

function ended(status: RunbookRunStatus, phase: NonNullable<RunbookRunStatus['phase']>, message: string, now: Date): RunbookRunStatus {
  return { ...status, phase, message, finishedAt: now.toISOString() }
}

/** Whether a runbook has not succeeded for so long that nobody should trust it. */
export function isStale(lastSuccessAt: string | undefined, createdAt: string, days: number, now: Date): boolean {
  return now.getTime() - Date.parse(lastSuccessAt ?? createdAt) > days * 86_400_000
}
