/** `debug:log`: says something in the log of the run. */
import { optionalText } from './input.ts'
import type { Action } from './types.ts'

const name = 'debug:log'
const mostListed = 200

export const debugLog: Action = {
  name,
  description: 'Says something in the log of the run: message, listWorkspace.',
  pure: true,
  run: async ({ workspace, log }, input) => {
    const message = optionalText(name, input, 'message') ?? ''
    if (message !== '') await log(message.slice(0, 2000))
    if (input.listWorkspace) for (const path of [...workspace.keys()].toSorted().slice(0, mostListed)) await log(path)
    return { message: message.slice(0, 100) }
  },
}
