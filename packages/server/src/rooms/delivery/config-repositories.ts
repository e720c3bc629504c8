/** Repositories that declare resources: those that are kept here, and copies of those elsewhere. Whoever writes them is not trusted. */
import { execFile, spawn } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '@pavior/contract'
import { ensureRepository, gitEnv, repositoryPath, type GitDeps } from './git.ts'
import { exists } from './workspace.ts'

const run = promisify(execFile)
const fetchTimeoutMs = 30_000
const largestFile = 256 * 1024
const largestTree = 4 * 1024 * 1024
const mostFiles = 1000
const largestListing = 32 * 1024 * 1024

export interface ConfigFile {
  path: string
  content: Buffer
}

/** Where the files of a repository are read. */
export interface ConfigPlace {
  team: string
  name: string
  hosted: boolean
}

export interface CommitWords {
  message: string
  author: string
}

/** In the environment, where no other process sees it; forges take any name with a token. */
function withToken(token: string | undefined): Record<string, string> {
  if (token === undefined) return {}
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.extraHeader', GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`pavior:${token}`).toString('base64')}` }
}

export class ConfigRepositories {
  readonly #git: GitDeps
  readonly #copies: string

  /** `copies`: directory for what is fetched from elsewhere. */
  constructor(git: GitDeps, copies: string) {
    this.#git = git
    this.#copies = copies
  }

  urlOf(team: string, name: string): string {
    return `${this.#git.apiUrl()}/git/${team}/${name}.git`
  }

  /** Newest commit of a branch; undefined while there is none. */
  async head(place: ConfigPlace, branch: string): Promise<string | undefined> {
    const path = this.#pathOf(place)
    if (!(await exists(join(path, 'HEAD')))) return undefined
    return git(path, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]).then((text) => text.toString().trim(), () => undefined)
  }

  /** Brings the newest commit of a branch from elsewhere. Throws CONFIG_REPO_UNREACHABLE. */
  async fetch({ team, name }: Omit<ConfigPlace, 'hosted'>, { url, branch, token }: { url: string; branch: string; token: string | undefined }, signal: AbortSignal): Promise<void> {
    const path = this.#pathOf({ team, name, hosted: false })
    await mkdir(path, { recursive: true, mode: 0o700 })
    if (!(await exists(join(path, 'HEAD')))) await run('git', ['init', '--quiet', '--bare', '-b', 'main', path], { env: gitEnv })
    // Nothing but the branch, and nothing that a server could lead elsewhere.
    const args = ['-C', path, '-c', 'http.followRedirects=false', '-c', 'credential.helper=', '-c', 'protocol.allow=never', '-c', 'protocol.http.allow=always', '-c', 'protocol.https.allow=always', '-c', 'transfer.fsckObjects=true',
      'fetch', '--quiet', '--force', '--no-tags', '--depth=1', '--end-of-options', url, `+refs/heads/${branch}:refs/heads/${branch}`]
    await run('git', args, { env: { ...gitEnv, ...withToken(token), GIT_TERMINAL_PROMPT: '0', GIT_HTTP_LOW_SPEED_LIMIT: '100', GIT_HTTP_LOW_SPEED_TIME: '20' }, timeout: fetchTimeoutMs, killSignal: 'SIGKILL', signal }).catch((error: Error & { stderr?: string; killed?: boolean }) => {
      signal.throwIfAborted()
      const why = error.killed ? `It took longer than ${fetchTimeoutMs / 1000} s.` : String(error.stderr ?? error.message).trim().split('\n').slice(-3).join(' ').slice(0, 400)
      throw fail('CONFIG_REPO_UNREACHABLE', { message: `The branch ${branch} of ${url} could not be fetched.`, why })
    })
  }

  async words(place: ConfigPlace, commit: string): Promise<CommitWords> {
    const [message = '', author = ''] = (await git(this.#pathOf(place), ['log', '--no-walk', '--format=%s%n%an <%ae>', commit])).toString().split('\n')
    return { message: message.slice(0, 500), author: author.slice(0, 254) }
  }

  /** The YAML files of a commit, below a directory. A commit that is being pushed is read too. Throws CONFIG_REPO_INVALID for what cannot be taken. */
  async files(place: ConfigPlace, commit: string, under: string): Promise<ConfigFile[]> {
    const path = this.#pathOf(place)
    const env = await withIncoming(path)
    const directory = under.replace(/\/+$/, '')
    const listing = await git(path, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit, ...(directory === '' ? [] : ['--', `${directory}/`])], env)
    const entries = listing.toString().split('\0').filter(Boolean).map(entryOf).filter(({ file }) => /\.ya?ml$/i.test(file))
    checkEntries(entries)
    const contents = await blobs(path, entries.map(({ id }) => id), env)
    return entries.map(({ file }, index) => ({ path: file, content: contents[index]! }))
  }

  /** Commits one changed file to a branch that nobody else may have moved meanwhile. Returns the commit. */
  async write(place: ConfigPlace, branch: string, head: string, file: string, content: string, words: { message: string; at: string }): Promise<string> {
    const path = await ensureRepository(this.#git, place.team, place.name, true)
    const index = join(path, `pavior-index-${process.pid}`)
    const env = { ...gitEnv, GIT_INDEX_FILE: index }
    const author = { GIT_AUTHOR_NAME: 'Pavior', GIT_AUTHOR_EMAIL: 'pavior@users.invalid', GIT_COMMITTER_NAME: 'Pavior', GIT_COMMITTER_EMAIL: 'pavior@users.invalid', GIT_AUTHOR_DATE: words.at, GIT_COMMITTER_DATE: words.at }
    const blob = await piped(path, ['hash-object', '-w', '--stdin'], content)
    await git(path, ['read-tree', head], env)
    await git(path, ['update-index', '--cacheinfo', `100644,${blob},${file}`], env)
    const tree = (await git(path, ['write-tree'], env)).toString().trim()
    const commit = (await git(path, ['commit-tree', tree, '-p', head, '-m', words.message], { ...gitEnv, ...author })).toString().trim()
    await git(path, ['update-ref', `refs/heads/${branch}`, commit, head])
    return commit
  }

  #pathOf({ team, name, hosted }: ConfigPlace): string {
    return repositoryPath(hosted ? this.#git.root : this.#copies, team, name)
  }
}

interface Entry {
  mode: string
  id: string
  bytes: number
  file: string
}

/** `<mode> blob <id> <size>\t<path>`, from git-ls-tree(1). */
function entryOf(line: string): Entry {
  const tab = line.indexOf('\t')
  const [mode = '', , id = '', size = ''] = line.slice(0, tab).split(/ +/)
  return { mode, id, bytes: Number(size), file: line.slice(tab + 1) }
}

function checkEntries(entries: Entry[]): void {
  const refuse = (file: string, message: string): never => {
    throw fail('CONFIG_REPO_INVALID', { message: `${file} cannot be used: ${message}`, causes: [{ field: file, message }] })
  }
  if (entries.length > mostFiles) refuse('The commit', `it holds ${entries.length} YAML files; ${mostFiles} are the most.`)
  for (const { mode, bytes, file } of entries) {
    if (!mode.startsWith('100')) refuse(file, 'it is a link, not a file.')
    if (bytes > largestFile) refuse(file, `it has ${Math.round(bytes / 1024)} kB; ${largestFile / 1024} are the most.`)
  }
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > largestTree) refuse('The commit', `its YAML files have ${Math.round(bytes / 1024)} kB together; ${largestTree / 1024} are the most.`)
}

