/** Finds the programs that builds use on this machine, and installs another Node.js when the host's does not fit. */
import { execFile } from 'node:child_process'
import { access, constants, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '@pavior/contract'
import semver from 'semver'
import type { Logger } from '../../kernel/log.ts'
import type { HostTools, Tool, ToolFinder, ToolRequest } from '../../rooms/delivery/ports.ts'

const run = promisify(execFile)
const versionTimeoutMs = 10_000
const installTimeoutMs = 180_000
/** A tool that was missing may have been installed meanwhile. */
const forgetMs = 60_000
/** What every sandbox shows anyway. */
const systemDirectories = ['/usr/', '/bin/', '/sbin/', '/lib/', '/lib64/']

/** How each program tells its version, where it is not `--version`. */
const versionArguments: Record<string, string[]> = { go: ['version'], java: ['-version'], javac: ['-version'] }

export interface FinderDeps {
  /** Colon-separated, as in the environment. */
  searchPath: string
  /** Variables for the package managers, proxies among them. */
  env: Record<string, string>
  /** Where versions that we install are kept. */
  toolchains: string
  log: Logger
}

export function createToolFinder({ searchPath, env, toolchains, log }: FinderDeps): ToolFinder {
  const known = new Map<string, { tool: Promise<Tool | undefined>; at: number }>()
  const find = (name: string): Promise<Tool | undefined> => {
    const cached = known.get(name)
    if (cached && Date.now() - cached.at < forgetMs) return cached.tool
    const tool = inspect(name, searchPath, env)
    known.set(name, { tool, at: Date.now() })
    return tool
  }
  return {
    find: async (names) => {
      const tools = await Promise.all(names.map(async (name) => [name, await find(name)] as const))
      return Object.fromEntries(tools) as HostTools
    },
    provide: async (request) => {
      const own = await find(request.name)
      if (own && satisfies(own.version, request.range)) return own
      return request.name === 'node' ? installNode(request, toolchains, env, log) : findPython(request, own, searchPath, env)
    },
  }
}

/** Every Python of the machine is looked at: `python3.x` on the search path, and what pyenv keeps beside its shims. */
async function findPython({ range, optional }: ToolRequest, own: Tool | undefined, searchPath: string, env: Record<string, string>): Promise<Tool> {
  const directories = searchPath.split(':').filter(Boolean)
  const places = await Promise.all(directories.map((directory) => pythonsIn(directory)))
  const found: Tool[] = own ? [own] : []
  for (const path of new Set(places.flat())) {
    const tool = await describe('python3', path, searchPath, env)
    if (tool) found.push(tool)
  }
  const fitting = found.filter(({ version }) => satisfies(version, range)).toSorted((one, other) => semver.rcompare(one.version, other.version, { loose: true }))[0]
  if (fitting) return fitting
  if (own && optional) return own
  const versions = [...new Set(found.map(({ version }) => version))]
  throw fail('TOOLCHAIN_MISSING', {
    message: `The source asks for Python ${range}, and this machine has none that fits.`,
    why: versions.length === 0 ? 'It has no Python 3 with a working venv module.' : `It has ${versions.join(', ')}.`,
    fix: 'Install a Python that fits on the machine that builds, with its venv module, or ask for one that is there in requires-python.',
    facts: { tool: 'python3', range },
  })
}

/** Pyenv's shims stand for the versions in the directory beside them. */
async function pythonsIn(directory: string): Promise<string[]> {
  if (basename(directory) === 'shims') {
    const versions = join(dirname(directory), 'versions')
    return (await readdir(versions).catch(() => [])).filter((name) => name.startsWith('3.')).map((name) => join(versions, name, 'bin', 'python3'))
  }
  return (await readdir(directory).catch(() => [])).filter((name) => /^python3\.\d+$/.test(name)).map((name) => join(directory, name))
}

function satisfies(version: string, range: string): boolean {
  return semver.satisfies(version, range, { loose: true })
}

async function inspect(name: string, searchPath: string, env: Record<string, string>): Promise<Tool | undefined> {
  for (const directory of searchPath.split(':').filter(Boolean)) {
    const path = join(directory, name)
    if (!(await access(path, constants.X_OK).then(() => true, () => false))) continue
    const found = await describe(name, path, searchPath, env)
    if (found) return found
  }
  return undefined
}

async function describe(name: string, path: string, searchPath: string, env: Record<string, string>): Promise<Tool | undefined> {
  try {
    const real = await resolveProgram(name, path, searchPath, env)
    const { stdout, stderr } = await run(real, versionArguments[name] ?? ['--version'], { timeout: versionTimeoutMs, env: { ...env, PATH: `${dirname(real)}:${searchPath}` } })
    const version = /(\d+(?:\.\d+){0,3}(?:[-+][\w.]+)?)/.exec(`${stdout}${stderr}`)?.[1] ?? '0'
    return { name, version, path: real, mounts: await mountsOf(real) }
  } catch {
    return undefined
  }
}

/** A Python without venv, as Debian ships it, cannot build. */
const whereIsPython = 'import sys, venv, ensurepip; ensurepip.version(); print(sys.executable)'

/** Version managers put scripts and proxies on the PATH; Python and Rust tell where they really are. */
async function resolveProgram(name: string, path: string, searchPath: string, env: Record<string, string>): Promise<string> {
  if (name === 'cargo' || name === 'rustc') return resolveRust(name, path, searchPath, env)
  if (!name.startsWith('python')) return systemDirectories.some((directory) => path.startsWith(directory)) ? path : realpath(path)
  const { stdout } = await run(path, ['-c', whereIsPython], { timeout: versionTimeoutMs, env: { ...env, PATH: searchPath } })
  return stdout.trim()
}

/** Rustup's proxies need their own home to find a toolchain; the toolchain itself needs nothing. */
async function resolveRust(name: string, path: string, searchPath: string, env: Record<string, string>): Promise<string> {
  const rustup = join(dirname(path), '..', '..', '.rustup')
  const { stdout } = await run(join(dirname(path), 'rustc'), ['--print', 'sysroot'], { timeout: versionTimeoutMs, env: { ...env, PATH: searchPath, ...((await isThere(rustup)) ? { RUSTUP_HOME: rustup } : {}) } })
  const real = join(stdout.trim(), 'bin', name)
  return (await isThere(real)) ? real : path
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function mountsOf(path: string): Promise<string[]> {
  const real = await realpath(path)
  return [...new Set([path, real].filter((file) => !systemDirectories.some((directory) => file.startsWith(directory))).map((file) => dirname(dirname(file))))]
}

/** From its npm platform package, so that nothing but a package registry is needed. */
async function installNode({ range }: ToolRequest, toolchains: string, env: Record<string, string>, log: Logger): Promise<Tool> {
  const installed = await bestInstalled(toolchains, range)
  if (installed) return installed
  const name = `node-${process.platform}-${process.arch}`
  const unavailable = (why: string): Error =>
    fail('TOOLCHAIN_MISSING', { message: `The source asks for Node.js ${range}, and this machine has none that fits.`, why, fix: `Change "engines.node" in package.json, or install a Node.js that fits ${range} on the machine that builds.` })
  let versions: string[]
  try {
    const { stdout } = await run('npm', ['view', name, 'versions', '--json'], { timeout: installTimeoutMs, env, maxBuffer: 16 * 1024 * 1024 })
    versions = [JSON.parse(stdout) as string | string[]].flat()
  } catch (error) {
    throw unavailable(`The package ${name} could not be looked up: ${lastLine(error)}`)
  }
  const version = chooseNode(versions, range)
  if (!version) throw unavailable(`No published version of ${name} fits.`)
  log.info({ version }, 'installing Node.js for a build')
  const directory = join(toolchains, `node-${version}`)
  const unfinished = join(toolchains, `.node-${version}-${process.pid}-${Date.now()}`)
  await mkdir(unfinished, { recursive: true })
  try {
    await run('npm', ['install', '--prefix', unfinished, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`], { timeout: installTimeoutMs, env })
    await rename(join(unfinished, 'node_modules', name), directory).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } catch (error) {
    throw unavailable(`${name}@${version} could not be installed: ${lastLine(error)}`)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return { name: 'node', version, path: join(directory, 'bin', 'node'), mounts: [directory] }
}

/** The newest of the long-term lines, which have even numbers; another only when none of them fits. */
export function chooseNode(versions: readonly string[], range: string): string | undefined {
  const lasting = versions.filter((version) => semver.valid(version, { loose: true }) && semver.major(version, { loose: true }) % 2 === 0)
  return semver.maxSatisfying(lasting, range, { loose: true }) ?? semver.maxSatisfying([...versions], range, { loose: true }) ?? undefined
}

async function bestInstalled(toolchains: string, range: string): Promise<Tool | undefined> {
  const names = await readdir(toolchains).catch(() => [])
  const versions = names.flatMap((name) => /^node-(\d.*)$/.exec(name)?.[1] ?? [])
  const version = semver.maxSatisfying(versions, range, { loose: true })
  if (!version) return undefined
  const directory = join(toolchains, `node-${version}`)
  return { name: 'node', version, path: join(directory, 'bin', 'node'), mounts: [directory] }
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return (stderr || message).trim().split('\n').at(-1)!.slice(0, 300)
}
