/** Every action that a template may use. */
import { catalogRegister } from './catalog-register.ts'
import { debugLog } from './debug-log.ts'
import { fetchPlain } from './fetch-plain.ts'
import { fetchTemplate } from './fetch-template.ts'
import { fsDelete } from './fs-delete.ts'
import { fsRename } from './fs-rename.ts'
import { paviorDeploy } from './pavior-deploy.ts'
import { publishGit } from './publish-git.ts'
import { publishPavior } from './publish-pavior.ts'
import type { Action } from './types.ts'

export const actions: ReadonlyMap<string, Action> = new Map(
  [fetchTemplate, fetchPlain, fsDelete, fsRename, debugLog, publishPavior, publishGit, catalogRegister, paviorDeploy].map((action) => [action.name, action]),
)
