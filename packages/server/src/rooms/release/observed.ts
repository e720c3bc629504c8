/** What a rollout is decided on, and what can be decided. Pure. */
import type { DeploymentStatus, ErrorObject, Gate, InstanceSetSpec, InstanceSetStatus, ResolvedStrategy, Resource, RouteSpec, TaskStatus } from '@pavior/contract'
import type { Sample } from './judge.ts'
import type { Measured } from './measure.ts'

export type Phase = NonNullable<DeploymentStatus['phase']>
export const finalPhases: ReadonlySet<string> = new Set<Phase>(['Succeeded', 'Failed', 'RolledBack', 'Superseded', 'Canceled'])

export type SetView = Pick<Resource<InstanceSetSpec, InstanceSetStatus>, 'metadata' | 'spec' | 'status'>
export type Backends = RouteSpec['backends']
export type Trial = NonNullable<DeploymentStatus['trial']>

/** What the router counted of both releases since the present step began. */
export interface Readings {
  canary: Sample
  stable: Sample
  /** Requests a second that the app had over the minutes before. */
  perSecond: number
}

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
  /** Name of the web set that routes should lead to; undefined when the release has no web process. */
  webSet: string | undefined
  /** Web instances that the release is to have. */
  webReplicas: number
  /** Web set of the release that serves; undefined before the first, and when it is gone. */
  stableSet: string | undefined
  /** Whether that set has ready instances. */
  stableReady: boolean
  /** Where every route of the app and environment leads; undefined when they differ or there is none. */
  backends: Backends | undefined
  /** Where requests of testers lead. */
  testersTo: string | undefined
  /** Whether every router worker knows the routes as they stand. */
  routed: boolean
  strategy: ResolvedStrategy
  gates: Gate[]
  /** What does not hold it, and is worth knowing. */
  notes: string[]
  /** What it was said to wait for. */
  waitingFor: Gate[]
  /** A gate that never opens. */
  refusal: ErrorObject | undefined
  trial: Trial | undefined
  /** While Shifting, Switching and Watching; undefined while the router's counts are not taken, as after a crash. */
  readings: Readings | undefined
  /** Largest share of its memory limit that an instance on trial holds; undefined while nobody has measured. */
  saturation?: number | undefined
  /** Figures that the strategy asks for; undefined before there is traffic. */
  measured?: Measured[] | undefined
  paused: boolean
  /** A freeze began meanwhile; why. */
  frozen: string | undefined
  /** Steps up to this one wait for nobody any more; -1 for none. */
  resumedStep: number
  promoted: boolean
  /** Why it goes back, once that is decided. */
  problem: ErrorObject | undefined
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
  | { type: 'scaleSet'; name: string; replicas: number }
  | { type: 'writeRoutes'; backends: Backends; testersTo?: string }
  /** Asks new instances itself and notes what they answer. */
  | { type: 'probe'; set: string; requests: number }
  | { type: 'note'; trial?: Trial; gates?: Gate[] }
  | { type: 'phase'; phase: Phase; message: string; problem?: ErrorObject; trial?: Trial; gates?: Gate[] }
  | { type: 'wait'; soon?: boolean }

/** Exits of a new instance that are forgiven before the rollout fails. */
const forgivenRestarts = 2
const immediateProblems = new Set(['PORT_NOT_BOUND', 'HEALTH_CHECK_FAILED', 'START_FAILED'])

export function isReady({ metadata, spec, status }: SetView): boolean {
  return status?.observedGeneration === metadata.generation && (status.ready ?? 0) >= spec.replicas
}

export function hasFailed({ status }: SetView): boolean {
  const { problem, instances = [], crashLoop } = status ?? {}
  if (!problem) return false
  return immediateProblems.has(problem.code) || crashLoop === true || instances.some(({ restarts }) => restarts >= forgivenRestarts)
}

export function namesOf(sets: SetView[]): string[] {
  return sets.map(({ metadata }) => metadata.name)
}
