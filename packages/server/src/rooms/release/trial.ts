/**
 * The part of a rollout in which the new release has traffic and can still lose it. Pure.
 *
 * Shifting: for every step first the instances, then the weight, then the judge. Watching: all traffic is on the new
 * release, and the judge goes on. Restoring: the way back; traffic first, then the instances of the new release go.
 */
import type { ErrorCode, ErrorObject, Judgement, ResolvedStrategy } from '@pavior/contract'
import { errorCatalogue } from '@pavior/contract'
import { isUnknown, judge, judgeAtEnd, type Evidence } from './judge.ts'
import { hasFailed, isReady, namesOf, type Action, type Backends, type Observed, type Phase, type Trial } from './observed.ts'
import { trialReplicas } from './strategy.ts'

/** The strategy when there is something to be tried beside; the first release of an environment has nothing. */
export function trialStrategy({ strategy, stableReady, webSet }: Observed): ResolvedStrategy | undefined {
  return strategy.steps.length > 0 && stableReady && webSet !== undefined ? strategy : undefined
}

/** From a request until its count can be judged: the router's interval, the agent's, and two looks. */
const countsArriveWithinMs = 8000

export function planShifting(observed: Observed, now: Date): Action[] {
  const { own, webSet, webReplicas, strategy, trial } = observed
  const trouble = troubleOnTrial(observed)
  if (trouble) return trouble
  const web = own.find(({ metadata }) => metadata.name === webSet)
  if (!web) return restore(observed, 'CANARY_FAILED', 'The instances on trial are gone.')
  // Nothing is left to go back to.
  if (observed.stableSet === undefined) return [{ type: 'phase', phase: 'Completing', message: 'What served before is gone; the rest of the new instances start.' }]
  const early = judgementOf(observed, trial!, false)
  if (early.verdict === 'failing') return restore(observed, 'CANARY_FAILED', sentence(early), early)
  const { step } = trial!
  const replicas = trialReplicas(webReplicas, strategy, step)
  if (web.spec.replicas < replicas) return [{ type: 'scaleSet', name: webSet!, replicas }]
  if (!isReady(web)) return [{ type: 'wait' }]
  const mix = mixOf(observed, strategy.steps[step]!.weight)
  const testersTo = strategy.testers ? webSet : undefined
  if (!leadsTo(observed, mix, testersTo)) return [{ type: 'writeRoutes', backends: mix, ...(testersTo === undefined ? {} : { testersTo }) }]
  if (!observed.routed) return [{ type: 'wait' }]
  if (trial!.since === undefined) return [{ type: 'note', trial: { ...trial!, since: now.toISOString() } }]
  if (observed.readings === undefined) return [{ type: 'wait', soon: true }]
  return judgeStep(observed, trial!, now)
}

function judgeStep(observed: Observed, trial: Trial, now: Date): Action[] {
  const { strategy, webSet, promoted, resumedStep } = observed
  const { seconds, pause } = strategy.steps[trial.step]!
  const quiet = isQuiet(observed, seconds)
  // What a step saw at its end is known a little later.
  const over = promoted || quiet || now.getTime() - Date.parse(trial.since!) >= seconds * 1000 + countsArriveWithinMs
  const judgement = judgementOf(observed, trial, over)
  if (judgement.verdict === 'failing') return restore(observed, 'CANARY_FAILED', sentence(judgement), judgement)
  if (judgement.verdict === 'waiting' && over && trial.synthetic === undefined) return [{ type: 'probe', set: webSet!, requests: strategy.judge.minRequests }]
  const held = heldBy(observed, pause && resumedStep < trial.step && !promoted && over)
  const noted: Trial = { step: trial.step, weight: trial.weight, since: trial.since!, judgement, ...(trial.synthetic ? { synthetic: trial.synthetic } : {}), ...(held === undefined ? {} : { held }) }
  if (!over || held !== undefined || judgement.verdict !== 'passing') return [...noteIfNew(trial, noted), { type: 'wait', soon: true }]
  const next = strategy.steps[trial.step + 1]
  if (next && !promoted) return [{ type: 'note', trial: { step: trial.step + 1, weight: next.weight } }]
  return [{ type: 'phase', phase: 'Completing', message: `${sentence(judgement)} The rest of the new instances start.`, trial: noted }]
}

export function planWatching(observed: Observed, now: Date): Action[] {
  const { newer, strategy, trial } = observed
  const done: Action[] = [{ type: 'phase', phase: 'Draining', message: 'Earlier instances stop.' }]
  // What comes next is tried beside this one.
  if (newer || observed.stableSet === undefined) return done
  const trouble = troubleOnTrial(observed)
  if (trouble) return trouble
  if (trial!.since === undefined) return [{ type: 'note', trial: { ...trial!, since: now.toISOString() } }]
  if (observed.readings === undefined) return [{ type: 'wait', soon: true }]
  const over = now.getTime() - Date.parse(trial!.since) >= strategy.watchSeconds * 1000 + countsArriveWithinMs
  const judgement = judgementOf(observed, trial!, false)
  if (judgement.verdict === 'failing') return restore(observed, 'WATCH_FAILED', sentence(judgement), judgement)
  return over ? done : [...noteIfNew(trial!, { ...trial!, judgement }), { type: 'wait', soon: true }]
}

