/** Door of room delivery: source in, artifact out. */
import type { Resource } from '@pavior/contract'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import type { Feed } from '../../kernel/store/feed.ts'
import { build } from './kinds.ts'
import type { GitDeps } from './git.ts'
import type { ArtifactStore, Builder, SourceStore, StepRunner, ToolFinder } from './ports.ts'
import { createBuildCanceler, createBuildReconciler, stepTaskPrefix, type Build, type BuildDeps } from './reconcile.ts'
import { deliveryRoutes } from './routes.ts'
import { buildPlaces } from './workspace.ts'

export const kinds = [build]
export type { Build } from './reconcile.ts'

export interface DeliveryReads {
  directoryOf: (digest: string) => string
  /** Resolves when a change of this build has been published, or when the signal ends. */
  buildChanged: (team: string, name: string, signal: AbortSignal) => Promise<void>
}

export interface DeliveryDeps {
  database: Database
  resources: Resources
  feed: Feed
  builders: readonly Builder[]
  sources: SourceStore & Part
  artifacts: ArtifactStore & Part & { makeIncoming: () => Promise<string> }
  tools: ToolFinder
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
  const { resources, feed, sources, artifacts, runner, home } = deps
  const tasks = new Waiters()
  runner.onEvent((event) => {
    if (event.type === 'task' && event.task?.id.startsWith(stepTaskPrefix)) tasks.release(event.task.id)
    if (event.type === 'state') tasks.releaseAll()
  })
  const builds = new Waiters()
  feed.subscribe({
    publish: (changes) => {
      for (const { kind, object } of changes) if (kind === 'Build') builds.release(`${object.metadata.namespace}/${object.metadata.name}`)
    },
  })
  const buildDeps: BuildDeps = { ...deps, places: buildPlaces(home), taskChanged: (id, timeoutMs, signal) => tasks.wait(id, signal, timeoutMs) }
  const buildChanged = (team: string, name: string, signal: AbortSignal): Promise<void> => builds.wait(`${team}/${name}`, signal)
  return {
    reconcilers: [createBuildReconciler(buildDeps), createBuildCanceler(buildDeps)],
    routes: [deliveryRoutes({ ...deps, resources, runner, buildChanged })],
    parts: [sources, artifacts],
    reads: { directoryOf: (digest) => artifacts.directoryOf(digest), buildChanged },
  }
}

/** Promises by name, resolved when the name is released. */
class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>()

  wait(name: string, signal: AbortSignal, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const set = this.#waiting.get(name) ?? new Set()
      this.#waiting.set(name, set)
      const finish = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', finish)
        set.delete(finish)
        if (set.size === 0 && this.#waiting.get(name) === set) this.#waiting.delete(name)
        resolve()
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(finish, timeoutMs)
      signal.addEventListener('abort', finish)
      set.add(finish)
      if (signal.aborted) finish()
    })
  }

  release(name: string): void {
    for (const finish of [...(this.#waiting.get(name) ?? [])]) finish()
  }

  releaseAll(): void {
    for (const name of [...this.#waiting.keys()]) this.release(name)
  }
}

export type { Resource }
