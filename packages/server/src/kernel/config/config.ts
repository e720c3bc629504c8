/**
 * All settings of the server, in one place: flag > environment > `pavior.config.yaml` > default.
 * This is the only file that reads the environment.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { availableParallelism, homedir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { fail } from '@pavior/contract'
import { parse } from 'yaml'

export type Origin = 'flag' | 'environment' | 'file' | 'default'

interface Setting<T> {
  /** Environment variable. */
  variable: string
  description: string
  fallback: (home: string) => T
  parse: (text: string) => T
  /** Shown as `[redacted]`. */
  secret?: boolean
}

const text = (value: string): string => value
const port = (value: string): number => {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new Error('it must be a port from 0 (any free one) to 65535')
  return number
}
const positive = (value: string): number => {
  const number = Number(value)
  if (!Number.isFinite(number) || number <= 0) throw new Error('it must be a number above 0')
  return number
}
const whole = (value: string): number => {
  const number = positive(value)
  if (!Number.isInteger(number)) throw new Error('it must be a whole number')
  return number
}
const percent = (value: string): number => {
  const number = Number(value)
  if (value.trim() === '' || !(number >= 0 && number <= 100)) throw new Error('it must be a percentage from 0 to 100')
  return number
}
const wholeOrNone = (value: string): number => (value === '0' ? 0 : whole(value))
const networks = (value: string): string => {
  for (const network of value.split(',').map((each) => each.trim()).filter(Boolean)) {
    const [address = '', bits = '0', ...more] = network.split('/')
    const widest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
    if (more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > widest) throw new Error(`"${network}" is no network such as 10.0.0.0/8 or fd00::/8`)
  }
  return value
}
const postgresUrl = (value: string): string => {
  const example = 'postgres://user:password@host:5432/database, with special characters of the password percent-encoded'
  if (!/^postgres(ql)?:\/\//.test(value)) throw new Error(`it must have the form ${example}`)
  try {
    const { username, password, hostname, pathname } = new URL(value)
    for (const part of [username, password, hostname, pathname]) decodeURIComponent(part)
  } catch {
    throw new Error(`it cannot be read; the form is ${example}`)
  }
  return value
}
const sandbox = (value: string): string => {
  if (value !== '' && value !== 'bubblewrap' && value !== 'none') throw new Error('it may be bubblewrap or none')
  return value
}
const oneOf =
  (...words: string[]) =>
  (value: string): string => {
    if (!words.includes(value)) throw new Error(`it may be ${words.join(' or ')}`)
    return value
  }
const mib = 1024 * 1024

export const settings = {
  port: { variable: 'PAVIOR_PORT', description: 'Port of API, git and portal; 0 takes any free one.', fallback: () => 7070, parse: port },
  host: { variable: 'PAVIOR_HOST', description: 'Address that the API listens on.', fallback: () => '127.0.0.1', parse: text },
  routerPort: { variable: 'PAVIOR_ROUTER_PORT', description: 'Port on which apps answer; 0 takes any free one.', fallback: () => 8080, parse: port },
  routerHost: { variable: 'PAVIOR_ROUTER_HOST', description: 'Address that the router listens on.', fallback: () => '127.0.0.1', parse: text },
  routerTrustedProxies: { variable: 'PAVIOR_ROUTER_TRUSTED_PROXIES', description: 'Networks, separated by commas, of proxies whose X-Forwarded-* the router believes, for example 10.0.0.0/8.', fallback: () => '', parse: networks },
  routerBodyMinBytesPerSecond: {
    variable: 'PAVIOR_ROUTER_BODY_MIN_BYTES_PER_SECOND',
    description: 'Bytes a second that a request body must bring over half a minute; slower ones get 408. 0 takes any.',
    fallback: () => 240,
    parse: wholeOrNone,
  },
  publicUrl: { variable: 'PAVIOR_URL', description: 'URL under which users reach the API, when it is not http://localhost:<port>.', fallback: () => '', parse: text },
  appDomain: { variable: 'PAVIOR_APP_DOMAIN', description: 'Domain below which apps get their hosts.', fallback: () => 'localhost', parse: text },
  databaseUrl: { variable: 'PAVIOR_DATABASE_URL', description: 'PostgreSQL 15 or later to use instead of the embedded one.', fallback: () => '', parse: postgresUrl, secret: true },
  databaseConnections: { variable: 'PAVIOR_DATABASE_CONNECTIONS', description: 'Connections of one server process.', fallback: () => 10, parse: whole },
  sandbox: { variable: 'PAVIOR_SANDBOX', description: 'What apps and builds run in: bubblewrap or none; by default bubblewrap where it works.', fallback: () => '', parse: sandbox },
  logLevel: { variable: 'PAVIOR_LOG_LEVEL', description: 'trace, debug, info, warn, error or silent.', fallback: () => 'info', parse: text },
  buildConcurrency: {
    variable: 'PAVIOR_BUILD_CONCURRENCY',
    description: 'Builds that run at once.',
    fallback: () => Math.max(1, Math.floor(availableParallelism() / 2)),
    parse: whole,
  },
  buildMemoryBytes: {
    variable: 'PAVIOR_BUILD_MEMORY_MIB',
    description: 'Memory limit of a build in MiB.',
    fallback: () => Math.min(4096 * mib, Math.floor(totalmem() / 2)),
    parse: (value: string) => positive(value) * mib,
  },
  buildCpu: { variable: 'PAVIOR_BUILD_CPU', description: 'CPU cores of a build.', fallback: () => Math.max(1, availableParallelism() - 0.25), parse: positive },
  buildPids: { variable: 'PAVIOR_BUILD_PIDS', description: 'Processes and threads of a build.', fallback: () => 2048, parse: whole },
  buildDiskBytes: { variable: 'PAVIOR_BUILD_DISK_MIB', description: 'MiB that a build may write.', fallback: () => 8192 * mib, parse: (value: string) => positive(value) * mib },
  buildTimeoutMs: { variable: 'PAVIOR_BUILD_TIMEOUT_SECONDS', description: 'Longest duration of a build in seconds.', fallback: () => 900_000, parse: (value: string) => positive(value) * 1000 },
  uploadBytes: { variable: 'PAVIOR_UPLOAD_MIB', description: 'Largest packed source in MiB.', fallback: () => 512 * mib, parse: (value: string) => positive(value) * mib },
  sourceBytes: { variable: 'PAVIOR_SOURCE_MIB', description: 'Largest unpacked source in MiB.', fallback: () => 2048 * mib, parse: (value: string) => positive(value) * mib },
  sourceFiles: { variable: 'PAVIOR_SOURCE_FILES', description: 'Most files in a source.', fallback: () => 50_000, parse: whole },
  registryMirror: { variable: 'PAVIOR_REGISTRY_MIRROR', description: 'Registry, as host[:port][/path], that Dockerfile builds ask for images of Docker Hub first.', fallback: () => '', parse: text },
  keepReleases: { variable: 'PAVIOR_KEEP_RELEASES', description: 'Releases of an app whose artifacts are kept for rollback.', fallback: () => 10, parse: whole },
  auditRetentionDays: { variable: 'PAVIOR_AUDIT_RETENTION_DAYS', description: 'Days for which is kept who changed what.', fallback: () => 90, parse: positive },
  dependencyDays: { variable: 'PAVIOR_DEPENDENCY_DAYS', description: 'Days after which a dependency that was seen in traffic, and is seen no more, ends.', fallback: () => 30, parse: positive },
  probeIntervalMs: { variable: 'PAVIOR_PROBE_SECONDS', description: 'Seconds between two probes of each part of the platform, from outside of the server.', fallback: () => 30_000, parse: (value: string) => positive(value) * 1000 },
  exceptionDays: { variable: 'PAVIOR_EXCEPTION_DAYS', description: 'Longest that an exception from a policy may last, in days.', fallback: () => 90, parse: positive },
  masterKey: { variable: 'PAVIOR_MASTER_KEY', description: 'Master key of the secrets: 32 bytes in base64. By default Pavior makes one in keys/master of its home.', fallback: () => '', parse: text, secret: true },
  masterKeyFile: { variable: 'PAVIOR_MASTER_KEY_FILE', description: 'File that holds the master key, for example a mounted secret.', fallback: () => '', parse: text },
  masterKeyPrevious: { variable: 'PAVIOR_MASTER_KEY_PREVIOUS', description: 'Earlier master keys, separated by commas, that still open what has not been wrapped anew.', fallback: () => '', parse: text, secret: true },
  transitUrl: { variable: 'PAVIOR_TRANSIT_URL', description: 'Address of a Vault whose transit engine keeps the master key.', fallback: () => '', parse: text },
  transitKey: { variable: 'PAVIOR_TRANSIT_KEY', description: 'Name of the key in the transit engine.', fallback: () => 'pavior', parse: text },
  transitMount: { variable: 'PAVIOR_TRANSIT_MOUNT', description: 'Path at which the transit engine is mounted.', fallback: () => 'transit', parse: text },
  transitTokenFile: { variable: 'PAVIOR_TRANSIT_TOKEN_FILE', description: 'File that holds the token for the transit engine; read again at every use.', fallback: () => '', parse: text },
  secretAccessDays: { variable: 'PAVIOR_SECRET_ACCESS_DAYS', description: 'Days for which is kept who had to do with a secret.', fallback: () => 400, parse: positive },
  defaultTeam: { variable: 'PAVIOR_DEFAULT_TEAM', description: 'Team whose apps answer on <app>.<domain> without the team.', fallback: () => 'default', parse: text },
  sessionLifetimeMs: { variable: 'PAVIOR_SESSION_HOURS', description: 'Hours after which a browser has to sign in again.', fallback: () => 168 * 3600_000, parse: (value: string) => positive(value) * 3600_000 },
  sessionIdleMs: { variable: 'PAVIOR_SESSION_IDLE_HOURS', description: 'Hours without use after which a browser has to sign in again.', fallback: () => 72 * 3600_000, parse: (value: string) => positive(value) * 3600_000 },
  secondFactor: { variable: 'PAVIOR_SECOND_FACTOR', description: 'Whether a password needs a code of an authenticator app beside it: optional (whoever has set it up) or required.', fallback: () => 'optional', parse: oneOf('optional', 'required') },
  elevationMinutes: { variable: 'PAVIOR_ELEVATION_MINUTES', description: 'Longest that somebody may take a higher role by themselves, in minutes; 0 never.', fallback: () => 60, parse: wholeOrNone },
  metricRawMs: { variable: 'PAVIOR_METRIC_RAW_HOURS', description: 'Hours for which metrics are kept as they came; then one point a minute.', fallback: () => 48 * 3600_000, parse: (value: string) => positive(value) * 3600_000 },
  metricMinutesMs: { variable: 'PAVIOR_METRIC_MINUTE_DAYS', description: 'Days for which metrics are kept with one point a minute; then one an hour.', fallback: () => 14 * 24 * 3600_000, parse: (value: string) => positive(value) * 24 * 3600_000 },
  metricHoursMs: { variable: 'PAVIOR_METRIC_HOUR_DAYS', description: 'Days for which metrics are kept with one point an hour.', fallback: () => 400 * 24 * 3600_000, parse: (value: string) => positive(value) * 24 * 3600_000 },
  metricSeries: { variable: 'PAVIOR_METRIC_SERIES', description: 'Series of metrics that one app may write at once; further ones are dropped.', fallback: () => 10_000, parse: whole },
  metricPointsPerSecond: { variable: 'PAVIOR_METRIC_POINTS_PER_SECOND', description: 'Points of metrics that one app may send a second, over time.', fallback: () => 20_000, parse: whole },
  logDays: { variable: 'PAVIOR_LOG_DAYS', description: 'Days for which the lines of logs are kept.', fallback: () => 7, parse: positive },
  logBytes: { variable: 'PAVIOR_LOG_GIB', description: 'Disk that the lines of logs may take, in GiB; beyond it the oldest hour goes.', fallback: () => 10 * 1024 * mib, parse: (value: string) => positive(value) * 1024 * mib },
  logLinesPerSecond: { variable: 'PAVIOR_LOG_LINES_PER_SECOND', description: 'Lines that one app may log a second, over time; beyond it debug is dropped first, errors last.', fallback: () => 5000, parse: whole },
  logBytesPerSecond: { variable: 'PAVIOR_LOG_KIB_PER_SECOND', description: 'KiB that one app may log a second, over time.', fallback: () => 2 * mib, parse: (value: string) => positive(value) * 1024 },
  traceShare: { variable: 'PAVIOR_TRACE_PERCENT', description: 'Percent of the traces that are kept although nothing failed in them and nothing was slow.', fallback: () => 0.1, parse: (value: string) => percent(value) / 100 },
  traceSlowMs: { variable: 'PAVIOR_TRACE_SLOW_MS', description: 'Milliseconds from which on a trace counts as slow, and is kept.', fallback: () => 1000, parse: positive },
  traceKeepMs: { variable: 'PAVIOR_TRACE_DAYS', description: 'Days for which traces are kept.', fallback: () => 7 * 24 * 3600_000, parse: (value: string) => positive(value) * 24 * 3600_000 },
  traceSpansPerSecond: { variable: 'PAVIOR_TRACE_SPANS_PER_SECOND', description: 'Spans that one app may send a second, over time.', fallback: () => 1000, parse: whole },
  telemetryBodyBytes: { variable: 'PAVIOR_TELEMETRY_BODY_MIB', description: 'Largest request with telemetry in MiB; unpacked it may be four times as large.', fallback: () => 4 * mib, parse: (value: string) => positive(value) * mib },
  requestsPerSecond: { variable: 'PAVIOR_REQUESTS_PER_SECOND', description: 'API requests that one caller may send over time.', fallback: () => 1000, parse: whole },
} satisfies Record<string, Setting<string> | Setting<number>>

type Settings = { [K in keyof typeof settings]: ReturnType<(typeof settings)[K]['parse']> }

/** Variables that package managers need on this machine: proxies, certificates, registries. Nothing else of ours reaches a build. */
const buildVariables = [
  'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy',
  'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'PIP_CERT', 'GIT_SSL_CAINFO',
  'npm_config_registry', 'NPM_CONFIG_REGISTRY', 'PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_DEFAULT_TIMEOUT',
  'GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GOPRIVATE', 'GOFLAGS', 'CARGO_HTTP_CAINFO', 'CARGO_HTTP_PROXY', 'BUNDLE_MIRROR__ALL', 'COMPOSER_CAFILE', 'JAVA_TOOL_OPTIONS',
]

export interface Config extends Settings {
  /** Environment of every build step, before the builder's own. */
  buildEnv: Record<string, string>
  /** Where programs are looked for. */
  searchPath: string
  home: string
  /** Short directory for sockets: their path may have 107 bytes at most. */
  socketDirectory: string
  /** The clone or the installed package: migrations, examples. */
  root: string
}

export interface EffectiveSetting {
  name: string
  value: string
  origin: Origin
  description: string
}

export interface LoadedConfig {
  config: Config
  effective: EffectiveSetting[]
}

/** `flags` are settings by name as given on the command line. */
export function loadConfig(flags: Record<string, string | undefined>, environment: NodeJS.ProcessEnv, root: string): LoadedConfig {
  const home = resolve(flags.home ?? environment.PAVIOR_HOME ?? defaultHome(root))
  const file = readConfigFile(join(home, 'pavior.config.yaml'))
  const effective: EffectiveSetting[] = [{ name: 'home', value: home, origin: flags.home ? 'flag' : environment.PAVIOR_HOME ? 'environment' : 'default', description: 'Where everything is kept.' }]
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const { given, origin } = choose(name, setting.variable, flags, environment, file)
    values[name] = given === undefined ? setting.fallback(home) : parseSetting(name, given, origin, setting)
    effective.push({ name, value: setting.secret && values[name] ? '[redacted]' : String(values[name]), origin, description: setting.description })
  }
  const buildEnv = Object.fromEntries(buildVariables.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])))
  return { config: { ...(values as Settings), home, root, buildEnv, searchPath: environment.PATH ?? '', socketDirectory: socketDirectory(home, environment) }, effective }
}

