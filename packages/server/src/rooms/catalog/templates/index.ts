/** Golden paths: templates, and the runs that make apps of them. */
import type { Actor } from '../../../kernel/actor.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { SourceFiles } from '../ports.ts'
import { createRunReconciler, type RunDeps } from './reconcile.ts'
import { registerBuiltIn } from './registry.ts'
import { templateRoutes, type TemplateRoutesDeps } from './routes.ts'
import { RunLogs } from './run-log.ts'
import { createSealer } from '../../../kernel/sealer.ts'
import { createBirthReconciler, upgrade, type Upgrade, type UpgradeRequest } from './upgrade.ts'

export interface TemplateDeps extends Omit<RunDeps, 'sealer' | 'logs'>, Pick<TemplateRoutesDeps, 'changes' | 'intake' | 'defaultTeam'> {
  /** File of the key that secrets of runs are sealed with. */
  keyFile: string
  /** Directory of the templates that come with Pavior. */
  builtIn: string
  sources: SourceFiles
  log: Logger
}

export interface Templates {
  reconcilers: Reconciler[]
  routes: Routes[]
  parts: Part[]
  /** Proposes another version of its template to an app. */
  upgrade: (actor: Actor, request: UpgradeRequest, signal: AbortSignal) => Promise<Upgrade>
}

export function createTemplates(given: TemplateDeps): Templates {
  const deps = { ...given, sealer: createSealer(given.keyFile), logs: new RunLogs() }
  return { reconcilers: [createRunReconciler(deps), createBirthReconciler(deps)], routes: [templateRoutes(deps)], parts: [builtInTemplates(given)], upgrade: (actor, request, signal) => upgrade(deps, actor, request, signal) }
}

/** Registered beside the start, so that nobody waits for it. */
function builtInTemplates({ builtIn, defaultTeam, log, ...deps }: TemplateDeps): Part {
  let registering: Promise<void> = Promise.resolve()
  return {
    name: 'built-in templates',
    start: async () => {
      registering = registerBuiltIn(deps, builtIn, defaultTeam, (name, error) => log.warn({ name, err: error.message }, 'a template that comes with Pavior could not be registered')).then(
        (names) => {
          if (names.length > 0) log.info({ names }, 'registered templates')
        },
        (error: Error) => log.warn({ err: error.message }, 'the templates that come with Pavior could not be registered'),
      )
    },
    stop: () => registering,
  }
}
