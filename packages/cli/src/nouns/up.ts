/** `pavior up`, `pavior down`: an installation on this machine. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { fail, PaviorError, type ErrorObject } from '@pavior/contract'
import { Api } from '../api.ts'
import { root, type Context, type Endpoint } from '../context.ts'
import { deploy } from '../deploy.ts'
import { seconds } from '../output.ts'
import type { Installation } from './up-types.ts'

const welcomeExample = 'hello-node'
const detachTimeoutMs = 60_000

interface UpFlags {
  port?: string
  routerPort?: string
  host?: string
  routerHost?: string
  databaseUrl?: string
  sandbox?: string
  example: boolean
  detach?: boolean
}

interface UpModule {
  startInstallation(flags: Record<string, string | undefined>, environment: NodeJS.ProcessEnv, root: string): Promise<Installation>
  stopInstallation(home: string, onWait?: (pid: number) => void): Promise<boolean>
  runningPid(home: string): Promise<number | undefined>
}

const loadUp = (): Promise<UpModule> => import(pathToFileURL(join(root, 'dist/up.mjs')).href) as Promise<UpModule>

export function addUp(program: Command, context: () => Context): void {
  program
    .command('up')
    .description('Start Pavior on this machine: server, agent and database.')
    .option('--port <port>', 'port of API, git and portal (default: 7070; 0 takes any free one)')
    .option('--router-port <port>', 'port on which apps answer (default: 8080; 0 takes any free one)')
    .option('--host <address>', 'address that the API listens on (default: 127.0.0.1)')
    .option('--router-host <address>', 'address that apps are reached on (default: 127.0.0.1)')
    .option('--database-url <url>', 'PostgreSQL to use instead of the embedded one')
    .option('--sandbox <kind>', 'what apps and builds run in: bubblewrap or none (default: bubblewrap where it works)')
    .option('--no-example', 'do not deploy the welcome example on an empty home')
    .option('--detach', 'return when it is ready and leave it running')
    .addHelpText('before', 'Example:\n  pavior up --port 7070 --router-port 8080\n')
    .action((flags: UpFlags) => (flags.detach ? detached(context()) : foreground(context(), flags)))
  program
    .command('down')
    .description('Stop Pavior on this machine, and the apps that it runs.')
    .addHelpText('before', 'Example:\n  pavior down\n')
    .action(() => down(context()))
}

async function foreground(context: Context, flags: UpFlags): Promise<void> {
  const { out } = context
  // Whoever read our output may go; apps and people still need us.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const began = Date.now() - process.uptime() * 1000
  const up = await loadUp()
  const empty = !existsSync(join(context.home, 'pg', 'data')) && !flags.databaseUrl && !context.environment.PAVIOR_DATABASE_URL
  const installation = await up.startInstallation(
    { home: context.flags.home, port: flags.port, routerPort: flags.routerPort, host: flags.host, routerHost: flags.routerHost, databaseUrl: flags.databaseUrl, sandbox: flags.sandbox },
    context.environment,
    root,
  )
  const stop = stopOnSignal(installation, out)
  await banner(context, installation, Date.now() - began)
  if (empty && flags.example) await showAround(context, installation)
  out.progress(nextSteps(context))
  const problem = await Promise.race([installation.ended, stop])
  if (problem) throw new PaviorError(problem.code, problem)
}

/** The first Ctrl-C stops cleanly; a second one does not make it quicker, so it is only acknowledged. */
function stopOnSignal(installation: Installation, out: Context['out']): Promise<ErrorObject | undefined> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const stop = (): void => {
      if (stopping) {
        out.progress('  Still stopping: apps get time to finish their requests.')
        return
      }
      stopping = true
      out.progress('\n  Stopping apps, server and database …')
      installation.stop().then(() => resolve(undefined), reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    process.on('SIGHUP', stop)
  })
}

