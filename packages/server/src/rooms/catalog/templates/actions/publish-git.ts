/** `publish:git`: pushes to a repository of another host. */
import { optionalText, textOf, wrongInput } from './input.ts'
import { firstMessage, remembering } from './publish-pavior.ts'
import type { Action } from './types.ts'

const name = 'publish:git'

export const publishGit: Action = {
  name,
  description: 'Pushes to an empty repository of another host: url, username, defaultBranch; the token is the secret "token" of the run.',
  pure: false,
  check: async (_context, input) => {
    const url = address(textOf(name, input, 'url'))
    return { remoteUrl: url, repoContentsUrl: url }
  },
  run: async (context, input) => {
    const { deps, run, secrets, signal } = context
    const url = address(textOf(name, input, 'url'))
    const { token } = secrets
    const words = {
      message: optionalText(name, input, 'defaultCommitMessage') ?? firstMessage(context),
      author: { name: run.requestedBy, email: `${run.requestedBy.replaceAll(/[^A-Za-z0-9._-]/g, '-')}@users.invalid` },
      at: run.startedAt,
    }
    const credentials = token === undefined ? undefined : { username: optionalText(name, input, 'username') ?? 'oauth2', token }
    const { commit } = await deps.repositories.push(url, optionalText(name, input, 'defaultBranch') ?? 'main', credentials, remembering(context), words, signal)
    return { output: { commit, commitHash: commit, remoteUrl: url, repoContentsUrl: url }, message: `${url} · ${commit.slice(0, 10)}` }
  },
  undo: async (_context, input) => `The repository ${textOf(name, input, 'url')} keeps what was pushed; delete it there if nobody needs it.`,
}

/** Only addresses that git reaches over HTTP, and none that carries a secret. */
function address(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['https:', 'http:'].includes(url.protocol)) throw wrongInput(name, `"url" is ${JSON.stringify(text.slice(0, 200))}, which is no https address.`)
  if (url.username || url.password) throw wrongInput(name, '"url" holds a user or password; give the token as the secret "token" of the run.')
  return url.href
}
