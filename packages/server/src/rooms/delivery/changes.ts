/** What changed between two revisions: the files of their sources, and the commits when the app's repository is hosted here. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { basename, dirname } from 'node:path'
import type { Revision } from '@pavior/contract'
import { exists } from './workspace.ts'
import { gitEnv, repositoryPath } from './git.ts'
import type { SourceStore } from './ports.ts'

const run = promisify(execFile)
/** A page shows so much at most; more is told in numbers. */
const patchBytes = 400 * 1024
const listBytes = 8 * 1024 * 1024
const mostCommits = 100
const gitTimeoutMs = 20_000
const field = '%x1f'

export interface Commit {
  commit: string
  author: string
  /** ISO 8601. */
  time: string
  subject: string
}

export interface FileChange {
  path: string
  /** Lines; undefined for a binary file. */
  added?: number
  removed?: number
}

export interface SourceChanges {
  /** Newest first; undefined when the commits are not hosted here. */
  commits?: Commit[]
  /** Undefined when one of the sources is no longer kept. */
  files?: FileChange[]
  /** Unified diff of the files. */
  patch?: string
  /** The patch was too long and is left out or cut. */
  cut?: boolean
}

export interface ChangesDeps {
  sources: Pick<SourceStore, 'has' | 'directoryOf'>
  /** Where the repositories are. */
  gitRoot: string
}

/** `from` may be older or newer than `to`. */
export async function sourceChanges({ sources, gitRoot }: ChangesDeps, team: string, app: string, from: Revision, to: Revision): Promise<SourceChanges> {
  const commits = from.commit && to.commit ? await commitsBetween(repositoryPath(gitRoot, team, app), from.commit, to.commit) : undefined
  const found = commits === undefined ? {} : { commits }
  if (from.source === to.source) return { ...found, files: [], patch: '' }
  if (!(await sources.has(from.source)) || !(await sources.has(to.source))) return found
  const [one, other] = [sources.directoryOf(from.source), sources.directoryOf(to.source)]
  const files = filesOf(await compare(one, other, ['--numstat', '-z', '--no-renames'], listBytes), basename(one), basename(other))
  const patch = await compare(one, other, ['--patch', '--no-renames'], patchBytes).catch(() => undefined)
  return { ...found, files, ...(patch === undefined ? { cut: true } : { patch: withoutPlaces(patch, [basename(one), basename(other)]) }) }
}

/** Undefined when the repository does not have them. */
async function commitsBetween(repository: string, from: string, to: string): Promise<Commit[] | undefined> {
  if (!(await exists(repository))) return undefined
  const args = ['-C', repository, 'log', `--max-count=${mostCommits}`, `--format=%H${field}%an${field}%aI${field}%s`, `${from}..${to}`, '--']
  const answer = await run('git', args, { env: gitEnv, timeout: gitTimeoutMs, maxBuffer: listBytes }).catch(() => undefined)
  return answer?.stdout.split('\n').filter(Boolean).map((line) => {
    const [commit = '', author = '', time = '', subject = ''] = line.split('\x1f')
    return { commit, author, time, subject }
  })
}

/** Git compares any two directories; it ends with 1 when they differ. */
async function compare(one: string, other: string, how: string[], maxBuffer: number): Promise<string> {
  const args = ['-c', 'core.quotePath=false', 'diff', '--no-index', '--no-ext-diff', '--no-textconv', '--no-color', '--src-prefix=', '--dst-prefix=', ...how, '--', basename(one), basename(other)]
  try {
    return (await run('git', args, { cwd: dirname(one), env: gitEnv, timeout: gitTimeoutMs, maxBuffer })).stdout
  } catch (error) {
    const { code, stdout } = error as { code?: number | string; stdout?: string }
    if (code === 1) return stdout ?? ''
    throw error
  }
}

/** `--numstat -z` of two directories: added, removed, then both paths, of which one is /dev/null for a file that is new or gone. */
export function filesOf(output: string, one: string, other: string): FileChange[] {
  const parts = output.split('\0')
  const files: FileChange[] = []
  for (let index = 0; index < parts.length; index++) {
    const [added = '', removed = '', single = ''] = parts[index]!.split('\t')
    if (removed === '') continue
    const paths = single === '' ? [parts[++index]!, parts[++index]!] : [single]
    const path = paths.findLast((each) => each !== '/dev/null') ?? ''
    const places = [`${one}/`, `${other}/`]
    const short = places.reduce((rest, place) => (rest.startsWith(place) ? rest.slice(place.length) : rest), path)
    files.push({ path: short, ...(added === '-' ? {} : { added: Number(added), removed: Number(removed) }) })
  }
  return files.toSorted((first, second) => (first.path < second.path ? -1 : 1))
}

/** The names of our directories say nothing to a reader. */
export function withoutPlaces(patch: string, places: string[]): string {
  const [one, other] = places as [string, string]
  return patch
    .split('\n')
    .map((line) => (/^(diff --git |--- |\+\+\+ |Binary files )/.test(line) ? line.replaceAll(`${one}/`, '').replaceAll(`${other}/`, '') : line))
    .join('\n')
}
