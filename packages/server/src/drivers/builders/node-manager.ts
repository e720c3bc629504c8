/** npm, yarn and pnpm: which one a source uses, how it is called, and what it keeps. Pure. */
import type { HostTools, SourceFacts, Tool } from '../../rooms/delivery/ports.ts'
import { need } from './toolchain.ts'

const lockFiles = { npm: ['package-lock.json', 'npm-shrinkwrap.json'], yarn: ['yarn.lock'], pnpm: ['pnpm-lock.yaml'] } as const
type Name = keyof typeof lockFiles

export interface Manager {
  name: Name
  lock: string | undefined
  /** Yarn from version 2 on takes other options. */
  berry: boolean
  /** Words in front of the manager's own arguments. */
  call: string[]
  tools: Tool[]
}

/** A manager that is not on the machine, or has another major version than the source names, is run from its npm package. */
export function managerOf({ paths, texts }: SourceFacts, packageManager: string | undefined, tools: HostTools): Manager {
  const [, named, wanted] = /^(npm|yarn|pnpm)@(\d[^+]*)/.exec(packageManager ?? '') ?? []
  const locked = (['pnpm', 'yarn', 'npm'] as const).find((manager) => lockFiles[manager].some((file) => paths.includes(file)))
  const name = locked ?? (named as Name | undefined) ?? 'npm'
  const lock = lockFiles[name].find((file) => paths.includes(file))
  const node = need(tools, 'node')
  const npm = need(tools, 'npm')
  if (name === 'npm') return { name, lock, berry: false, call: ['npm'], tools: [node, npm] }
  const version = (named === name ? wanted : undefined) ?? (name === 'pnpm' ? pnpmVersion(texts['pnpm-lock.yaml']) : yarnVersion(texts['yarn.lock'], paths))
  const berry = name === 'yarn' && major(version) >= 2
  const own = tools[name]
  if (own && major(own.version) === major(version)) return { name, lock, berry, call: [name], tools: [node, npm, own] }
  const source = berry ? `@yarnpkg/cli-dist@${version}` : `${name}@${version}`
  return { name, lock, berry, call: ['npm', 'exec', '--yes', `--package=${source}`, '--', name], tools: [node, npm] }
}

function major(version: string): number {
  return Number.parseInt(version, 10)
}

/** The version whose format the lock file has. */
function pnpmVersion(lock = ''): string {
  const format = Number(/^lockfileVersion:\s*'?(\d+)/m.exec(lock)?.[1] ?? 9)
  return format >= 9 ? '9' : format >= 6 ? '8' : '7'
}

function yarnVersion(lock: string | undefined, paths: readonly string[]): string {
  return (lock !== undefined && /^__metadata:/m.test(lock)) || paths.includes('.yarnrc.yml') ? '4' : '1'
}

export function installCommand({ name, lock, berry, call }: Manager, production: boolean): string[] {
  const locked = lock !== undefined
  if (name === 'npm') return [...call, locked ? 'ci' : 'install', production ? '--omit=dev' : '--include=dev', '--no-audit', '--no-fund', '--loglevel=warn', '--prefer-offline']
  if (name === 'pnpm') return [...call, 'install', ...(locked ? ['--frozen-lockfile'] : ['--no-frozen-lockfile']), ...(production ? ['--prod'] : ['--prod=false']), '--prefer-offline']
  if (berry) return [...call, 'install', ...(locked ? ['--immutable'] : [])]
  return [...call, 'install', ...(locked ? ['--frozen-lockfile'] : []), production ? '--production=true' : '--production=false', '--non-interactive', '--prefer-offline']
}

/** Leaves out the development dependencies after a build. */
export function pruneCommand({ name, berry, call }: Manager): string[] {
  if (name === 'npm') return [...call, 'prune', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=warn']
  if (name === 'pnpm') return [...call, 'prune', '--prod']
  if (berry) return [...call, 'workspaces', 'focus', '--all', '--production']
  return [...call, 'install', '--production=true', '--frozen-lockfile', '--ignore-scripts', '--prefer-offline', '--non-interactive']
}

/** Caches below /cache; each manager is told only what it knows, since npm warns about the settings of others. */
export function managerEnv({ name, berry }: Manager): Record<string, string> {
  const npm = { npm_config_cache: '/cache/npm', npm_config_update_notifier: 'false', CI: 'true' }
  if (name === 'pnpm') return { ...npm, npm_config_store_dir: '/cache/pnpm', npm_config_manage_package_manager_versions: 'false' }
  if (name === 'npm') return npm
  if (!berry) return { ...npm, YARN_CACHE_FOLDER: '/cache/yarn' }
  return { ...npm, YARN_GLOBAL_FOLDER: '/cache/yarn-berry', YARN_ENABLE_GLOBAL_CACHE: 'true', YARN_NODE_LINKER: 'node-modules', YARN_ENABLE_TELEMETRY: '0', YARN_IGNORE_PATH: '1' }
}
