/**
 * What the platform itself writes into repositories: the first commit of an app, branches that propose a change, and a
 * push to another host. Commits are made by `git fast-import` from memory, with dates of their own, so that the same
 * commit made twice is the same commit.
 */
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '@pavior/contract'
import { ensureRepository, gitEnv, repositoryPath, type GitDeps } from './git.ts'
import { exists } from './workspace.ts'

const run = promisify(execFile)
const largestOutput = 64 * 1024 * 1024
/** A push to another host takes no longer. */
const pushTimeoutMs = 60_000
const longestDiff = 400_000
/** What is older than these is not looked for. */
const mostCommits = 5000
const committer = 'Pavior <pavior@users.invalid>'

type Files = ReadonlyMap<string, { content: Buffer; executable: boolean }>

interface Words {
  message: string
  author: { name: string; email: string }
  at: string
}

export interface Touched {
  commit: string
  author: string
  /** ISO 8601, as the author's machine had it. */
  at: string
}

export interface Proposal {
  branch: string
  commit: string
  diff: string
  files: { path: string; change: 'added' | 'changed' | 'removed' | 'conflict' }[]
  conflicts: string[]
}

export class PlatformRepositories {
  readonly #deps: GitDeps

  constructor(deps: GitDeps) {
    this.#deps = deps
  }

  urlOf(team: string, app: string): string {
    return `${this.#deps.apiUrl()}/git/${team}/${app}.git`
  }