function choose(name: string, variable: string, flags: Record<string, string | undefined>, environment: NodeJS.ProcessEnv, file: Record<string, unknown>): { given: string | undefined; origin: Origin } {
  if (flags[name] !== undefined) return { given: flags[name], origin: 'flag' }
  if (environment[variable]) return { given: environment[variable], origin: 'environment' }
  if (file[name] !== undefined) return { given: String(file[name]), origin: 'file' }
  return { given: undefined, origin: 'default' }
}

function parseSetting(name: string, given: string, origin: Origin, { variable, parse: parseValue, secret }: Setting<unknown>): unknown {
  try {
    return parseValue(given)
  } catch (error) {
    const shown = secret ? '[redacted]' : JSON.stringify(given)
    throw fail('CONFIG_INVALID', { message: `The setting ${name} (${variable}) cannot be ${shown}: ${(error as Error).message}.`, why: `It comes from: ${origin}.` })
  }
}

function readConfigFile(path: string): Record<string, unknown> {
  if (!existsSync(path)) return {}
  const known = new Set(Object.keys(settings))
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8'), { maxAliasCount: 10 }) ?? {}
  } catch (error) {
    throw fail('CONFIG_INVALID', { message: `${path} is not valid YAML: ${(error as Error).message}` })
  }
  if (typeof content !== 'object' || Array.isArray(content)) throw fail('CONFIG_INVALID', { message: `${path} must hold settings by name.` })
  const unknown = Object.keys(content as object).find((key) => !known.has(key))
  if (unknown) throw fail('CONFIG_INVALID', { message: `${path} has an unknown setting "${unknown}".`, fix: `Use one of: ${[...known].join(', ')}.` })
  return content as Record<string, unknown>
}

/** `.pavior` of the clone when run from one, otherwise of the user. */
export function defaultHome(root: string): string {
  return existsSync(join(root, 'packages')) ? join(root, '.pavior') : join(homedir(), '.pavior')
}

/** A directory of ours alone, with a short path, the same for the same home. */
export function socketDirectory(home: string, environment: NodeJS.ProcessEnv): string {
  const uid = process.getuid?.() ?? 0
  const base = environment.XDG_RUNTIME_DIR && existsSync(environment.XDG_RUNTIME_DIR) && environment.XDG_RUNTIME_DIR.length < 40 ? environment.XDG_RUNTIME_DIR : '/tmp'
  const directory = join(base, `pavior-${uid}-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = statSync(directory)
  if (found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw fail('CONFIG_INVALID', { message: `The directory ${directory} is not ours alone.`, why: 'Sockets are kept there.', fix: 'Remove it, or set XDG_RUNTIME_DIR to a directory of your own.' })
  }
  return directory
}
