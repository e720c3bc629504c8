/** Door of room release: environments, releases, deployments. */
import type { DeploymentSpec, DeployProgress, Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import type { ChangeWaiters } from '../../kernel/store/waiters.ts'
import { rollBack, type ReleaseDeps } from './commands.ts'
import type { HostPolicy } from './hosts.ts'
import { createMeasure } from './measure.ts'
import { deployment, environment, freeze, platformFreeze, release } from './kinds.ts'
import type { ArtifactTasks, MetricReadings, Observations, Prober, SourceHistory, TrafficReadings, Writers } from './ports.ts'
import { createEnvironmentReaper, createPreviewReconciler, createSleepFollower } from './previews/reconcile.ts'
import { startRun, type RunRequest } from './one-off.ts'
import { deployProgress, type ProgressDeps } from './progress.ts'
import { createAppReconciler, createBuildReleases, createEnvironments, createSecretWatch } from './reconcile-app.ts'
import { createDeploymentReconciler, createGateWatch, createNeighbours, createReleaseReaper } from './reconcile-deployment.ts'
import { releaseRoutes } from './routes.ts'

export type { HostPolicy } from './hosts.ts'
export type { ArtifactTasks, SourceHistory } from './ports.ts'
export { createDeploymentRules, createRolloutRules } from './admission.ts'
export { finalPhases } from './observed.ts'
export const kinds = [environment, freeze, platformFreeze, release, deployment]

export interface ReleaseRoomDeps {
  database: Database
  resources: Resources
  changes: ChangeWaiters
  /** Asked at call time, because the runtime room is built after this one. */
  tasks: ArtifactTasks
  /** Asked at call time too. */
  readings: TrafficReadings
  /** Asked at call time too. */
  metrics: MetricReadings
  prober: Prober
  secrets: ReleaseDeps['secrets']
  /** Asked at call time too. */
  observations: Observations
  writers: Writers
  stepLog: ProgressDeps['stepLog']
  history: SourceHistory
  hostPolicy: (team: string) => HostPolicy
  routerUrl: (host: string) => string
  defaultEnvironment: (team: string) => string
  events: EventRecorder
  /** Asks a reconciler for a run. */
  request: (entries: { controller: string; key: string }[]) => Promise<void>
  clock: Clock
}

export interface ReleaseReads {
  /** A deploy from its build to its end. */
  progress: (by: Actor, team: string, build: string, signal: AbortSignal) => AsyncIterable<DeployProgress>
  /** Puts an earlier release back, the previous one unless `to` says which. */
  rollBack: (by: Actor, team: string, app: string, environment: string, to?: number) => Promise<Resource<DeploymentSpec>>
  /** Starts a one-off command. */
  run: (by: Actor, request: RunRequest) => Promise<{ id: string }>
}

export function createReleaseRoom(given: ReleaseRoomDeps): Room<ReleaseReads> {
  const deps = { ...given, measure: createMeasure(given.metrics, given.clock) }
  return {
    reconcilers: [createDeploymentReconciler(deps), createNeighbours(deps), createGateWatch(deps), createReleaseReaper(deps), createBuildReleases(deps), createAppReconciler(deps), createSecretWatch(deps), createEnvironments(deps), createPreviewReconciler(deps), createSleepFollower(deps), createEnvironmentReaper(deps)],
    routes: [releaseRoutes(deps)],
    parts: [],
    reads: {
      progress: (by, team, build, signal) => deployProgress(deps, by, team, build, signal),
      rollBack: (by, team, app, environment, to) => rollBack(deps, by, team, app, environment, to),
      run: (by, request) => startRun(deps, by, request),
    },
  }
}
