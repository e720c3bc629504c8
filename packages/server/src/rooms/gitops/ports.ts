/** What room gitops needs of whatever keeps repositories. */
import type { ConfigFile } from './parse.ts'

export interface ConfigPlace {
  team: string
  name: string
  hosted: boolean
}

export interface Repositories {
  /** Where a repository that is kept here is pushed to. */
  urlOf: (team: string, name: string) => string
  /** Newest commit of a branch; undefined while there is none. */
  head: (place: ConfigPlace, branch: string) => Promise<string | undefined>
  /** Brings the newest commit of a branch from elsewhere; throws CONFIG_REPO_UNREACHABLE. */
  fetch: (place: { team: string; name: string }, from: { url: string; branch: string; token: string | undefined }, signal: AbortSignal) => Promise<void>
  words: (place: ConfigPlace, commit: string) => Promise<{ message: string; author: string }>
  /** Its YAML files; throws CONFIG_REPO_INVALID for what cannot be taken. */
  files: (place: ConfigPlace, commit: string, under: string) => Promise<ConfigFile[]>
  /** Commits one changed file on top of `head`; throws when the branch was moved meanwhile. */
  write: (place: ConfigPlace, branch: string, head: string, file: string, content: string, words: { message: string; at: string }) => Promise<string>
}
