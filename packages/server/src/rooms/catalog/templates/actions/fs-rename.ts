/** `fs:rename`: moves files and directories within the workspace. */
import { addFiles, safePath } from '../tree.ts'
import { isRecord } from '../plan.ts'
import { textOf, wrongInput } from './input.ts'
import type { Action } from './types.ts'

const name = 'fs:rename'

export const fsRename: Action = {
  name,
  description: 'Moves files and directories within the workspace: files with from, to and overwrite.',
  pure: true,
  run: async ({ workspace }, input) => {
    if (!Array.isArray(input.files)) throw wrongInput(name, '"files" is not a list.')
    for (const file of input.files as unknown[]) {
      if (!isRecord(file)) throw wrongInput(name, 'an entry of "files" is not an object.')
      const from = safePath(textOf(name, file, 'from'))
      const to = safePath(textOf(name, file, 'to'))
      const moved = [...workspace].filter(([path]) => path === from || path.startsWith(`${from}/`))
      if (moved.length === 0) throw wrongInput(name, `there is no ${JSON.stringify(from)}.`)
      const target = (path: string): string => `${to}${path.slice(from.length)}`
      const taken = moved.map(([path]) => target(path)).find((path) => workspace.has(path))
      if (taken !== undefined && file.overwrite !== true) throw wrongInput(name, `${JSON.stringify(taken)} is there already.`)
      for (const [path] of moved) workspace.delete(path)
      addFiles(workspace, moved.map(([path, content]) => [target(path), content]))
    }
    return { message: `${input.files.length} moved` }
  },
}
