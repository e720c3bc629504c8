/** `fetch:plain`: copies files of the template into the workspace as they are. */
import { addFiles } from '../tree.ts'
import { fetched, under } from './fetch-template.ts'
import { optionalText } from './input.ts'
import type { Action } from './types.ts'

const name = 'fetch:plain'

export const fetchPlain: Action = {
  name,
  description: 'Copies files of the template as they are: url, targetPath.',
  pure: true,
  run: async ({ template, workspace }, input) => {
    const found = fetched(name, template.files, input)
    const prefix = optionalText(name, input, 'targetPath')
    addFiles(workspace, [...found].map(([path, file]) => [under(prefix, path), file]))
    return { message: `${found.size} files` }
  },
}