/** Traffic goes back in one write; only when no router worker leads to the new instances any more are they deleted. */
export function planRestoring(observed: Observed): Action[] {
  const { stableSet, own, problem } = observed
  if (stableSet !== undefined) {
    if (!leadsTo(observed, onlyTo(stableSet), undefined)) return [{ type: 'writeRoutes', backends: onlyTo(stableSet) }]
    if (!observed.routed) return [{ type: 'wait' }]
  }
  const left = own.filter(({ metadata }) => !metadata.deletionTimestamp)
  const known = problem ?? problemOf(observed, 'CANARY_FAILED', 'Traffic was led back.')
  return [...(left.length > 0 ? [{ type: 'deleteSets', names: namesOf(left) } as const] : []), { type: 'phase', phase: endOf(known.code), message: known.message, problem: known }]
}

/** Reasons to go back that need no judge. */
export function troubleOnTrial(observed: Observed): Action[] | undefined {
  const { phase, canceled, releaseGone, newer, own, release } = observed
  if (canceled) return restore(observed, 'CANCELED', `The deployment of v${release} was aborted.`)
  if (releaseGone) return restore(observed, 'NO_SUCH_RELEASE', `The release v${release} does not exist.`)
  if (newer && phase !== 'Watching') return restore(observed, 'SUPERSEDED', `The later deployment ${newer} took the place of v${release}.`)
  const failed = own.find(hasFailed)
  if (!failed) return undefined
  const { code, message, ...more } = failed.status!.problem as ErrorObject
  return restore(observed, code, message, undefined, more)
}

function restore(observed: Observed, code: ErrorCode, message: string, judgement?: Judgement, more: Partial<ErrorObject> = {}): Action[] {
  const trial = observed.trial && { ...observed.trial, ...(judgement ? { judgement } : {}) }
  return [{ type: 'phase', phase: 'Restoring', message, problem: { ...problemOf(observed, code, message), ...more }, ...(trial ? { trial } : {}) }]
}

function problemOf({ app, release, serving }: Observed, code: ErrorCode, message: string): ErrorObject {
  const judged = code === 'CANARY_FAILED' || code === 'WATCH_FAILED'
  return {
    code,
    message: judged ? `v${release} of ${app} was taken back: ${message}` : message,
    fix: errorCatalogue[code].fix,
    state: serving === undefined ? 'No release serves.' : `v${serving} has all traffic again.`,
  }
}

function endOf(code: ErrorCode): Phase {
  const ends: Partial<Record<ErrorCode, Phase>> = { SUPERSEDED: 'Superseded', CANCELED: 'Canceled' }
  return ends[code] ?? 'RolledBack'
}

/** By the traffic where there is enough of it, else by what the platform asked itself. */
function judgementOf({ readings, own, strategy, webSet, saturation, measured }: Observed, trial: Trial, over: boolean): Judgement {
  const restarts = own.filter(({ metadata }) => metadata.name === webSet).flatMap(({ status }) => status?.instances ?? []).reduce((sum, instance) => sum + instance.restarts, 0)
  const none = { requests: 0, errors: 0, p95Ms: null, p99Ms: null }
  const traffic: Evidence = { source: 'traffic', canary: readings?.canary ?? none, stable: readings?.stable, restarts, saturation, measured }
  const byTraffic = over ? judgeAtEnd(traffic, strategy.judge) : judge(traffic, strategy.judge)
  if (byTraffic.verdict !== 'waiting' || trial.synthetic === undefined || !over) return byTraffic
  const synthetic = judgeAtEnd({ source: 'synthetic', canary: trial.synthetic, stable: undefined, restarts, saturation, measured }, strategy.judge)
  return { ...synthetic, text: [`too little traffic to judge by (${traffic.canary.requests} requests), so the platform asked itself`, ...synthetic.text] }
}

/** Whether a step could never see enough requests: then waiting for its end would tell nothing. */
function isQuiet({ readings, strategy, trial, promoted, measured = [] }: Observed, seconds: number): boolean {
  if (measured.some(isUnknown)) return false
  const share = trial!.weight / 100
  return !promoted && (readings?.perSecond ?? 0) * share * seconds < strategy.judge.minRequests && (readings?.canary.requests ?? 0) < strategy.judge.minRequests
}

/** Blue-green promises the warm way back; a canary is watched where there is traffic to judge by. */
export function isWorthWatching({ readings, strategy }: Observed): boolean {
  return strategy.type === 'bluegreen' || (readings?.perSecond ?? 0) * strategy.watchSeconds >= strategy.judge.minRequests
}

function heldBy({ paused, frozen }: Observed, pausedByStep: boolean): string | undefined {
  if (paused) return 'It is paused.'
  if (frozen !== undefined) return frozen
  return pausedByStep ? 'This step waits until somebody resumes it.' : undefined
}

function noteIfNew(before: Trial, noted: Trial): Action[] {
  return JSON.stringify([before.judgement, before.held]) === JSON.stringify([noted.judgement, noted.held]) ? [] : [{ type: 'note', trial: noted }]
}

export function onlyTo(set: string): Backends {
  return [{ instanceSet: set, weight: 100 }]
}

function mixOf({ stableSet, webSet }: Observed, weight: number): Backends {
  const stable = { instanceSet: stableSet!, weight: 100 - weight }
  return weight === 0 ? [stable] : [stable, { instanceSet: webSet!, weight }]
}

export function leadsTo({ backends, testersTo }: Observed, wanted: Backends, testers: string | undefined): boolean {
  return testersTo === testers && backends !== undefined && backends.length === wanted.length && wanted.every(({ instanceSet, weight }) => backends.some((one) => one.instanceSet === instanceSet && one.weight === weight))
}

function sentence({ text }: Judgement): string {
  return `${text.join('; ')}.`
}

