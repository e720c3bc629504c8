/**
 * The rollout, decided purely: from the deployment and what is observed around it to the next actions.
 *
 * Pending → Waiting (gates hold it) → Releasing (the `release` process runs) → Starting (new instances become healthy
 * beside the old ones) → Shifting (canary and blue-green: on trial, see trial.ts) → Completing (the rest of the new
 * instances) → Switching (routes lead to the new ones alone, every router worker says so) → Watching (the old ones stay
 * warm, the judge goes on) → Draining (old sets are deleted, the agent drains them) → Succeeded. Until Shifting nothing
 * of what serves is touched; from there on Restoring leads all traffic back to it before anything is deleted.
 */
import type { ErrorObject, Step } from '@pavior/contract'
import { errorCatalogue } from '@pavior/contract'
import { finalPhases, hasFailed, isReady, namesOf, type Action, type Observed, type Phase } from './observed.ts'
import { isWorthWatching, leadsTo, onlyTo, planRestoring, planShifting, planWatching, trialStrategy, troubleOnTrial } from './trial.ts'

export function planRollout(observed: Observed, now: Date): Action[] {
  if (finalPhases.has(observed.phase)) return cleanUpAfterEnd(observed)
  const ended = endEarly(observed, now)
  if (ended) return ended
  switch (observed.phase) {
    case 'Pending':
      return planPending(observed)
    case 'Waiting':
      return planWaiting(observed)
    case 'Releasing':
      return planReleasing(observed)
    case 'Starting':
      return planStarting(observed)
    case 'Shifting':
      return planShifting(observed, now)
    case 'Completing':
      return planCompleting(observed)
    case 'Switching':
      return planSwitching(observed)
    case 'Watching':
      return planWatching(observed, now)
    case 'Restoring':
      return planRestoring(observed)
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

/** Nothing of what serves is touched in these. */
const beforeTraffic: ReadonlySet<Phase> = new Set<Phase>(['Pending', 'Waiting', 'Releasing', 'Starting'])

/** Reasons to end before traffic has moved. After it has, the rollout is finished instead. */
function endEarly(observed: Observed, now: Date): Action[] | undefined {
  const { phase, canceled, appGone, releaseGone, newer, releaseTask, startedAt, timeoutMs } = observed
  const taskRunning = typeof releaseTask === 'object' && releaseTask.state === 'running'
  if (appGone) return end(observed, 'Canceled', 'APP_DELETED', `The app "${observed.app}" was deleted during the deployment.`, taskRunning)
  if (!beforeTraffic.has(phase)) return undefined
  if (releaseGone) return end(observed, 'Failed', 'NO_SUCH_RELEASE', `The release v${observed.release} does not exist.`)
  if (canceled) return end(observed, 'Canceled', 'CANCELED', `The deployment of v${observed.release} was cancelled.`, taskRunning)
  // A release process may be migrating a database: it is let finish.
  if (newer && !taskRunning) return end(observed, 'Superseded', 'SUPERSEDED', `The later deployment ${newer} took the place of v${observed.release}.`)
  if (startedAt && now.getTime() - Date.parse(startedAt) > timeoutMs) {
    return end(observed, 'Failed', 'DEPLOYMENT_TIMEOUT', `The deployment of v${observed.release} did not finish within ${Math.round(timeoutMs / 1000)} s.`, taskRunning)
  }
  return undefined
}

export function end(observed: Observed, phase: Phase, code: keyof typeof errorCatalogue, message: string, stopTask = false, more: Partial<ErrorObject> = {}): Action[] {
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

function planPending(observed: Observed): Action[] {
  if (observed.olderActive) return [{ type: 'wait' }]
  if (observed.refusal || observed.gates.length > 0) return [{ type: 'phase', phase: 'Waiting', message: 'It waits for what the environment asks for.', gates: observed.gates }]
  return begin(observed)
}

function planWaiting(observed: Observed): Action[] {
  const { refusal, gates, waitingFor } = observed
  if (refusal) return [{ type: 'phase', phase: 'Failed', message: refusal.message, problem: { ...refusal, state: stateOfTheWorld(observed) } }]
  if (gates.length === 0) return begin(observed)
  return JSON.stringify(gates) === JSON.stringify(waitingFor) ? [{ type: 'wait' }] : [{ type: 'note', gates }, { type: 'wait' }]
}

function begin({ releaseTask }: Observed): Action[] {
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
  const trial = trialStrategy(observed)
  const first = trial ? [webSet!] : wanted
  const missing = first.filter((name) => !own.some(({ metadata }) => metadata.name === name))
  if (missing.length > 0) return [{ type: 'createSets', names: missing }]
  const failed = own.find(hasFailed)
  if (failed) {
    const { code, message, fix, ...rest } = failed.status!.problem as ErrorObject
    return end(observed, 'Failed', code, message, false, { ...rest, fix })
  }
  if (!own.every(isReady)) return [{ type: 'wait' }]
  if (webSet === undefined) return [{ type: 'phase', phase: 'Draining', message: 'Earlier instances stop.' }]
  if (trial) return [{ type: 'phase', phase: 'Shifting', message: trialMessage(observed), trial: { step: 0, weight: trial.steps[0]!.weight } }]
  return [{ type: 'writeRoutes', backends: onlyTo(webSet) }, { type: 'phase', phase: 'Switching', message: 'Traffic moves to the new instances.' }]
}

function trialMessage({ strategy }: Observed): string {
  return strategy.type === 'bluegreen' ? 'The new instances stand beside those that serve.' : 'A share of the traffic goes to the new instances.'
}

/** What was not on trial joins: workers, and the rest of the web instances. */
function planCompleting(observed: Observed): Action[] {
  const { own, wanted, webSet, webReplicas } = observed
  const missing = wanted.filter((name) => !own.some(({ metadata }) => metadata.name === name))
  if (missing.length > 0) return [{ type: 'createSets', names: missing }]
  const web = own.find(({ metadata }) => metadata.name === webSet)!
  if (web.spec.replicas < webReplicas) return [{ type: 'scaleSet', name: webSet!, replicas: webReplicas }]
  const trouble = troubleOnTrial(observed)
  if (trouble) return trouble
  if (!own.every(isReady)) return [{ type: 'wait' }]
  return [{ type: 'writeRoutes', backends: onlyTo(webSet!) }, { type: 'phase', phase: 'Switching', message: 'All traffic moves to the new instances.' }]
}

function planSwitching(observed: Observed): Action[] {
  const { webSet, strategy, stableSet } = observed
  if (!leadsTo(observed, onlyTo(webSet!), undefined)) return [{ type: 'writeRoutes', backends: onlyTo(webSet!) }]
  if (!observed.routed) return [{ type: 'wait' }]
  const mayWatch = strategy.watchSeconds > 0 && stableSet !== undefined
  if (mayWatch && observed.readings === undefined) return [{ type: 'wait', soon: true }]
  if (mayWatch && isWorthWatching(observed)) {
    return [{ type: 'phase', phase: 'Watching', message: `v${observed.release} serves. It is watched for ${strategy.watchSeconds} s, and what served before is kept warm.`, trial: { step: strategy.steps.length, weight: 100 } }]
  }
  return [{ type: 'phase', phase: 'Draining', message: 'Earlier instances finish their requests and stop.' }]
}

function planDraining({ others, release }: Observed): Action[] {
  const left = others.filter(({ metadata }) => !metadata.deletionTimestamp)
  return [...(left.length > 0 ? [{ type: 'deleteSets', names: namesOf(left) } as const] : []), { type: 'phase', phase: 'Succeeded', message: `v${release} serves.` }]
}

const stepOfPhase: Partial<Record<Phase, string>> = {
  Waiting: 'gates', Releasing: 'release process', Starting: 'start', Shifting: 'trial', Completing: 'complete', Switching: 'switch', Watching: 'watch', Restoring: 'restore', Draining: 'drain',
}
const failedPhases: ReadonlySet<Phase> = new Set<Phase>(['Failed', 'RolledBack', 'Canceled', 'Superseded', 'Restoring'])

/** The steps as they stand after a change of phase. */
export function nextSteps(steps: Step[], from: Phase, to: Phase, message: string, now: string): Step[] {
  const failed = failedPhases.has(to) && from !== 'Restoring'
  const closed = steps.map((step) => (step.name === stepOfPhase[from] && step.state === 'running' ? { ...step, state: failed ? ('failed' as const) : ('done' as const), finishedAt: now } : step))
  const opened = stepOfPhase[to]
  return opened ? [...closed, { name: opened, state: 'running' as const, message, startedAt: now }] : closed
}
