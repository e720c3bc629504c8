/**
 * One installation on one machine: embedded PostgreSQL, agent, server. Starts what is missing, restarts whichever of
 * them dies, and ends clearly when that does not help. The agent outlives us unless it is told to stop.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fail, PaviorError, type ErrorObject, type ObservedState } from '@pavior/contract'
import { callAgent, openStream } from './drivers/agent/client.ts'
import { loadConfig, type Config, type LoadedConfig } from './kernel/config/config.ts'
import { startEmbedded, type EmbeddedDatabase } from './kernel/db/index.ts'
import { forbidCoreDumps } from './kernel/lifecycle/core-dumps.ts'
import { createLog, type Logger } from './kernel/log.ts'

const agentStartTimeoutMs = 15_000
const stopTimeoutMs = 20_000
const firstRestartMs = 200
const longestRestartMs = 10_000
/** Deaths within the window after which starting again is pointless. */
const mostDeaths = 6
const deathWindowMs = 60_000
const largestLogBytes = 20 * 1024 * 1024

export interface Installation {
  config: Config
  url: string
  routerPort: number
  host: ObservedState['host']
  /** One-time sign-in link; only at the first start of a home. */
  welcome: string | undefined
  /** Resolves with the reason when it ended by itself. */
  ended: Promise<ErrorObject | undefined>
  stop(): Promise<void>
}

export { loadConfig, type LoadedConfig }

export async function startInstallation(flags: Record<string, string | undefined>, environment: NodeJS.ProcessEnv, root: string): Promise<Installation> {
  const { config } = loadConfig(flags, environment, root)
  await mkdir(join(config.home, 'logs'), { recursive: true, mode: 0o700 })
  // The agent, the database and the server inherit it.
  forbidCoreDumps()
  const lock = await lockHome(config.home)
  const installation = new Running(config, flags, root, lock)
  try {
    return await installation.start()
  } catch (error) {
    await installation.abandon().catch(() => {})
    throw error
  }
}

interface HomeLock {
  release(): Promise<void>
}

/** Field 22 of /proc/<pid>/stat: tells a process from a later one with the same pid. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}

/** Whoever runs this home, by its pid file; undefined when nobody does. */
export async function runningPid(home: string): Promise<number | undefined> {
  const text = await readFile(join(home, 'up.pid'), 'utf8').catch(() => '')
  const [pid, startTime] = text.trim().split(' ')
  if (!pid || !startTime) return undefined
  return (await startTimeOf(Number(pid))) === startTime ? Number(pid) : undefined
}

/** Nobody holds the guard longer than a few file operations; one that is older was left by a crash. */
const guardTimeoutMs = 5000

/** Check and write of the pid file are one step for everybody: a directory that only one can make guards them. */
async function lockHome(home: string): Promise<HomeLock> {
  const path = join(home, 'up.pid')
  const guard = join(home, 'up.guard')
  await enterGuard(guard)
  try {
    const pid = await runningPid(home)
    if (pid !== undefined) {
      throw fail('ALREADY_RUNNING', { message: `Pavior runs on ${home} already, as process ${pid}.`, fix: 'Use that one, or stop it with `pavior down`.', facts: { pid, home } })
    }
    await writeFile(path, `${process.pid} ${await startTimeOf(process.pid)}\n`, { mode: 0o600 })
    return { release: () => rm(path, { force: true }) }
  } finally {
    await rm(guard, { recursive: true, force: true })
  }
}

async function enterGuard(guard: string): Promise<void> {
  for (;;) {
    const entered = await mkdir(guard).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
        return false
      },
    )
    if (entered) return
    const since = await stat(guard).then(({ mtimeMs }) => mtimeMs, () => Date.now())
    if (Date.now() - since > guardTimeoutMs) await rm(guard, { recursive: true, force: true })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

