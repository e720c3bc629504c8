/** Packs a directory for upload: what .gitignore and .paviorignore leave, as a tar stream, gzip. */
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createGzip } from 'node:zlib'
import ignore, { type Ignore } from 'ignore'
import { fail } from '@pavior/contract'
import { pack as createPack } from 'tar-stream'

/** Never source, whatever the ignore files say. */
const alwaysIgnored = ['.git', '.hg', '.svn', 'node_modules', '.venv', '__pycache__', '.DS_Store', '.pavior']
const ignoreFiles = ['.gitignore', '.paviorignore']

export interface PackedFile {
  path: string
  size: number
  mode: number
  link?: string
}

interface Scope {
  /** Directory of the ignore files, relative, with a trailing slash unless the top. */
  prefix: string
  rules: Ignore
}

/** Files in the order of their paths, so that the same directory packs to the same bytes. */
export async function listFiles(directory: string): Promise<PackedFile[]> {
  const files: PackedFile[] = []
  const visit = async (relative: string, scopes: Scope[]): Promise<void> => {
    const own = [...scopes, ...(await readScope(directory, relative))]
    const entries = await readdir(join(directory, relative), { withFileTypes: true })
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = relative + entry.name
      if (alwaysIgnored.includes(entry.name)) continue
      if (isIgnored(own, entry.isDirectory() ? `${path}/` : path)) continue
      if (entry.isDirectory()) await visit(`${path}/`, own)
      else if (entry.isSymbolicLink()) files.push({ path, size: 0, mode: 0o777, link: await readlink(join(directory, path)) })
      else if (entry.isFile()) {
        const { size, mode } = await lstat(join(directory, path))
        files.push({ path, size, mode: mode & 0o100 ? 0o755 : 0o644 })
      }
    }
  }
  await visit('', [])
  return files
}

async function readScope(directory: string, relative: string): Promise<Scope[]> {
  const texts = await Promise.all(ignoreFiles.map((name) => readFile(join(directory, relative, name), 'utf8').catch(() => '')))
  return texts.some(Boolean) ? [{ prefix: relative, rules: ignore().add(texts.join('\n')) }] : []
}

/** The innermost file that says something decides, as with git. */
function isIgnored(scopes: Scope[], path: string): boolean {
  for (const { prefix, rules } of scopes.toReversed()) {
    const { ignored, unignored } = rules.test(path.slice(prefix.length))
    if (ignored || unignored) return ignored
  }
  return false
}

export interface Packed {
  files: number
  bytes: number
  stream: NodeJS.ReadableStream & import('node:stream').Readable
}

export async function packDirectory(directory: string): Promise<Packed> {
  const files = await listFiles(directory).catch((error: NodeJS.ErrnoException) => {
    throw fail('UPLOAD_EMPTY', { message: `The directory ${directory} cannot be read: ${error.message}` })
  })
  if (files.length === 0) throw fail('UPLOAD_EMPTY', { message: `There is nothing to deploy in ${directory}.`, why: 'It is empty, or everything in it is ignored.' })
  const tar = createPack()
  const gzip = createGzip({ level: 1 })
  pipeline(tar, gzip, () => {})
  void write(tar, directory, files).catch((error: Error) => gzip.destroy(error))
  return { files: files.length, bytes: files.reduce((sum, file) => sum + file.size, 0), stream: gzip }
}

async function write(tar: ReturnType<typeof createPack>, directory: string, files: PackedFile[]): Promise<void> {
  const mtime = new Date(0)
  for (const { path, size, mode, link } of files) {
    if (link !== undefined) {
      tar.entry({ name: path, type: 'symlink', linkname: link, mode, mtime })
      continue
    }
    await new Promise<void>((resolve, reject) => {
      const entry = tar.entry({ name: path, size, mode, mtime }, (error) => (error ? reject(error) : resolve()))
      if (size === 0) {
        entry.end(Buffer.alloc(0))
        return
      }
      pipeline(createReadStream(join(directory, path), { end: size - 1 }), entry as never, (error) => {
        if (error) reject(error)
      })
    })
  }
  tar.finalize()
}
