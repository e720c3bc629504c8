/** Node.js: npm, yarn or pnpm by lock file, a `build` script, development dependencies left out at run time. */
import { fail } from '@pavior/contract'
import type { Builder, BuildPlan, BuildStep, HostTools, Layer, SourceFacts, ToolRequest } from '../../rooms/delivery/ports.ts'
import { installCommand, managerEnv, managerOf, pruneCommand, type Manager } from './node-manager.ts'
import { siteOutput, webCommand, type PackageJson } from './node-site.ts'
import { serverFile, siteDirectory, staticCommand } from './static.ts'
import { need, shortVersion } from './toolchain.ts'

/** Files that make a source another language's, when its package.json only holds tools. */
const otherLanguages = ['requirements.txt', 'pyproject.toml', 'Pipfile', 'manage.py', 'pom.xml', 'build.gradle', 'build.gradle.kts', 'go.mod', 'Cargo.toml']
/** Caches, and pnpm's notes of when it did what: they would make every artifact another one. */
const timed = ['.next/cache', 'node_modules/.cache', 'node_modules/.modules.yaml', 'node_modules/.pnpm-workspace-state.json', 'node_modules/.pnpm-workspace-state-v1.json']
/** What runs without a package.json, as the names say. */
const bareServer = 'server.js'
const bareScripts = ['index.js', 'app.js', 'main.js']

function readPackage({ texts }: SourceFacts): PackageJson {
  if (texts['package.json'] === undefined) return {}
  try {
    const content = JSON.parse(texts['package.json']) as PackageJson
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
  } catch (error) {
    throw fail('MANIFEST_INVALID', { message: `package.json is not valid JSON: ${(error as Error).message}` })
  }
  throw fail('MANIFEST_INVALID', { message: 'package.json must be a JSON object.' })
}

export function createNodeBuilder(staticServerPath: string): Builder {
  return {
    name: 'node',
    reads: ['package.json', 'package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', '.npmrc', '.yarnrc.yml', '.nvmrc', '.node-version', 'Procfile'],
    tools: ['node', 'npm', 'yarn', 'pnpm'],
    detect,
    request,
    toolchain: (source) => ({ name: 'node', asked: request(source)?.range }),
    plan: (source, tools) => planNode(source, tools, staticServerPath),
  }
}

function request(source: SourceFacts): ToolRequest | undefined {
  const range = readPackage(source).engines?.node ?? (source.texts['.nvmrc'] ?? source.texts['.node-version'])?.trim().replace(/^v/, '')
  return range && /\d/.test(range) ? { name: 'node', range } : undefined
}

function detect(source: SourceFacts): string | undefined {
  const { paths } = source
  if (!paths.includes('package.json')) {
    if (paths.includes(bareServer)) return bareServer
    return siteDirectory(paths) === undefined ? bareScripts.find((file) => paths.includes(file)) : undefined
  }
  const toolbox = otherLanguages.some((file) => paths.includes(file)) && webCommand(readPackage(source), source) === undefined
  return toolbox ? undefined : 'package.json'
}

function planNode(source: SourceFacts, tools: HostTools, staticServerPath: string): BuildPlan {
  const { texts, settings } = source
  const content = readPackage(source)
  const node = need(tools, 'node')
  const manager = managerOf(source, content.packageManager, tools)
  const buildScript = settings.command ?? (content.scripts?.build === undefined ? undefined : [...manager.call, 'run', 'build'].join(' '))
  const hasDependencies = Object.keys({ ...content.dependencies, ...content.devDependencies }).length > 0 || content.workspaces !== undefined
  const start = texts.Procfile === undefined ? webCommand(content, source) : undefined
  const isSite = texts.Procfile === undefined && (settings.output !== undefined || (start === undefined && buildScript !== undefined))
  const site = isSite ? (settings.output ?? siteOutput(content, source)) : undefined
  const how = hasDependencies ? `${manager.name} ${manager.name === 'npm' && manager.lock ? 'ci' : 'install'}` : 'no dependencies'
  return {
    summary: [`node ${shortVersion(node)}`, how, ...(buildScript === undefined ? [] : ['build']), ...(site === undefined ? [] : ['static site'])].join(' · '),
    steps: stepsOf(content, manager, buildScript, hasDependencies, site),
    layers: hasDependencies ? layersOf(content, manager, source, node.version, buildScript === undefined) : [],
    env: { ...managerEnv(manager), NEXT_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1', ASTRO_TELEMETRY_DISABLED: '1', GATSBY_TELEMETRY_DISABLED: '1', NG_CLI_ANALYTICS: 'false' },
    bin: hasDependencies && site === undefined ? ['node_modules/.bin'] : [],
    runtimeEnv: { NODE_ENV: 'production' },
    processes: processesOf(start, site),
    tools: manager.tools,
    runtimeTools: site === undefined ? [node, need(tools, 'npm')] : [node],
    ...(site === undefined ? { omit: timed } : { output: site, add: { [serverFile]: staticServerPath } }),
  }
}

function stepsOf(content: PackageJson, manager: Manager, buildScript: string | undefined, hasDependencies: boolean, site: string | undefined): BuildStep[] {
  const install: BuildStep[] = hasDependencies ? [{ name: 'install', command: installCommand(manager, buildScript === undefined), madeBy: 'dependencies' }] : []
  if (buildScript === undefined) return install
  const prunes = hasDependencies && site === undefined && Object.keys(content.devDependencies ?? {}).length > 0
  return [...install, { name: 'build', command: ['sh', '-ec', buildScript], env: { NODE_ENV: 'production' } }, ...(prunes ? [{ name: 'prune', command: pruneCommand(manager) }] : [])]
}

/** Local packages may be linked from anywhere in the tree, and install scripts may make files anywhere: such sources are installed anew. */
function layersOf(content: PackageJson, { name, lock }: Manager, { texts }: SourceFacts, version: string, production: boolean): Layer[] {
  const local = [...Object.values(content.dependencies ?? {}), ...Object.values(content.devDependencies ?? {})].some((range) => /^(file|link|portal|workspace|\.{1,2}\/)/.test(String(range)))
  const scripts = ['preinstall', 'install', 'postinstall', 'prepare'].some((script) => content.scripts?.[script] !== undefined)
  if (!lock || content.workspaces !== undefined || local || scripts) return []
  return [{ name: 'dependencies', inputs: [texts[lock] ?? '', texts['package.json'] ?? '', texts['.npmrc'] ?? '', texts['.yarnrc.yml'] ?? '', version, name, String(production)], paths: ['node_modules'] }]
}

function processesOf(start: string | undefined, site: string | undefined): BuildPlan['processes'] {
  if (site !== undefined) return { web: { command: staticCommand('') } }
  return start === undefined ? {} : { web: { command: start } }
}