class Running {
  readonly #config: Config
  #flags: Record<string, string | undefined>
  readonly #root: string
  readonly #lock: HomeLock
  readonly #agentSocket: string
  readonly #handover: string
  readonly #serverPid: string
  readonly #log: Logger
  #database: EmbeddedDatabase | undefined
  #server: ChildProcess | undefined
  /** Where apps answer: an agent that is started again takes the same. */
  #routerPort: number
  readonly #watch = new AbortController()
  #stopping = false
  #deaths: number[] = []
  #end: (reason: ErrorObject | undefined) => void = () => {}
  readonly ended = new Promise<ErrorObject | undefined>((resolve) => {
    this.#end = resolve
  })

  constructor(config: Config, flags: Record<string, string | undefined>, root: string, lock: HomeLock) {
    this.#config = config
    this.#flags = flags
    this.#root = root
    this.#lock = lock
    this.#routerPort = config.routerPort
    this.#agentSocket = join(config.socketDirectory, 'agent.sock')
    this.#handover = join(config.socketDirectory, 'handover.json')
    this.#serverPid = join(config.socketDirectory, 'server.pid')
    this.#log = createLog('silent', 'up')
  }

  async start(): Promise<Installation> {
    await this.#stopLeftoverServer()
    // Both to their end, so that a failure of one leaves nothing of the other on its way.
    const [agent, database] = await Promise.allSettled([this.#startAgent(), this.#startDatabase()])
    if (agent.status === 'rejected') throw agent.reason
    if (database.status === 'rejected') throw database.reason
    const observed = agent.value
    const ready = await this.#startServer()
    return {
      config: this.#config,
      url: ready.url,
      routerPort: observed.routerPort,
      host: observed.host,
      welcome: ready.welcome,
      ended: this.ended,
      stop: () => this.stop(true),
    }
  }

  /** After a failed start: an agent that runs nothing is not left behind, one that serves apps is. */
  async abandon(): Promise<void> {
    const observed = await this.#observed()
    await this.stop(observed?.instances.length === 0)
  }

  async stop(instances: boolean): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    this.#watch.abort()
    await this.#stopServer()
    if (instances) await this.#stopAgent()
    await this.#database?.stop()
    await this.#removeSockets()
    await this.#lock.release()
    this.#end(undefined)
  }

  /** Nothing is left in the directory of sockets, unless the agent goes on there. */
  async #removeSockets(): Promise<void> {
    for (const path of [this.#handover, this.#serverPid]) await rm(path, { force: true })
    await rmdir(this.#config.socketDirectory).catch(() => {})
  }

  async #startDatabase(): Promise<void> {
    if (this.#config.databaseUrl) {
      await this.#writeHandover()
      return
    }
    const { home, socketDirectory } = this.#config
    const database = await startEmbedded({ directory: join(home, 'pg', 'data'), socketDirectory, passwordFile: join(home, 'keys', 'pg.password'), log: this.#log })
    this.#database = database
    await this.#writeHandover()
    void database.exited.then(() => {
      if (!this.#stopping) void this.#again(() => this.#startDatabase(), 'The embedded PostgreSQL')
    })
  }

  /** Beyond the settings: what the server needs to know of what we started. It holds a password: 0600 in a directory of ours. */
  async #writeHandover(): Promise<void> {
    const flags = Object.fromEntries(Object.entries(this.#flags).filter(([, value]) => value !== undefined))
    const content = { flags: { ...flags, home: this.#config.home }, connection: this.#database?.connection, agentSocket: this.#agentSocket }
    await writeFile(`${this.#handover}.new`, JSON.stringify(content), { mode: 0o600 })
    await rename(`${this.#handover}.new`, this.#handover)
  }

  /** Starts the agent and sees to it that there always is one. */
  async #startAgent(): Promise<ObservedState> {
    const observed = await this.#presentAgent()
    this.#routerPort = observed.routerPort
    void this.#watchAgent().then(() => {
      if (!this.#stopping) void this.#again(() => this.#startAgent(), 'The agent')
    })
    return observed
  }

  /** Resolves when the agent is gone. It is no child of ours when an earlier run started it, so its socket tells. */
  async #watchAgent(): Promise<void> {
    for (;;) {
      try {
        const stream = await openStream(this.#agentSocket, { method: 'GET', path: '/observed?watch=1', signal: this.#watch.signal })
        stream.resume()
        await finished(stream)
      } catch {
        // Why the stream ended does not matter; whether the agent still answers does.
      }
      if (this.#stopping || !(await this.#observed())) return
    }
  }

  /** An agent that runs already is kept: its instances serve. */
  async #presentAgent(): Promise<ObservedState> {
    const present = await this.#observed()
    if (present) return present
    const { home, sandbox, routerHost, routerTrustedProxies, routerBodyMinBytesPerSecond, logLevel } = this.#config
    // It writes its log by itself, because it outlives us; what it says before it can, or in its death, goes here.
    const errorFile = join(home, 'logs', 'agent.err')
    const errors = openSync(errorFile, 'w', 0o600)
    const options = {
      home,
      socket: this.#agentSocket,
      'router-port': String(this.#routerPort),
      'router-host': routerHost,
      'router-trusted-proxies': routerTrustedProxies,
      'router-body-min-bytes-per-second': String(routerBodyMinBytesPerSecond),
      'log-level': logLevel === 'silent' ? 'error' : logLevel,
      'log-file': join(home, 'logs', 'agent.log'),
      ...(sandbox ? { sandbox } : {}),
    }
    const args = ['--max-semi-space-size=2', join(this.#root, 'dist/agent.mjs'), ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
    // The agent has no business with the database or the master key, and its environment lives longer than ours.
    const { PAVIOR_DATABASE_URL: _url, PAVIOR_MASTER_KEY: _key, PAVIOR_MASTER_KEY_PREVIOUS: _earlier, ...environment } = process.env
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', errors], env: environment })
    closeSync(errors)
    let exited = false
    child.on('exit', () => {
      exited = true
    })
    child.unref()
    const deadline = Date.now() + agentStartTimeoutMs
    for (;;) {
      const observed = await this.#observed()
      if (observed) return observed
      if (exited || Date.now() > deadline) throw await this.#agentFailure(errorFile)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async #agentFailure(errorFile: string): Promise<Error> {
    const text = (await readFile(errorFile, 'utf8').catch(() => '')).trim()
    if (/EADDRINUSE|PORT_IN_USE/.test(text)) {
      return fail('PORT_IN_USE', { message: `The port ${this.#config.routerPort} for apps is taken by another program.`, fix: 'Choose another with --router-port or PAVIOR_ROUTER_PORT; 0 takes any free one.' })
    }
    return fail('AGENT_UNAVAILABLE', { message: 'The agent did not start.', why: text.split('\n').slice(0, 4).join(' ') || 'It did not answer in time.', more: errorFile })
  }

  async #observed(): Promise<ObservedState | undefined> {
    return callAgent<ObservedState>(this.#agentSocket, { method: 'GET', path: '/observed' }).catch(() => undefined)
  }

  /** A server whose `up` was killed ends by itself; until then it holds the port. */
  async #stopLeftoverServer(): Promise<void> {
    const [pid, startTime] = (await readFile(this.#serverPid, 'utf8').catch(() => '')).trim().split(' ')
    const there = async (): Promise<boolean> => startTime !== undefined && (await startTimeOf(Number(pid))) === startTime
    if (!(await there())) return
    process.kill(Number(pid), 'SIGTERM')
    const deadline = Date.now() + stopTimeoutMs
    while (await there()) {
      if (Date.now() > deadline) process.kill(Number(pid), 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async #startServer(): Promise<{ url: string; welcome: string | undefined }> {
    const logFile = join(this.#config.home, 'logs', 'server.log')
    await rotate(logFile)
    const file = await open(logFile, 'a', 0o600)
    const child = fork(join(this.#root, 'dist/server.mjs'), [], {
      // Ctrl-C in a terminal goes to the whole group: we stop the parts in their order.
      detached: true,
      execArgv: ['--max-semi-space-size=4', '--enable-source-maps'],
      stdio: ['ignore', file.fd, file.fd, 'ipc'],
      env: { ...process.env, PAVIOR_ROOT: this.#root, PAVIOR_HANDOVER: this.#handover },
    })
    await file.close()
    this.#server = child
    if (child.pid !== undefined) await writeFile(this.#serverPid, `${child.pid} ${await startTimeOf(child.pid)}\n`, { mode: 0o600 })
    const { port, ...ready } = await new Promise<{ port: number; url: string; welcome: string | undefined }>((resolve, reject) => {
      child.on('message', (message: { type: string; port?: number; url?: string; welcome?: string; error?: ErrorObject }) => {
        if (message.type === 'ready') resolve({ port: message.port!, url: message.url!, welcome: message.welcome })
        if (message.type === 'failed') reject(serverFailure(message.error!, this.#config.port))
      })
      child.on('exit', (code, signal) => reject(fail('INTERNAL', { message: `The server ended while it started (${signal ?? `exit code ${code}`}).`, more: logFile })))
    })
    child.removeAllListeners('exit')
    child.on('exit', () => {
      if (!this.#stopping) void this.#again(() => this.#startServer(), 'The server')
    })
    // Where any free port was asked for, a server that is started again keeps the one that users know.
    this.#flags = { ...this.#flags, port: String(port) }
    await this.#writeHandover()
    return ready
  }

  /** Starts a part that died again, later each time; ends everything when it dies over and over. */
  async #again(start: () => Promise<unknown>, what: string): Promise<void> {
    const now = Date.now()
    this.#deaths = [...this.#deaths.filter((at) => now - at < deathWindowMs), now]
    if (this.#deaths.length > mostDeaths) {
      const problem = fail('INTERNAL', { message: `${what} died ${this.#deaths.length} times within a minute; Pavior ends. Apps go on serving.`, more: join(this.#config.home, 'logs') }).toObject()
      await this.stop(false)
      this.#end(problem)
      return
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(longestRestartMs, firstRestartMs * 2 ** (this.#deaths.length - 1))))
    if (this.#stopping) return
    await start().catch(() => {
      if (!this.#stopping) void this.#again(start, what)
    })
  }

  async #stopServer(): Promise<void> {
    const child = this.#server
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await gone
    clearTimeout(late)
  }

  async #stopAgent(): Promise<void> {
    const pid = (await this.#observed())?.processes.find(({ role }) => role === 'agent')?.pid
    await callAgent(this.#agentSocket, { method: 'POST', path: '/stop?instances=true' }).catch(() => {})
    if (pid === undefined) return
    const deadline = Date.now() + stopTimeoutMs * 3
    while ((await startTimeOf(pid)) !== undefined && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function serverFailure(error: ErrorObject, port: number): Error {
  if (/EADDRINUSE/.test(error.message)) {
    return fail('PORT_IN_USE', { message: `The port ${port} for API and portal is taken by another program.`, fix: 'Choose another with --port or PAVIOR_PORT; 0 takes any free one.' })
  }
  const { code, ...details } = error
  return new PaviorError(code, details)
}

async function rotate(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found && found.size > largestLogBytes) await rename(path, `${path}.1`)
}

/** Stops the installation on this home from outside. False when none runs. */
export async function stopInstallation(home: string, onWait?: (pid: number) => void): Promise<boolean> {
  const pid = await runningPid(home)
  if (pid === undefined) return false
  onWait?.(pid)
  const startTime = await startTimeOf(pid)
  process.kill(pid, 'SIGTERM')
  while ((await startTimeOf(pid)) === startTime) await new Promise((resolve) => setTimeout(resolve, 50))
  return true
}
