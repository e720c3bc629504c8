/** Door of room delivery: source in, artifact out. */
import type { LogLine, Revision } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { hasCode } from '../../kernel/errors.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import type { Signer } from '../../kernel/signer.ts'
import { Waiters, type ChangeWaiters } from '../../kernel/store/waiters.ts'
import { actor, stepTaskPrefix, taskOf, type Build } from './builds.ts'
import { sourceChanges, type SourceChanges } from './changes.ts'
import { submitOnce, type Submission } from './commands.ts'
import { build } from './kinds.ts'
import type { GitDeps } from './git.ts'
import type { ArtifactScanner, ArtifactStore, Builder, DeployGate, SourceStore, StepRunner, ToolFinder } from './ports.ts'
import { createBuildReconciler, type BuildDeps } from './reconcile.ts'
import { createBuildCanceler, createRepositoryReaper, createStepReaper } from './reconcile-ends.ts'
import { PlatformRepositories } from './repositories.ts'
import { deliveryRoutes } from './routes.ts'
import { createSafety, type Safety, type SafetyDeps } from './safety/index.ts'
import { artifactRoutes } from './safety/routes.ts'
import { forgetMissing } from './store.ts'
import { buildPlaces } from './workspace.ts'

export const kinds = [build]

const startCheckMs = 250
export type { Build } from './builds.ts'
export type { SourceChanges } from './changes.ts'

export interface DeliveryReads {
  /** What rules may ask of an artifact. */
  artifactFacts: Safety['facts']
  /** Refuses to deploy what is not what was signed. */
  signatures: Safety['admission']
  /** Forgets results of builds whose artifact is not among these. */
  forgetMissing: (artifacts: string[]) => Promise<void>
  directoryOf: (digest: string) => string
  /** Log of a step of a build as it is written, until the step ends. */
  stepLog: (build: Build, step: string, signal: AbortSignal) => AsyncIterable<LogLine>
  /** Commits and files that differ between two revisions of an app. */
  changes: (team: string, app: string, from: Revision, to: Revision) => Promise<SourceChanges>
  /** What the platform itself writes into the repositories that are kept here. */
  repositories: PlatformRepositories
  /** Name of the build of a commit, made from its files when there is none yet. */
  buildOf: (actor: Actor, submission: Submission, files: ReadonlyMap<string, { content: Buffer; executable: boolean }>) => Promise<string>
}

export interface DeliveryDeps {
  database: Database
  resources: Resources
  changes: ChangeWaiters
  builders: readonly Builder[]
  sources: SourceStore & Part
  artifacts: ArtifactStore & Part & { makeIncoming: () => Promise<string> }
  tools: ToolFinder
  scanner: ArtifactScanner
  signer: Signer
  platform: SafetyDeps['platform']
  /** Called when advisories were imported. */
  advised: () => Promise<void>
  gate: DeployGate
  runner: StepRunner & { onEvent: (listener: (event: { type: string; task?: { id: string } }) => void) => void }
  home: string
  events: EventRecorder
  limits: BuildDeps['limits']
  buildEnv: Record<string, string>
  git: GitDeps
  uploadBytes: number
  defaultEnvironment: (team: string) => string
  clock: Clock
}

export function createDelivery(deps: DeliveryDeps): Room<DeliveryReads> {
  const { resources, changes, sources, artifacts, runner, home } = deps
  const tasks = new Waiters()
  runner.onEvent((event) => {
    if (event.type === 'task' && event.task?.id.startsWith(stepTaskPrefix)) tasks.release(event.task.id)
    if (event.type === 'state') tasks.releaseAll()
  })
  const repositories = new PlatformRepositories(deps.git)
  const safety = createSafety(deps)
  const buildDeps: BuildDeps = { ...deps, safety, places: buildPlaces(home), taskChanged: (id, timeoutMs, signal) => tasks.wait(id, signal, timeoutMs) }
  const stepLog = (one: Build, step: string, signal: AbortSignal): AsyncIterable<LogLine> => followStep(deps, tasks, one, step, signal)
  const buildChanged = (team: string, name: string, signal: AbortSignal): Promise<void> => changes.wait('Build', team, name, signal)
  return {
    reconcilers: [createBuildReconciler(buildDeps), createBuildCanceler(buildDeps), createStepReaper(buildDeps), createRepositoryReaper(deps, repositories)],
    routes: [deliveryRoutes({ ...deps, resources, runner, stepLog, buildChanged }), artifactRoutes({ ...deps, safety })],
    parts: [sources, artifacts],
    reads: {
      artifactFacts: safety.facts,
      signatures: safety.admission,
      forgetMissing: (kept) => forgetMissing(deps.database, kept),
      directoryOf: (digest) => artifacts.directoryOf(digest),
      stepLog,
      changes: (team, app, from, to) => sourceChanges({ sources, gitRoot: deps.git.root }, team, app, from, to),
      repositories,
      buildOf: async (by, submission, files) => (await submitOnce(deps, by, submission, files)).metadata.name,
    },
  }
}

/** A step is announced a moment before its task runs, and its log is kept for a while only. */
async function* followStep({ resources, runner }: DeliveryDeps, tasks: Waiters, one: Build, step: string, signal: AbortSignal): AsyncGenerator<LogLine> {
  const id = taskOf(one, step)
  const key = { kind: 'Build', namespace: one.metadata.namespace!, name: one.metadata.name }
  while (!signal.aborted) {
    const started = tasks.wait(id, signal, startCheckMs)
    try {
      yield* runner.logs(id, { follow: true, offset: 0 }, signal)
      return
    } catch (error) {
      if (!hasCode(error, 'NOT_FOUND')) throw error
    }
    const now = await resources.get<Build>(actor, key)
    if (now?.status?.steps?.find(({ name }) => name === step)?.state !== 'running') return
    await started
  }
}
