/**
 * The rolling rollout, decided purely: from the deployment and what is observed around it to the next actions.
 *
 * Pending → Releasing (the `release` process runs) → Starting (new instances become healthy beside the old ones)
 * → Switching (routes lead to the new ones, every router worker says so) → Draining (old sets are deleted, the agent
 * drains them) → Succeeded. Until Switching nothing of what serves is touched, so every failure before it changes
 * nothing for users.
 */
import type { DeploymentStatus, ErrorObject, InstanceSetSpec, InstanceSetStatus, Resource, Step, TaskStatus } from '@pavior/contract'
import { errorCatalogue } from '@pavior/contract'

export type Phase = NonNullable<DeploymentStatus['phase']>
export const finalPhases: ReadonlySet<string> = new Set<Phase>(['Succeeded', 'Failed', 'Superseded', 'Canceled'])

export type SetView = Pick<Resource<InstanceSetSpec, InstanceSetStatus>, 'metadata' | 'spec' | 'status'>

export interface Observed {
  phase: Phase
  name: string
  release: number
  app: string
  /** Asked for by the user. */
  canceled: boolean
  appGone: boolean
  releaseGone: boolean
  /** A later deployment of the same app and environment exists. */
  newer: string | undefined
  /** An earlier one that has not ended yet. */
  olderActive: string | undefined
  /** Undefined: the release has no such process. */
  releaseTask: 'wanted' | TaskStatus | undefined
  /** Names of the sets that this deployment wants. */
  wanted: string[]
  /** Sets of this deployment that exist. */
  own: SetView[]
  /** Sets of the same app and environment that belong to other deployments. */
  others: SetView[]
  /** Names of the web set that routes should lead to; undefined when the release has no web process. */
  webSet: string | undefined
  /** Whether every route of the app and environment leads to `webSet` alone, and whether every router worker knows. */
  routes: 'elsewhere' | 'written' | 'served'
  startedAt: string | undefined
  timeoutMs: number
  /** Number of the release that serves; undefined before the first. */
  serving: number | undefined
}

export type Action =
  | { type: 'startReleaseTask' }
  | { type: 'cancelReleaseTask' }
  | { type: 'createSets'; names: string[] }
  | { type: 'deleteSets'; names: string[] }
  | { type: 'writeRoutes' }
  | { type: 'phase'; phase: Phase; message: string; problem?: ErrorObject }
  | { type: 'wait'; ms?: number }

/** Exits of a new instance that are forgiven before the rollout fails. */
const forgivenRestarts = 2
const immediateProblems = new Set(['PORT_NOT_BOUND', 'HEALTH_CHECK_FAILED', 'START_FAILED'])

export function planRollout(observed: Observed, now: Date): Action[] {
  if (finalPhases.has(observed.phase)) return cleanUpAfterEnd(observed)
  const ended = endEarly(observed, now)
  if (ended) return ended
  switch (observed.phase) {
    case 'Pending':
      return planPending(observed)
    case 'Releasing':
      return planReleasing(observed)
    case 'Starting':
      return planStarting(observed)
    case 'Switching':
      return planSwitching(observed)
    default:
      return planDraining(observed)
  }
}

/** Whatever a crash left of a rollout that did not succeed. */
function cleanUpAfterEnd({ phase, own, wanted }: Observed): Action[] {
  if (phase === 'Succeeded') return []
  const left = own.filter(({ metadata }) => wanted.includes(metadata.name) && !metadata.deletionTimestamp)
  return left.length > 0 ? [{ type: 'deleteSets', names: namesOf(left) }] : []
}

/** Reasons to end before traffic has moved. After it has, the rollout is finished instead. */
function endEarly(observed: Observed, now: Date): Action[] | undefined {
  const { phase, canceled, appGone, releaseGone, newer, releaseTask, startedAt, timeoutMs } = observed
  const taskRunning = typeof releaseTask === 'object' && releaseTask.state === 'running'
  if (appGone) return end(observed, 'Canceled', 'APP_DELETED', `The app "${observed.app}" was deleted during the deployment.`, taskRunning)
  if (phase === 'Switching' || phase === 'Draining') return undefined
  if (releaseGone) return end(observed, 'Failed', 'NO_SUCH_RELEASE', `The release v${observed.release} does not exist.`)
  if (canceled) return end(observed, 'Canceled', 'CANCELED', `The deployment of v${observed.release} was cancelled.`, taskRunning)
  // A release process may be migrating a database: it is let finish.
  if (newer && !taskRunning) return end(observed, 'Superseded', 'SUPERSEDED', `The later deployment ${newer} took the place of v${observed.release}.`)
  if (startedAt && now.getTime() - Date.parse(startedAt) > timeoutMs) {
    return end(observed, 'Failed', 'DEPLOYMENT_TIMEOUT', `The deployment of v${observed.release} did not finish within ${Math.round(timeoutMs / 1000)} s.`, taskRunning)
  }
  return undefined
}

