/**
 * The few programs that stand around every command, with their libraries, in a directory of their own: an image may be
 * without a shell or have another C library, and the shim must run in it all the same.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where images show it. */
export const toolboxPath = '/.pavior'

export interface Toolbox {
  /** Host directory. */
  directory: string
  /** Words in front of the arguments of one of its programs, as they are inside an image. */
  words: (name: string) => string[]
}

/** Makes the toolbox from programs of this host, unless it is there. Throws when they cannot be copied. */
export async function openToolbox(parent: string, programs: Record<string, string>): Promise<Toolbox> {
  const libraries = new Map<string, string>()
  let loader: string | undefined
  const printed = await Promise.all(Object.values(programs).map((path) => run('ldd', [path], { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } })))
  for (const { stdout } of printed) {
    const needed = parseNeeded(stdout)
    loader ??= needed.loader
    for (const library of needed.libraries) libraries.set(basename(library), library)
  }
  if (loader === undefined) throw new Error('the programs of this machine have no loader')
  const files = new Map([
    ['ld', loader],
    ...[...libraries].map(([name, path]) => [`lib/${name}`, path] as const),
    ...Object.entries(programs).map(([name, path]) => [`bin/${name}`, path] as const),
  ])
  return { directory: await copyFiles(parent, files), words: (name) => [`${toolboxPath}/ld`, '--library-path', `${toolboxPath}/lib`, `${toolboxPath}/bin/${name}`] }
}

/** Reads what ldd(1) prints: `libc.so.6 => /lib/libc.so.6 (0x…)` for a library, `/lib64/ld-linux.so.2 (0x…)` for the loader. */
export function parseNeeded(text: string): { loader?: string; libraries: string[] } {
  const libraries = [...text.matchAll(/=>\s+(\/\S+)\s+\(0x/g)].map(([, path]) => path!)
  const loader = /^\s+(\/\S+)\s+(?:=>\s+\S+\s+)?\(0x/m.exec(text)?.[1]
  return { loader, libraries }
}

/** Named by what is in it: instances that run go on with theirs when the machine's programs were updated. */
async function copyFiles(parent: string, files: Map<string, string>): Promise<string> {
  const hash = createHash('sha256')
  const sources = new Map<string, string>()
  for (const [name, path] of files) {
    const real = await realpath(path)
    const { size, mtimeMs } = await stat(real)
    sources.set(name, real)
    hash.update(`${name} ${real} ${size} ${mtimeMs}\n`)
  }
  const directory = join(parent, hash.digest('hex').slice(0, 16))
  if (existsSync(directory)) return directory
  const unfinished = `${directory}.new`
  await rm(unfinished, { recursive: true, force: true })
  for (const part of ['', 'bin', 'lib']) await mkdir(join(unfinished, part), { recursive: true, mode: 0o755 })
  for (const [name, path] of sources) {
    await cp(path, join(unfinished, name))
    await chmod(join(unfinished, name), 0o755)
  }
  await rename(unfinished, directory)
  return directory
}
