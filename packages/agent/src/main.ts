/** `node dist/agent.mjs --home <PAVIOR_HOME> --socket <path> --router-port <n>`: the process. */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import pino from 'pino'
import { errorCatalogue, fail, type ErrorCode } from '@pavior/contract'
import { createAgent } from './agent.ts'
import { toErrorObject } from './api/http.ts'
import { openOwnLog } from './own-log.ts'
import { startRouter, type RouterSettings } from './router/index.ts'
import { defaultSettings } from './settings.ts'

const version = '0.1.0'

const usage = `Usage: node agent.mjs --home <directory> --socket <path> --router-port <port>

  --home            PAVIOR_HOME; the agent keeps its own things in <home>/agent
  --socket          unix socket for its interface, at most 107 bytes long
  --router-port     port of the router, 0 for any free one
  --router-host     address of the router (default: every address of the machine)
  --router-workers  router processes (default: one less than cores, at least 1, at most 4)
  --router-trusted-proxies             networks, separated by commas, whose X-Forwarded-* are believed (default: none)
  --router-body-min-bytes-per-second   slowest request body; 0 takes any (default: 240)
  --sandbox         bubblewrap or none (default: the best that works)
  --cgroup          v1, v2 or none (default: the best that works)
  --log-level       debug, info, warn or error (default: info)
  --log-file        where its log goes, set aside as <file>.1 when it is long (default: standard output)
`

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    socket: { type: 'string' },
    'router-port': { type: 'string' },
    'router-host': { type: 'string' },
    'router-workers': { type: 'string' },
    'router-trusted-proxies': { type: 'string' },
    'router-body-min-bytes-per-second': { type: 'string' },
    sandbox: { type: 'string' },
    cgroup: { type: 'string' },
    'log-level': { type: 'string' },
    'log-file': { type: 'string' },
    help: { type: 'boolean' },
  },
})

if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const log = pino(
  { level: values['log-level'] ?? 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
  values['log-file'] ? openOwnLog(values['log-file'], defaultSettings.ownLogBytes) : pino.destination({ fd: 1, sync: true }),
)

process.on('uncaughtException', (error) => {
  log.fatal({ error: error.stack ?? String(error) }, 'the agent failed and ends; what it runs goes on')
  process.exit(70)
})
// The terminal that started it may close.
process.on('SIGHUP', () => {})

forbidCoreDumps()

try {
  const agent = await createAgent({
    home: wanted('home'),
    socket: wanted('socket'),
    version,
    log,
    choice: { sandbox: oneOf('sandbox', ['bubblewrap', 'none']), cgroup: oneOf('cgroup', ['v1', 'v2', 'none']) },
    startRouter: () => startRouter({ port: port('router-port') ?? 0, host: values['router-host'], workers: port('router-workers'), settings: routerSettings(), log }),
  })
  const stop = () => void agent.stop({ instances: false })
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  await agent.ended
  process.exit(0)
} catch (error) {
  const object = toErrorObject(error)
  log.fatal({ error: object }, object.message)
  process.stderr.write(`${object.code}  ${object.message}\n  fix  ${object.fix}\n`)
  process.exit(errorCatalogue[object.code as ErrorCode].exit)
}

/** What it holds in memory must not end up in a file when it crashes. */
function forbidCoreDumps(): void {
  const { status } = spawnSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' })
  if (status !== 0) log.warn('core dumps could not be switched off, because there is no prlimit of util-linux')
}

function wanted(name: 'home' | 'socket'): string {
  const value = values[name]
  if (!value) throw fail('CONFIG_INVALID', { message: `--${name} is missing.`, fix: 'Run with --help to see what is needed.' })
  return value
}

function port(name: 'router-port' | 'router-workers'): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw fail('CONFIG_INVALID', { message: `--${name} ${text} is no number that can be used.` })
  return number
}

function routerSettings(): Partial<RouterSettings> {
  const networks = values['router-trusted-proxies']
  const pace = values['router-body-min-bytes-per-second']
  if (pace !== undefined && !/^\d{1,9}$/.test(pace))
    throw fail('CONFIG_INVALID', { message: `--router-body-min-bytes-per-second ${pace} is no number that can be used.` })
  return {
    ...(networks === undefined ? {} : { trustedProxies: networks.split(',').map((network) => network.trim()).filter((network) => network !== '') }),
    ...(pace === undefined ? {} : { bodyMinBytesPerSecond: Number(pace) }),
  }
}

function oneOf<T extends string>(name: 'sandbox' | 'cgroup', allowed: T[]): T | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  const found = allowed.find((each) => each === text)
  if (!found) throw fail('CONFIG_INVALID', { message: `--${name} ${text} is not known; it may be ${allowed.join(' or ')}.` })
  return found
}
