/** `fs:delete`: removes files and directories of the workspace. */
import { fits, safePath } from '../tree.ts'
import { listOf } from './input.ts'
import type { Action } from './types.ts'

const name = 'fs:delete'

export const fsDelete: Action = {
  name,
  description: 'Removes files and directories of the workspace: files.',
  pure: true,
  run: async ({ workspace }, input) => {
    const globs = listOf(name, input, 'files').map(safePath)
    const doomed = [...workspace.keys()].filter((path) => fits(path, globs))
    for (const path of doomed) workspace.delete(path)
    return { message: `${doomed.length} files` }
  },
}
