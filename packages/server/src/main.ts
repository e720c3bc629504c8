/** `node dist/server.mjs`: one server process. `pavior up` starts it; in production it runs on its own with PAVIOR_DATABASE_URL. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isPaviorError, PaviorError } from '@pavior/contract'
import { sitOutAbsence } from './absence.ts'
import { loadConfig, type Config } from './kernel/config/config.ts'
import { checkExternal } from './kernel/db/index.ts'
import { forbidCoreDumps } from './kernel/lifecycle/core-dumps.ts'
import { createLog } from './kernel/log.ts'
import { startServer, type RunningServer } from './server.ts'

const root = process.env.PAVIOR_ROOT ?? fileURLToPath(new URL('..', import.meta.url))

/** What `pavior up` tells beyond the settings: how to reach the database and the agent that it started. */
interface Handover {
  flags: Record<string, string>
  connection?: { host: string; user: string; password: string; database: string }
  agentSocket: string
}

async function readHandover(): Promise<Handover | undefined> {
  if (!process.env.PAVIOR_HANDOVER) return undefined
  return JSON.parse(await readFile(process.env.PAVIOR_HANDOVER, 'utf8')) as Handover
}

/** The CLI on this machine finds endpoint and token here; only its owner can read it. */
async function writeCliFile(config: Config, { url, reads }: RunningServer): Promise<{ first: boolean }> {
  const path = join(config.home, 'cli.json')
  const known = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as { token?: string },
    () => ({}) as { token?: string },
  )
  const valid = known.token !== undefined && (await reads.authenticator.byToken(known.token).then(() => true, () => false))
  const token = valid ? known.token! : await reads.issueLocalToken()
  const unfinished = `${path}.new`
  await writeFile(unfinished, `${JSON.stringify({ url, token, team: config.defaultTeam }, null, 2)}\n`, { mode: 0o600 })
  await chmod(unfinished, 0o600)
  await rename(unfinished, path)
  return { first: !valid }
}

async function main(): Promise<void> {
  const handover = await readHandover()
  const { config, effective } = loadConfig(handover?.flags ?? {}, process.env, root)
  const log = createLog(config.logLevel, 'server')
  if (!forbidCoreDumps()) log.warn('core dumps could not be switched off, because there is no prlimit of util-linux')
  await mkdir(config.home, { recursive: true, mode: 0o700 })
  // Nobody is there any more who would want us back.
  const unwanted = (): void => process.exit(0)
  process.on('disconnect', unwanted)
  await sitOutAbsence(config.home, new Date())
  process.off('disconnect', unwanted)
  const version = (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version
  if (!config.databaseUrl && !handover?.connection) {
    throw new PaviorError('DATABASE_UNAVAILABLE', { message: 'The server was given no database.', fix: 'Set PAVIOR_DATABASE_URL, or start everything with `pavior up`.' })
  }
  const external = config.databaseUrl ? await checkExternal(config.databaseUrl) : undefined
  const connection = config.databaseUrl ? { connectionString: config.databaseUrl } : handover!.connection!
  const server = await startServer({ config, settings: effective, connection, external, agentSocket: handover?.agentSocket ?? join(config.socketDirectory, 'agent.sock'), version, log })
  const { first } = await writeCliFile(config, server)
  const welcome = first ? await server.reads.issueLoginLink('admin') : undefined
  process.send?.({ type: 'ready', port: server.port, url: server.url, welcome })
  let stopping = false
  const stop = (): void => {
    if (stopping) return
    stopping = true
    server.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // The one who started us is gone; nobody would restart us, so a new one must find the ports free.
  if (process.send) process.on('disconnect', stop)
}

process.on('unhandledRejection', (error) => {
  createLog('error', 'server').error({ err: error }, 'a promise failed unheard')
})

main().catch((error: Error) => {
  const object = isPaviorError(error) ? error.toObject() : { code: 'INTERNAL', message: error.message, fix: 'Look at the server log.', stack: error.stack }
  process.stderr.write(`${JSON.stringify({ level: 'fatal', error: object })}\n`)
  if (process.send) process.send({ type: 'failed', error: object }, () => process.exit(1))
  else process.exit(1)
})
