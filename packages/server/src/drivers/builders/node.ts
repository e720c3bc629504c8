/** Node.js: npm, yarn or pnpm by lock file, a `build` script, development dependencies left out at run time. */
import { fail } from '@pavior/contract'
import type { Builder, BuildPlan, BuildStep, HostTools, SourceFacts, Tool } from '../../rooms/delivery/ports.ts'
import { serverFile, staticCommand } from './static.ts'

interface PackageJson {
  name?: string
  main?: string
  scripts?: Record<string, string>
  engines?: { node?: string }
  packageManager?: string
  workspaces?: unknown
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

const lockFiles = { npm: ['package-lock.json', 'npm-shrinkwrap.json'], yarn: ['yarn.lock'], pnpm: ['pnpm-lock.yaml'] } as const
type Manager = keyof typeof lockFiles

/** Where front-end tools put a finished site. */
const siteOutputs: [string, string][] = [
  ['vite', 'dist'],
  ['react-scripts', 'build'],
  ['@angular/cli', 'dist'],
  ['parcel', 'dist'],
  ['@vue/cli-service', 'dist'],
  ['astro', 'dist'],
]

function readPackage({ texts }: SourceFacts): PackageJson {
  try {
    const content = JSON.parse(texts['package.json']!) as PackageJson
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
  } catch (error) {
    throw fail('MANIFEST_INVALID', { message: `package.json is not valid JSON: ${(error as Error).message}` })
  }
  throw fail('MANIFEST_INVALID', { message: 'package.json must be a JSON object.' })
}

function managerOf({ packageManager }: PackageJson, paths: readonly string[]): { manager: Manager; lock: string | undefined } {
  for (const manager of ['pnpm', 'yarn', 'npm'] as const) {
    const lock = lockFiles[manager].find((name) => paths.includes(name))
    if (lock) return { manager, lock }
  }
  const named = /^(npm|yarn|pnpm)@/.exec(packageManager ?? '')?.[1] as Manager | undefined
  return { manager: named ?? 'npm', lock: undefined }
}

function installCommand(manager: Manager, locked: boolean, production: boolean): string[] {
  if (manager === 'npm') return ['npm', locked ? 'ci' : 'install', ...(production ? ['--omit=dev'] : ['--include=dev']), '--no-audit', '--no-fund', '--loglevel=warn', '--prefer-offline']
  if (manager === 'pnpm') return ['pnpm', 'install', ...(locked ? ['--frozen-lockfile'] : []), ...(production ? ['--prod'] : []), '--prefer-offline']
  return ['yarn', 'install', ...(locked ? ['--frozen-lockfile'] : []), ...(production ? ['--production=true'] : ['--production=false']), '--non-interactive', '--prefer-offline']
}

function pruneCommand(manager: Manager): string[] {
  if (manager === 'npm') return ['npm', 'prune', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=warn']
  if (manager === 'pnpm') return ['pnpm', 'prune', '--prod']
  return ['yarn', 'install', '--production=true', '--frozen-lockfile', '--ignore-scripts', '--prefer-offline', '--non-interactive']
}

function siteOutput({ dependencies, devDependencies }: PackageJson): string | undefined {
  const all = { ...dependencies, ...devDependencies }
  return siteOutputs.find(([tool]) => all[tool] !== undefined)?.[1]
}

function webCommand(content: PackageJson, { paths }: SourceFacts): string | undefined {
  if (content.scripts?.start !== undefined) return directStart(content.scripts.start) ?? 'npm start'
  const main = content.main ?? ['server.js', 'index.js', 'app.js', 'main.js', 'server.mjs', 'index.mjs', 'src/index.js', 'src/server.js'].find((name) => paths.includes(name))
  return main !== undefined && (paths.includes(main) || paths.includes(`${main}.js`)) ? `node ${main}` : undefined
}

/** `node server.js` is run as it is: no npm process stands between signals and the app. */
function directStart(script: string): string | undefined {
  return /^node\s+[\w@./:=-]+(\s+[\w@./:=-]+)*$/.test(script) ? script : undefined
}

function requireTools(tools: HostTools, manager: Manager): Tool[] {
  const missing = (name: string, fix: string): Error => fail('TOOLCHAIN_MISSING', { message: `The build needs ${name}, and it is not on this machine.`, fix })
  if (!tools.node) throw missing('Node.js', 'Install Node.js 20 or later on the machine that builds.')
  if (!tools.npm) throw missing('npm', 'Install npm on the machine that builds.')
  if (manager === 'npm') return [tools.node, tools.npm]
  const tool = tools[manager]
  if (!tool) throw missing(manager, `Run \`npm install --global ${manager}\` on the machine that builds, or commit a package-lock.json instead of the lock file of ${manager}.`)
  return [tools.node, tools.npm, tool]
}

export function createNodeBuilder(staticServerPath: string): Builder {
  return {
    name: 'node',
    reads: ['package.json', 'package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', '.npmrc', '.nvmrc', '.node-version'],
    tools: ['node', 'npm', 'yarn', 'pnpm'],
    detect: ({ paths }) => (paths.includes('package.json') ? 'package.json' : undefined),
    request: (source) => {
      const range = readPackage(source).engines?.node ?? (source.texts['.nvmrc'] ?? source.texts['.node-version'])?.trim().replace(/^v/, '')
      return range && /\d/.test(range) ? { name: 'node', range } : undefined
    },
    plan: (source, tools) => planNode(source, tools, staticServerPath),
  }
}

function planNode(source: SourceFacts, tools: HostTools, staticServerPath: string): BuildPlan {
  const { paths, texts, settings } = source
  const content = readPackage(source)
  const { manager, lock } = managerOf(content, paths)
  const used = requireTools(tools, manager)
  const buildScript = settings.command ?? (content.scripts?.build === undefined ? undefined : `${manager} run build`)
  const hasDependencies = Object.keys({ ...content.dependencies, ...content.devDependencies }).length > 0 || content.workspaces !== undefined
  const start = texts.Procfile === undefined ? webCommand(content, source) : undefined
  const site = start === undefined && texts.Procfile === undefined && buildScript !== undefined ? (settings.output ?? siteOutput(content)) : settings.output
  const steps: BuildStep[] = []
  // Without a build step the development dependencies are never needed.
  const production = buildScript === undefined
  if (hasDependencies) steps.push({ name: 'install', command: installCommand(manager, lock !== undefined, production), madeBy: 'dependencies' })
  if (buildScript !== undefined) {
    steps.push({ name: 'build', command: ['sh', '-ec', buildScript], env: { NODE_ENV: 'production' } })
    if (hasDependencies && site === undefined && Object.keys(content.devDependencies ?? {}).length > 0) steps.push({ name: 'prune', command: pruneCommand(manager) })
  }
  const node = tools.node!
  const version = node.version.split('.').slice(0, 2).join('.')
  const how = hasDependencies ? `${manager} ${manager === 'npm' && lock ? 'ci' : 'install'}` : 'no dependencies'
  return {
    summary: [`node ${version}`, how, ...(buildScript === undefined ? [] : ['build'])].join(' · '),
    steps,
    // Local packages may be linked from anywhere in the tree, so workspaces are installed anew.
    layers: lock && content.workspaces === undefined && hasDependencies ? [{ name: 'dependencies', inputs: [texts[lock] ?? '', texts['package.json'] ?? '', texts['.npmrc'] ?? '', node.version, manager, String(production)], paths: ['node_modules'] }] : [],
    env: { npm_config_cache: '/cache/npm', npm_config_update_notifier: 'false', YARN_CACHE_FOLDER: '/cache/yarn', npm_config_store_dir: '/cache/pnpm', CI: 'true' },
    bin: ['node_modules/.bin'],
    runtimeEnv: { NODE_ENV: 'production' },
    processes: processesOf(start, site),
    tools: used,
    runtimeTools: [node, tools.npm!],
    ...(site === undefined ? {} : { add: { [serverFile]: staticServerPath }, omit: ['node_modules'] }),
  }
}

function processesOf(start: string | undefined, site: string | undefined): BuildPlan['processes'] {
  if (site !== undefined) return { web: { command: staticCommand(site) } }
  return start === undefined ? {} : { web: { command: start } }
}
