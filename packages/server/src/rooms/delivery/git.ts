/**
 * Git over HTTP: `git http-backend` does the protocol, a pre-receive hook deploys.
 *
 * The hook of the deployed branch hands the pushed tree to the API and relays the progress as `remote:` lines. When the
 * deploy fails the push is refused, so the branch always holds what was deployed last, and the same push may be tried again.
 */
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import { fail } from '@pavior/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { exists } from './workspace.ts'

const run = promisify(execFile)
const longestHeaderBytes = 16 * 1024

export interface GitDeps {
  /** `git/`: one bare repository an app. */
  root: string
  /** Program that the hook runs: argument array. */
  hookCommand: string[]
  /** Where the hook reaches the API. */
  apiUrl: () => string
  /** Told when a push has ended and its commits are in the repository. */
  pushed: (team: string, app: string) => Promise<void>
}

export function repositoryPath(root: string, team: string, app: string): string {
  return join(root, team, `${app}.git`)
}

/** A bare repository whose pushes are deployed, or applied where it declares resources. The hook is written anew each time, because the program may have moved. */
export async function ensureRepository({ root, hookCommand }: GitDeps, team: string, app: string, declares = false): Promise<string> {
  const path = repositoryPath(root, team, app)
  if (!(await exists(join(path, 'HEAD')))) {
    const unfinished = `${path}.new-${process.pid}`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    await run('git', ['init', '--quiet', '--bare', '-b', 'main', unfinished], { env: gitEnv })
    // A clone of depth 1, as CI has it, may push: what it lacks is not needed to deploy it.
    const settings: [string, string][] = [['http.receivepack', 'true'], ['receive.shallowUpdate', 'true'], ['receive.denyDeleteCurrent', 'ignore'], ['receive.fsckObjects', 'true'], ['receive.autogc', 'false'], ['core.logAllRefUpdates', 'true'], ['receive.advertisePushOptions', 'true']]
    for (const [name, value] of settings) await run('git', ['-C', unfinished, 'config', name, value], { env: gitEnv })
    await rename(unfinished, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  }
  await mkdir(join(path, 'hooks'), { recursive: true })
  for (const name of declares ? ['pre-receive', 'post-receive'] : ['pre-receive']) {
    const hook = join(path, 'hooks', name)
    await writeFile(hook, `#!/bin/sh\nexec ${[...hookCommand, name].map(quote).join(' ')}\n`)
    await chmod(hook, 0o755)
  }
  return path
}

/** For the one place where a file of shell is written: our own paths, which may hold spaces. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** Git must not read the settings of whoever runs the server. */
export const gitEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nonexistent', LC_ALL: 'C.UTF-8' }

export interface GitRequest {
  team: string
  app: string
  /** `info/refs`, `git-upload-pack` or `git-receive-pack`. */
  service: string
  /** Token of the pusher, for the hook. */
  authorization: string
  actorName: string
  /** Branch whose commits are applied, of a repository that declares resources. */
  declares?: string
}

export async function serveGit(deps: GitDeps, request: FastifyRequest, reply: FastifyReply, { team, app, service, authorization, actorName, declares }: GitRequest): Promise<void> {
  const repository = await ensureRepository(deps, team, app, declares !== undefined)
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...gitEnv,
      GIT_PROJECT_ROOT: repository,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${service}`,
      QUERY_STRING: request.raw.url?.split('?')[1] ?? '',
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: actorName,
      REMOTE_ADDR: request.ip,
      ...(request.headers['git-protocol'] ? { GIT_PROTOCOL: String(request.headers['git-protocol']) } : {}),
      // Which repository the push is for, and as whom the hook speaks to the API.
      PAVIOR_HOOK_URL: deps.apiUrl(),
      PAVIOR_HOOK_TEAM: team,
      PAVIOR_HOOK_APP: app,
      PAVIOR_HOOK_DECLARES: declares ?? '',
      PAVIOR_HOOK_AUTHORIZATION: authorization,
      PAVIOR_HOOK_REQUEST: request.id,
    },
  })
  reply.hijack()
  const { raw } = reply
  raw.on('close', () => {
    if (child.exitCode === null) child.kill('SIGTERM')
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000)
  })
  child.on('error', (error) => {
    raw.writeHead(500, { 'content-type': 'text/plain' }).end(`git could not be started: ${error.message}\n`)
  })
  const input = request.headers['content-encoding'] === 'gzip' ? pipeline(request.raw, createGunzip(), child.stdin) : pipeline(request.raw, child.stdin)
  input.catch(() => child.stdin.destroy())
  await relayResponse(child.stdout, raw).catch((error: Error) => {
    request.log.warn({ err: error.message, git: errors }, 'git did not answer properly')
    if (!raw.headersSent) raw.writeHead(500, { 'content-type': 'text/plain' }).end('git failed\n')
    else raw.destroy()
  })
  // Only now its commits are in the repository: the deploy that the hook made is older.
  if (service === 'git-receive-pack' && declares === undefined) await deps.pushed(team, app)
}

/** CGI: header lines, an empty line, the body. */
async function relayResponse(output: NodeJS.ReadableStream, raw: FastifyReply['raw']): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of output as AsyncIterable<Buffer>) {
    if (head === undefined) {
      if (!raw.write(chunk)) await new Promise((resolve) => raw.once('drain', resolve).once('close', resolve))
      continue
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) {
      if (head.length > longestHeaderBytes) throw fail('INTERNAL', 'The response of git has no end of headers.')
      continue
    }
    writeHead(head.subarray(0, end).toString('latin1'), raw)
    if (head.length > end + 4) raw.write(head.subarray(end + 4))
    head = undefined
  }
  if (head !== undefined) throw fail('INTERNAL', 'git ended without an answer.')
  raw.end()
}

function writeHead(text: string, raw: FastifyReply['raw']): void {
  let status = 200
  const headers: [string, string][] = []
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number(value.slice(0, 3))
    else headers.push([name, value])
  }
  for (const [name, value] of headers) raw.setHeader(name, value)
  raw.writeHead(status)
}
