/** Puts the parts of runbooks together. */
import type { Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import { createRunbookRuns, createRunbookWatch, type RunbookDeps } from './reconcile.ts'
import { runbookRoutes } from './routes.ts'

export { createRunbookRules } from './admission.ts'
export { runbook, runbookRun } from './kinds.ts'
export type { RunbookTools } from './ports.ts'

export function createRunbooks(deps: RunbookDeps & { library: string }): { reconcilers: Reconciler[]; routes: Routes[] } {
  return { reconcilers: [createRunbookRuns(deps), createRunbookWatch(deps)], routes: [runbookRoutes(deps)] }
}