  async begin(team: string, app: string, files: Files, words: Words): Promise<{ commit: string; url: string }> {
    const path = await ensureRepository(this.#deps, team, app)
    const commit = await commitFiles(path, 'refs/pavior/begin', files, words)
    const main = await refOf(path, 'refs/heads/main')
    if (main !== undefined && main !== commit) throw fail('NAME_TAKEN', { message: `The repository of "${app}" in team ${team} holds other commits already.`, fix: 'Choose another name, or push to that repository.' })
    await git(path, ['update-ref', 'refs/heads/main', commit])
    return { commit, url: this.urlOf(team, app) }
  }

  /** With every branch and every hook; nothing happens when there is none. */
  async remove(team: string, app: string): Promise<void> {
    await rm(repositoryPath(this.#deps.root, team, app), { recursive: true, force: true })
  }

  async holds(team: string, app: string): Promise<boolean> {
    const path = repositoryPath(this.#deps.root, team, app)
    return (await exists(join(path, 'HEAD'))) && (await refOf(path, 'refs/heads/main')) !== undefined
  }

  async read(team: string, app: string, file: string): Promise<string | undefined> {
    const path = repositoryPath(this.#deps.root, team, app)
    if (!(await exists(join(path, 'HEAD')))) return undefined
    return git(path, ['cat-file', 'blob', `refs/heads/main:${file}`]).catch(() => undefined)
  }

  /**
   * The last commit that touched each of these files, as seen from a commit; undefined when the commit is not here (yet: what
   * is being pushed arrives when the push ends). Files that nothing in the newest commits touched are left out.
   */
  async lastTouched(team: string, app: string, commit: string, paths: readonly string[]): Promise<Map<string, Touched> | undefined> {
    const path = repositoryPath(this.#deps.root, team, app)
    if (!(await exists(join(path, 'HEAD'))) || (await refOf(path, `${commit}^{commit}`)) === undefined) return undefined
    const args = ['-c', 'core.quotePath=false', 'log', `--max-count=${mostCommits}`, '--no-renames', '--format=%x1e%H%x1f%an%x1f%aI', '--name-only', commit, '--', ...paths.map((file) => `:(literal)${file}`)]
    return touchedOf(await git(path, args), new Set(paths))
  }

  async propose(team: string, app: string, { base, theirs }: { base: Files; theirs: Files }, branch: string, words: Words, dryRun: boolean): Promise<Proposal | undefined> {
    const path = repositoryPath(this.#deps.root, team, app)
    const main = (await exists(join(path, 'HEAD'))) ? await refOf(path, 'refs/heads/main') : undefined
    if (main === undefined) throw fail('UPGRADE_IMPOSSIBLE', { message: `The app "${app}" has no commit in a repository here.`, fix: 'Push its repository first: pavior init && git push pavior main' })
    // Commits with the base as their common ancestor: what git merges, whatever the history of main is.
    const own = `refs/pavior/merge-${randomUUID()}`
    const from = await commitFiles(path, `${own}-base`, base, words)
    const to = await commitFiles(path, `${own}-theirs`, theirs, words, from)
    for (const ref of [`${own}-base`, `${own}-theirs`]) await git(path, ['update-ref', '-d', ref])
    const ours = await commitTree(path, `${main}^{tree}`, from, words)
    const { tree, conflicts } = await mergeTrees(path, ours, to)
    if (tree === (await git(path, ['rev-parse', `${main}^{tree}`])).trim()) return undefined
    const commit = await commitTree(path, tree, main, words)
    if (!dryRun) await git(path, ['update-ref', `refs/heads/${branch}`, commit])
    const diff = await git(path, ['diff', '--no-color', '--no-ext-diff', '--src-prefix=', '--dst-prefix=', main, commit])
    const changes = (await git(path, ['diff', '--no-renames', '--name-status', '-z', main, commit])).split('\0')
    const files = Array.from({ length: Math.floor(changes.length / 2) }, (_, index) => ({ letter: changes[index * 2]!, path: changes[index * 2 + 1]! })).map(({ letter, path: file }) => ({
      path: file,
      change: conflicts.includes(file) ? ('conflict' as const) : letter === 'A' ? ('added' as const) : letter === 'D' ? ('removed' as const) : ('changed' as const),
    }))
    return { branch, commit, diff: diff.slice(0, longestDiff), files, conflicts }
  }

  async push(url: string, branch: string, credentials: { username: string; token: string } | undefined, files: Files, words: Words, signal: AbortSignal): Promise<{ commit: string }> {
    const directory = await mkdtemp(join(tmpdir(), 'pavior-push-'))
    try {
      await run('git', ['init', '--quiet', '--bare', '-b', branch, directory], { env: gitEnv })
      const commit = await commitFiles(directory, `refs/heads/${branch}`, files, words)
      // The token goes through a file of ours alone: it stands in no argument and in no address.
      const askpass = join(directory, 'askpass.sh')
      await writeFile(askpass, '#!/bin/sh\ncase "$1" in Username*) printf %s "$PAVIOR_GIT_USER" ;; *) printf %s "$PAVIOR_GIT_TOKEN" ;; esac\n', { mode: 0o700 })
      const secrets = credentials ? { GIT_ASKPASS: askpass, PAVIOR_GIT_USER: credentials.username, PAVIOR_GIT_TOKEN: credentials.token } : {}
      await run('git', ['-C', directory, '-c', 'http.followRedirects=false', '-c', 'credential.helper=', 'push', '--quiet', url, `refs/heads/${branch}:refs/heads/${branch}`], {
        env: { ...gitEnv, GIT_TERMINAL_PROMPT: '0', ...secrets },
        timeout: pushTimeoutMs,
        signal,
      }).catch((error: Error & { stderr?: string }) => {
        signal.throwIfAborted()
        throw pushProblem(url, String(error.stderr ?? error.message), credentials?.token)
      })
      return { commit }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** Newest first: the first that names a file counts. */
function touchedOf(output: string, wanted: ReadonlySet<string>): Map<string, Touched> {
  const touched = new Map<string, Touched>()
  for (const entry of output.split('\x1e')) {
    const [head = '', ...files] = entry.split('\n')
    const [commit = '', author = '', at = ''] = head.split('\x1f')
    if (Number.isNaN(Date.parse(at))) continue
    for (const file of files) if (wanted.has(file) && !touched.has(file)) touched.set(file, { commit, author, at })
  }
  return touched
}

function pushProblem(url: string, stderr: string, token: string | undefined): Error {
  const shown = (token ? stderr.replaceAll(token, '[redacted]') : stderr).trim().split('\n').slice(-4).join(' ').slice(0, 500)
  // git says a status as "returned error: 403"; a bare number may as well be a port.
  const refused = /rejected|denied|Authentication failed|could not read (Username|Password)|returned error: 4\d\d|not found|terminal prompts disabled/i.test(shown.replaceAll(url, ''))
  return refused
    ? fail('REPOSITORY_REFUSED', { message: `The repository ${url} did not take the push.`, why: shown })
    : fail('REPOSITORY_UNREACHABLE', { message: `The repository host at ${new URL(url).host} does not answer.`, why: shown })
}

async function git(path: string, args: string[]): Promise<string> {
  return (await run('git', ['-C', path, ...args], { env: gitEnv, maxBuffer: largestOutput })).stdout
}

async function refOf(path: string, ref: string): Promise<string | undefined> {
  return git(path, ['rev-parse', '--verify', '--quiet', ref]).then(
    (text) => text.trim(),
    () => undefined,
  )
}

/** A commit with exactly these files, without a parent unless one is given. Returns its id; `ref` points to it afterwards. */
async function commitFiles(path: string, ref: string, files: Files, words: Words, parent?: string): Promise<string> {
  const child = spawn('git', ['-C', path, 'fast-import', '--quiet', '--force'], { env: gitEnv, stdio: ['pipe', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-1000)
  })
  child.stdin.on('error', () => {})
  const gone = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(fail('INTERNAL', { message: 'git could not take the files of a commit.', why: errors }))))
  })
  child.stdin.end(Buffer.concat(importStream(ref, files, words, parent)))
  await gone
  return (await refOf(path, ref))!
}

function importStream(ref: string, files: Files, { message, author, at }: Words, parent: string | undefined): Buffer[] {
  const stamp = `${Math.floor(Date.parse(at) / 1000)} +0000`
  const clean = (text: string): string => text.replaceAll(/[<>\n\0]/g, ' ').trim()
  const text = Buffer.from(`${message.trim()}\n`)
  const head = [`reset ${ref}\n\ncommit ${ref}\n`, `author ${clean(author.name) || 'unknown'} <${clean(author.email)}> ${stamp}\n`, `committer ${committer} ${stamp}\n`, `data ${text.length}\n`]
  const changes = [...files]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([path, { content, executable }]) => [Buffer.from(`M ${executable ? '100755' : '100644'} inline ${JSON.stringify(path)}\ndata ${content.length}\n`), content, Buffer.from('\n')])
  return [Buffer.from(head.join('')), text, Buffer.from(parent === undefined ? '' : `from ${parent}\n`), Buffer.from('deleteall\n'), ...changes, Buffer.from('done\n')]
}

async function commitTree(path: string, tree: string, parent: string, { message, author, at }: Words): Promise<string> {
  const dates = { GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at, GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email, GIT_COMMITTER_NAME: 'Pavior', GIT_COMMITTER_EMAIL: 'pavior@users.invalid' }
  const { stdout } = await run('git', ['-C', path, 'commit-tree', tree, '-p', parent, '-m', message], { env: { ...gitEnv, ...dates } })
  return stdout.trim()
}

/** The merged tree; files with conflicts hold their markers. */
async function mergeTrees(path: string, ours: string, theirs: string): Promise<{ tree: string; conflicts: string[] }> {
  const args = ['-C', path, '-c', 'merge.conflictStyle=diff3', 'merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ours, theirs]
  const stdout = await run('git', args, { env: gitEnv, maxBuffer: largestOutput }).then(
    (result) => result.stdout,
    (error: Error & { code?: number; stdout?: string }) => {
      // 1: merged, with conflicts.
      if (error.code === 1 && error.stdout) return error.stdout
      throw error
    },
  )
  const [tree = '', ...rest] = stdout.split('\0')
  return { tree: tree.trim(), conflicts: [...new Set(rest.filter(Boolean))] }
}
