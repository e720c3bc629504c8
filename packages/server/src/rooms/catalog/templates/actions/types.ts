import type { AppSpec, Resource } from '@pavior/contract'
import type { Actor } from '../../../../kernel/actor.ts'
import type { Database } from '../../../../kernel/db/index.ts'
import type { Resources } from '../../../../kernel/resources/index.ts'
import type { Deploys, Repositories, TemplateRenderer } from '../../ports.ts'
import type { Tree } from '../tree.ts'

export type App = Resource<AppSpec>

/** What actions work with. */
export interface ActionDeps {
  database: Database
  resources: Resources
  renderer: TemplateRenderer
  repositories: Repositories
  deploys: Deploys
}

export interface ActionContext {
  deps: ActionDeps
  /** In whose name it acts: who asked for the run, in this team only. */
  actor: Actor
  team: string
  /** Identity of the run: what it made carries it, so that it is known again after a crash. */
  run: { uid: string; name: string; startedAt: string; requestedBy: string }
  template: { team: string; name: string; version: string; files: Tree }
  answers: Record<string, unknown>
  secrets: Record<string, string>
  /** Files made so far. */
  workspace: Tree
  /** Outputs of earlier steps, by id. */
  outputs: Record<string, Record<string, unknown>>
  signal: AbortSignal
  log: (line: string) => Promise<void>
}

export type Input = Record<string, unknown>

export interface Action {
  name: string
  description: string
  /** Changes only the workspace: done again, and alike, whenever the workspace is needed. */
  pure: boolean
  /** May be called again after a crash in its middle and then must not do anything twice. */
  run(context: ActionContext, input: Input): Promise<{ output?: Record<string, unknown>; message?: string }>
  /** What can be said before anything is done; throws what would make `run` fail. */
  check?(context: ActionContext, input: Input): Promise<Record<string, unknown>>
  /** Takes back what `run` did; returns a sentence on what is left, when something is. */
  undo?(context: ActionContext, input: Input): Promise<string | undefined>
}