async function banner({ out, home }: Context, { url, routerPort, host, welcome, config }: Installation, ms: number): Promise<void> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const sandbox = host.sandbox === 'bubblewrap' ? 'sandboxed by bubblewrap' : 'not sandboxed'
  const limits = host.cgroup === 'none' ? 'limits by rlimits' : `limits by cgroup ${host.cgroup}`
  out.progress(`  ${out.paint('bold', `Pavior ${version}`)}${' '.repeat(39)}ready in ${seconds(ms)}`)
  out.progress(`  portal   ${url}${welcome === undefined ? '' : `          sign in with  ${welcome} (once)`}`)
  out.progress(`  apps     http://<app>.${config.appDomain}:${routerPort}`)
  out.progress(`  home     ${home}   (${config.databaseUrl ? 'external PostgreSQL' : 'PostgreSQL 18 embedded'} · runtime: processes, ${sandbox}, ${limits})`)
  for (const note of host.notes) out.progress(out.paint('dim', `  note     ${note}`))
}

/** The main job, done once through the same path as everybody's. */
async function showAround(context: Context, { url }: Installation): Promise<void> {
  const { out, home } = context
  const directory = join(root, 'examples', welcomeExample)
  if (!existsSync(directory)) return
  out.progress(`\n  Showing you around: deploying examples/${welcomeExample}`)
  const began = Date.now()
  try {
    const endpoint = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as Endpoint
    const result = await deploy(new Api({ ...endpoint, url }), out, { directory, app: welcomeExample, team: endpoint.team, showLog: false })
    out.progress(`  live     ${result.url}          ${seconds(Date.now() - began)} from push to live`)
  } catch (error) {
    const problem = error instanceof PaviorError ? error.toObject() : fail('INTERNAL', String(error)).toObject()
    out.progress('  The example could not be deployed; Pavior itself runs:')
    out.error(problem)
  }
}

function nextSteps({ home, environment }: Context): string {
  const own = environment.PAVIOR_HOME === undefined ? '' : `\n           export PAVIOR_HOME="${home}"`
  return `\n  Next     export PATH="${join(root, 'bin')}:$PATH"${own}\n           cd your-app && pavior deploy\n`
}

/** The same command in a session of its own; returns when it is ready. */
async function detached(context: Context): Promise<void> {
  const { out, home } = context
  const up = await loadUp()
  const running = await up.runningPid(home)
  if (running !== undefined) throw fail('ALREADY_RUNNING', { message: `Pavior runs on ${home} already, as process ${running}.`, fix: 'Use that one, or stop it with `pavior down`.', facts: { pid: running } })
  mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 })
  const logFile = join(home, 'logs', 'up.log')
  const log = openSync(logFile, 'w', 0o600)
  const args = process.argv.slice(2).filter((argument) => argument !== '--detach')
  const child = spawn(process.execPath, [join(root, 'bin/pavior'), ...args], { detached: true, stdio: ['ignore', log, log], env: context.environment })
  let exited = false
  child.on('exit', () => {
    exited = true
  })
  child.unref()
  const deadline = Date.now() + detachTimeoutMs
  while (Date.now() < deadline) {
    const text = await readFile(logFile, 'utf8').catch(() => '')
    if (/^ {2}Next {5}/m.test(text)) {
      out.progress(text.trimEnd())
      out.result({ pid: child.pid, log: logFile }, '')
      return
    }
    if (exited) {
      process.stderr.write(text)
      throw fail('INTERNAL', { message: 'Pavior ended while it started; see above.', more: logFile })
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw fail('TIMEOUT', { message: `Pavior is not ready after ${detachTimeoutMs / 1000} s.`, more: logFile })
}

async function down({ home, out }: Context): Promise<void> {
  const up = await loadUp()
  const stopped = await up.stopInstallation(home, (pid) => out.progress(`  Stopping Pavior (process ${pid}) …`))
  out.result({ stopped, home }, stopped ? 'Pavior is stopped.' : `Nothing runs on ${home}.`)
}