function end(observed: Observed, phase: Phase, code: keyof typeof errorCatalogue, message: string, stopTask = false, more: Partial<ErrorObject> = {}): Action[] {
  const created = observed.own.filter(({ metadata }) => !metadata.deletionTimestamp)
  return [
    ...(stopTask ? [{ type: 'cancelReleaseTask' } as const] : []),
    ...(created.length > 0 ? [{ type: 'deleteSets', names: namesOf(created) } as const] : []),
    { type: 'phase', phase, message, problem: { code, message, fix: errorCatalogue[code].fix, state: stateOfTheWorld(observed), ...more } },
  ]
}

export function stateOfTheWorld({ serving }: Pick<Observed, 'serving'>): string {
  return serving === undefined ? 'No release serves yet.' : `v${serving} keeps serving; nothing was changed for your users.`
}

function planPending({ olderActive, releaseTask }: Observed): Action[] {
  if (olderActive) return [{ type: 'wait' }]
  if (releaseTask) return [{ type: 'phase', phase: 'Releasing', message: 'The release process runs.' }]
  return [{ type: 'phase', phase: 'Starting', message: 'New instances start.' }]
}

function planReleasing(observed: Observed): Action[] {
  const { releaseTask } = observed
  if (releaseTask === 'wanted') return [{ type: 'startReleaseTask' }]
  if (releaseTask?.state === 'running') return [{ type: 'wait' }]
  if (releaseTask && releaseTask.exit?.code !== 0) {
    const how = releaseTask.problem?.message ?? (releaseTask.exit?.signal ? `It was ended by ${releaseTask.exit.signal}.` : `It exited with code ${releaseTask.exit?.code}.`)
    return end(observed, 'Failed', 'RELEASE_PHASE_FAILED', `The release process of ${observed.app} v${observed.release} failed.`, false, { why: how, ...(releaseTask.problem?.facts ? { facts: releaseTask.problem.facts } : {}) })
  }
  return [{ type: 'phase', phase: 'Starting', message: 'New instances start.' }]
}

function planStarting(observed: Observed): Action[] {
  const { own, wanted, webSet } = observed
  const missing = wanted.filter((name) => !own.some(({ metadata }) => metadata.name === name))
  if (missing.length > 0) return [{ type: 'createSets', names: missing }]
  const failed = own.find(hasFailed)
  if (failed) {
    const { code, message, fix, ...rest } = failed.status!.problem as ErrorObject
    return end(observed, 'Failed', code, message, false, { ...rest, fix })
  }
  if (!own.every(isReady)) return [{ type: 'wait' }]
  if (webSet === undefined) return [{ type: 'phase', phase: 'Draining', message: 'Earlier instances stop.' }]
  return [{ type: 'writeRoutes' }, { type: 'phase', phase: 'Switching', message: 'Traffic moves to the new instances.' }]
}

function isReady({ metadata, spec, status }: SetView): boolean {
  return status?.observedGeneration === metadata.generation && (status.ready ?? 0) >= spec.replicas
}

function hasFailed({ status }: SetView): boolean {
  const { problem, instances = [], crashLoop } = status ?? {}
  if (!problem) return false
  return immediateProblems.has(problem.code) || crashLoop === true || instances.some(({ restarts }) => restarts >= forgivenRestarts)
}

function planSwitching({ routes }: Observed): Action[] {
  if (routes === 'elsewhere') return [{ type: 'writeRoutes' }]
  if (routes === 'written') return [{ type: 'wait' }]
  return [{ type: 'phase', phase: 'Draining', message: 'Earlier instances finish their requests and stop.' }]
}

function planDraining({ others, release }: Observed): Action[] {
  const left = others.filter(({ metadata }) => !metadata.deletionTimestamp)
  return [...(left.length > 0 ? [{ type: 'deleteSets', names: namesOf(left) } as const] : []), { type: 'phase', phase: 'Succeeded', message: `v${release} serves.` }]
}

function namesOf(sets: SetView[]): string[] {
  return sets.map(({ metadata }) => metadata.name)
}

const stepOfPhase: Partial<Record<Phase, string>> = { Releasing: 'release process', Starting: 'start', Switching: 'switch', Draining: 'drain' }

/** The steps as they stand after a change of phase. */
export function nextSteps(steps: Step[], from: Phase, to: Phase, message: string, now: string): Step[] {
  const failed = to === 'Failed' || to === 'Canceled' || to === 'Superseded'
  const closed = steps.map((step) => (step.name === stepOfPhase[from] && step.state === 'running' ? { ...step, state: failed ? ('failed' as const) : ('done' as const), finishedAt: now } : step))
  const opened = stepOfPhase[to]
  return opened ? [...closed, { name: opened, state: 'running' as const, message, startedAt: now }] : closed
}
