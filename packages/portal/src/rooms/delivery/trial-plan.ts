/** How far the trial of a release is, as it is drawn. Pure. */
import type { DeploymentStatus, Traffic, TrafficSeries } from '@pavior/contract'
import { isOver } from '../../frame/phases.ts'

export type StepState = 'done' | 'now' | 'to come' | 'stopped' | 'left out'

export interface TrialStep {
  /** Percent of the requests. */
  weight: number
  /** How long it lasts at least; the last one lasts as long as it is watched. */
  seconds: number
  /** It waits for somebody. */
  pause: boolean
  state: StepState
}

type Status = Pick<DeploymentStatus, 'phase' | 'strategy' | 'trial'>

/** The steps of the strategy, and all traffic as the last; none when there is no trial. */
export function trialSteps({ phase, strategy, trial }: Status): TrialStep[] {
  if (!strategy || (strategy.steps.length === 0 && !trial)) return []
  const steps = [...strategy.steps, { weight: 100, seconds: strategy.watchSeconds, pause: false }]
  return steps.map((step, index) => ({ ...step, state: stateOf(index, steps.length - 1, phase, trial?.step ?? -1) }))
}

const onAllTraffic: ReadonlySet<string> = new Set(['Completing', 'Switching', 'Watching', 'Draining'])

function stateOf(index: number, last: number, phase: Status['phase'], reached: number): StepState {
  if (phase === 'Succeeded' || (phase !== undefined && onAllTraffic.has(phase))) {
    if (index === last) return phase === 'Succeeded' || phase === 'Draining' ? 'done' : 'now'
    // Somebody took all traffic before its time.
    return index <= reached ? 'done' : 'left out'
  }
  if (index < reached) return 'done'
  if (phase === 'Restoring' || isOver(phase)) return index === reached ? 'stopped' : 'left out'
  return index === reached ? 'now' : 'to come'
}

/** Milliseconds that the present step or watch lasts still; undefined when that is not a matter of time. */
export function remainingMs({ phase, strategy, trial }: Status, now: number): number | undefined {
  if (!strategy || trial?.since === undefined || trial.held !== undefined) return undefined
  const seconds = phase === 'Shifting' ? strategy.steps[trial.step]?.seconds : phase === 'Watching' ? strategy.watchSeconds : undefined
  return seconds === undefined ? undefined : Math.max(0, Date.parse(trial.since) + seconds * 1000 - now)
}

/** Whether it waits for somebody to go on: paused by hand, or by its step. */
export function isHeldByPerson({ phase, strategy, trial }: Status, { paused, resumedStep = -1 }: { paused?: boolean; resumedStep?: number }): boolean {
  if (paused) return true
  return phase === 'Shifting' && trial?.held !== undefined && strategy?.steps[trial.step]?.pause === true && resumedStep < trial.step
}

/** Percent of the requests that failed, step by step; null where there were none. */
export function errorPercent({ requestsPerSecond, errorsPerSecond }: TrafficSeries): (number | null)[] {
  return requestsPerSecond.map((requests, index) => (requests > 0 ? ((errorsPerSecond[index] ?? 0) / requests) * 100 : null))
}

/** Both releases, the new one first; one that had no request yet has a line without points. */
export function seriesOf(traffic: Traffic, releases: readonly (number | undefined)[]): { release: number; series: TrafficSeries }[] {
  const nothing = traffic.times.map(() => null)
  const none = { requestsPerSecond: traffic.times.map(() => 0), errorsPerSecond: traffic.times.map(() => 0), p50Ms: nothing, p95Ms: nothing, p99Ms: nothing }
  return releases.filter((release) => release !== undefined).map((release) => ({ release, series: traffic.releases.find((each) => each.release === release)?.series ?? none }))
}
