/** Door of room gitops: repositories that declare resources. */
import type { Room } from '../../kernel/room.ts'
import { configRepo } from './kinds.ts'
import { createConfigReconciler, type GitopsDeps } from './reconcile.ts'
import { gitopsRoutes } from './routes.ts'

export { createConfigRules } from './admission.ts'
export const kinds = [configRepo]

export function createGitops(deps: GitopsDeps): Room {
  return { reconcilers: [createConfigReconciler(deps)], routes: [gitopsRoutes(deps)], parts: [], reads: undefined }
}