/** Objects of a push that a hook has not let in yet lie in directories of their own. */
async function withIncoming(path: string): Promise<NodeJS.ProcessEnv> {
  const incoming = (await readdir(join(path, 'objects')).catch(() => [])).filter((name) => name.startsWith('tmp_objdir-incoming-') || name.startsWith('incoming-'))
  return incoming.length === 0 ? gitEnv : { ...gitEnv, GIT_ALTERNATE_OBJECT_DIRECTORIES: incoming.map((name) => join(path, 'objects', name)).join(':') }
}

async function git(path: string, args: string[], env: NodeJS.ProcessEnv = gitEnv): Promise<Buffer> {
  return (await run('git', ['-C', path, ...args], { env, maxBuffer: largestListing, encoding: 'buffer' })).stdout
}

function collect(path: string, args: string[], input: string, env: NodeJS.ProcessEnv): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-C', path, ...args], { env, stdio: ['pipe', 'pipe', 'ignore'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(chunks)) : reject(fail('INTERNAL', `git ${args[0]} ended with ${code}.`))))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

async function piped(path: string, args: string[], input: string): Promise<string> {
  return (await collect(path, args, input, gitEnv)).toString().trim()
}

/** `<id> blob <size>\n<content>\n` for each, from git-cat-file(1). */
async function blobs(path: string, ids: string[], env: NodeJS.ProcessEnv): Promise<Buffer[]> {
  if (ids.length === 0) return []
  const output = await collect(path, ['cat-file', '--batch'], `${ids.join('\n')}\n`, env)
  const contents: Buffer[] = []
  for (let at = 0; contents.length < ids.length; ) {
    const lineEnd = output.indexOf(10, at)
    const bytes = Number(output.toString('latin1', at, lineEnd).split(' ')[2])
    contents.push(output.subarray(lineEnd + 1, lineEnd + 1 + bytes))
    at = lineEnd + bytes + 2
  }
  return contents
}
