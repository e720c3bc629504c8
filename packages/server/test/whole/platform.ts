/** A whole Pavior of its own for a test: started as a user would, on free ports and a home of its own, stopped without leftovers. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, onTestFinished } from 'vitest'
import { httpGet } from './http-get.ts'

export const root = fileURLToPath(new URL('../../../..', import.meta.url))
const readyTimeoutMs = 60_000

export interface CliResult {
  code: number
  stdout: string
  stderr: string
}

export interface StatusProcess {
  role: 'server' | 'agent' | 'router' | 'postgresql'
  pid: number
}

export class Platform {
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
  #up: ChildProcess | undefined
  #output = ''
  routerPort = 0
  url = ''

  constructor(home: string) {
    this.home = home
    const { PATH, HOME, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE } = process.env
    this.environment = { PATH, HOME, PAVIOR_HOME: home, NO_COLOR: '1', ...(NODE_EXTRA_CA_CERTS ? { NODE_EXTRA_CA_CERTS } : {}), ...(SSL_CERT_FILE ? { SSL_CERT_FILE } : {}) }
  }

  /** Resolves when it says that it is ready. */
  async start(...flags: string[]): Promise<void> {
    if (!existsSync(join(root, 'dist/cli.mjs'))) throw new Error('dist/ is missing: run `npm run build` first')
    this.#output = ''
    const up = spawn(process.execPath, [join(root, 'bin/pavior'), 'up', '--port', '0', '--router-port', String(this.routerPort), '--no-example', ...flags], { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#up = up
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in time:\n${this.#output}`)), readyTimeoutMs)
      const hear = (chunk: Buffer): void => {
        this.#output += chunk
        if (!/^ {2}Next {5}/m.test(this.#output)) return
        clearTimeout(timer)
        resolve()
      }
      up.stdout.on('data', hear)
      up.stderr.on('data', hear)
      up.on('exit', (code, signal) => {
        clearTimeout(timer)
        reject(new Error(`ended with ${signal ?? code}:\n${this.#output}`))
      })
    })
    this.url = /portal\s+(http\S+)/.exec(this.#output)![1]!
    this.routerPort = Number(/apps\s+http:\/\/<app>\.localhost:(\d+)/.exec(this.#output)![1])
  }

  get output(): string {
    return this.#output
  }

  get upPid(): number {
    return this.#up!.pid!
  }

  /** As Ctrl-C does. */
  async stop(): Promise<void> {
    const up = this.#up
    if (!up || up.exitCode !== null || up.signalCode !== null) return
    const gone = new Promise((resolve) => up.once('exit', resolve))
    up.kill('SIGINT')
    await gone
  }

  cli(args: string[], options: { directory?: string; input?: string; timeoutMs?: number } = {}): Promise<CliResult> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [join(root, 'bin/pavior'), ...args],
        { cwd: options.directory ?? this.home, env: this.environment, timeout: options.timeoutMs ?? 120_000, maxBuffer: 256 * 1024 * 1024 },
        (error, stdout, stderr) => resolve({ code: error ? (typeof error.code === 'number' ? error.code : -1) : 0, stdout, stderr }),
      )
      child.stdin?.on('error', () => {})
      child.stdin?.end(options.input ?? '')
    })
  }

  /** The command with --json, which must succeed. */
  async json<T = any>(args: string[], options: { directory?: string } = {}): Promise<T> {
    const { code, stdout, stderr } = await this.cli([...args, '--json'], options)
    if (code !== 0) throw new Error(`pavior ${args.join(' ')} ended with ${code}:\n${stderr}${stdout}`)
    return JSON.parse(stdout) as T
  }

  async processes(): Promise<StatusProcess[]> {
    return (await this.json<{ processes: StatusProcess[] }>(['status'])).processes
  }

  async pidOf(role: StatusProcess['role']): Promise<number> {
    return (await this.processes()).find((row) => row.role === role)!.pid
  }

  async token(): Promise<string> {
    return (JSON.parse(await readFile(join(this.home, 'cli.json'), 'utf8')) as { token: string }).token
  }

  /** One request through the router, on a connection of its own. */
  get(host: string, path = '/'): ReturnType<typeof httpGet> {
    return httpGet(this.routerPort, host, path)
  }

  async api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number; body: any }> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { authorization: `Bearer ${await this.token()}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : undefined }
  }
}

const started: { platform: Platform; directory: string }[] = []

// At the top of the module: a hook that is registered within another hook is never run.
afterAll(async () => {
  for (const { platform, directory } of started) {
    await platform.stop()
    await rm(directory, { recursive: true, force: true })
  }
})

/** A home below a path with a space, because users have such. */
export async function newPlatform(...flags: string[]): Promise<Platform> {
  return newPlatformWith({}, ...flags)
}

/** The same with settings of its own, by environment variable. */
export async function newPlatformWith(environment: Record<string, string>, ...flags: string[]): Promise<Platform> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior whole '))
  const platform = new Platform(join(directory, 'home'))
  Object.assign(platform.environment, environment)
  await mkdir(platform.home, { recursive: true })
  started.push({ platform, directory })
  await platform.start(...flags)
  return platform
}

/** A directory with these files, gone after the test. */
export async function appDirectory(name: string, files: Record<string, string>): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pavior-app-'))
  const directory = join(parent, name)
  await writeFiles(directory, files)
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  return directory
}

export async function writeFiles(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
}

/** A web process that answers with `text`; `more` runs at start. */
export function webApp(text: string, more = ''): Record<string, string> {
  return {
    'package.json': JSON.stringify({ name: 'app', private: true, scripts: { start: 'node server.js' } }),
    'server.js': `${more}
const server = require('http').createServer((request, response) => response.end(${JSON.stringify(text)}))
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
  }
}

/** Asks until it holds; the signal that there is, where a whole platform is looked at from outside. */
export async function until(what: string, condition: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await condition().catch(() => false)) return
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
