/** A PostgreSQL that is none of Pavior's: from npm, and the one of the distribution where there is one. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { socketDirectory } from '../../src/kernel/config/config.ts'
import { findBinaries } from '../../src/kernel/db/embedded.ts'
import { connectDatabase } from '../../src/kernel/db/index.ts'
import { createLog } from '../../src/kernel/log.ts'
import { flushStatement } from '../../src/kernel/store/store.ts'

const execFileAsync = promisify(execFile)
const debianRoot = '/usr/lib/postgresql'
const startTimeoutMs = 20_000

/** Directories of binaries, newest last. */
export async function postgresqlsHere(): Promise<string[]> {
  const debian = existsSync(debianRoot) ? readdirSync(debianRoot).filter((version) => Number(version) >= 15).map((version) => join(debianRoot, version, 'bin')) : []
  return [...debian.filter((bin) => existsSync(join(bin, 'initdb'))), join(await findBinaries(), 'bin')]
}

/** PostgreSQL refuses root, so root looks like somebody else to it. */
const asNobody = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'] : []

export class PostgresqlServer {
  readonly #bin: string
  readonly #directory: string
  readonly #password: string
  #process: ChildProcess | undefined

  private constructor(bin: string, directory: string, password: string) {
    this.#bin = bin
    this.#directory = directory
    this.#password = password
  }

  /** `admin` is its superuser. */
  static async create(bin: string, password: string): Promise<PostgresqlServer> {
    const directory = await mkdtemp(join(tmpdir(), 'pgx-'))
    const passwordFile = join(directory, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    const command = [...asNobody, join(bin, 'initdb'), '--pgdata', join(directory, 'data'), '--username', 'admin', '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync']
    await execFileAsync(command[0]!, command.slice(1))
    return new PostgresqlServer(bin, directory, password)
  }

  /** Over its socket, so that no port is needed. */
  url(database: string, user = 'admin', password = this.#password): string {
    return `postgres://${user}:${encodeURIComponent(password)}@${encodeURIComponent(this.#directory)}/${database}`
  }

  async start(): Promise<void> {
    const command = [...asNobody, join(this.#bin, 'postgres'), '-D', join(this.#directory, 'data'), '-k', this.#directory, '-c', 'listen_addresses=', '-c', 'shared_buffers=16MB']
    const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore' })
    this.#process = child
    const deadline = Date.now() + startTimeoutMs
    while (!(await this.query('postgres', 'select 1').then(() => true, () => false))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${this.#bin}/postgres did not start`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async query(database: string, text: string): Promise<Record<string, unknown>[]> {
    const connection = await connectDatabase({ connection: { connectionString: this.url(database) }, poolSize: 1, flushStatement, log: createLog('silent', 'test') })
    try {
      return (await connection.query(text)).rows
    } finally {
      await connection.close()
    }
  }

  /** SIGQUIT: an immediate end, as in a crash, that takes its children along. */
  async end(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGQUIT')
    await gone
  }

  async remove(): Promise<void> {
    await this.end()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** Runs statements in the embedded database of a platform, as somebody would who has taken its password. */
export async function sqlIn({ home, environment }: { home: string; environment: NodeJS.ProcessEnv }, text: string): Promise<Record<string, unknown>[]> {
  const password = (await readFile(join(home, 'keys/pg.password'), 'utf8')).trim()
  const connection = await connectDatabase({ connection: { host: socketDirectory(home, environment), user: 'pavior', password, database: 'postgres' }, poolSize: 1, flushStatement, log: createLog('silent', 'test') })
  try {
    return (await connection.query(text)).rows
  } finally {
    await connection.close()
  }
}
