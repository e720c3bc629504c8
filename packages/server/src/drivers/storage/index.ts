/** Sources and artifacts on the disk of one machine. */
import { lstat, open, readFile, realpath, rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Readable } from 'node:stream'
import { fail } from '@pavior/contract'
import type { FileTree, SourceFiles } from '../../rooms/catalog/ports.ts'
import type { ArtifactStore, SourceStore } from '../../rooms/delivery/ports.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import { DirectoryStore } from './directory-store.ts'
import { digestTree, listTree } from './tree.ts'
import { unpack, type UnpackLimits } from './unpack.ts'

/** Builders look at small files only. */
const largestText = 4 * 1024 * 1024
const largestReadTree = 32 * 1024 * 1024

export function createSourceStore(root: string, limits: UnpackLimits): SourceStore & SourceFiles & Part {
  const store = new DirectoryStore(root)
  return {
    name: 'sources',
    start: () => store.start(),
    stop: async () => {},
    accept: async (stream: Readable) => {
      // A sender that breaks off before we read must not end the process; reading tells us.
      stream.on('error', () => {})
      const directory = await store.makeIncoming()
      try {
        await unpack(stream, directory, limits)
        return await store.adopt(directory)
      } catch (error) {
        await rm(directory, { recursive: true, force: true })
        throw error
      }
    },
    has: (digest) => store.has(digest),
    directoryOf: (digest) => store.directoryOf(digest),
    facts: async (digest, subdirectory, reads) => {
      const root = join(store.directoryOf(digest), subdirectory ?? '.')
      const entries = await listTree(root).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' || error.code === 'ENOTDIR' ? fail('NOT_DETECTED', { message: `The source has no directory "${subdirectory}".` }) : error
      })
      const files = entries.filter(({ type }) => type === 'file')
      const texts: Record<string, string> = {}
      for (const { path, size } of files) {
        if (reads.includes(path) && size <= largestText) texts[path] = await readText(join(root, path))
      }
      return { paths: entries.map(({ path }) => posix.normalize(path)), texts }
    },
    read: (digest, path, largestBytes) => readFileOf(store.directoryOf(digest), path, largestBytes),
    list: async (digest, directory) => {
      const files = await listTree(store.directoryOf(digest)).catch(() => [])
      return files.filter(({ type, path }) => type === 'file' && (directory === '' || path.startsWith(`${directory}/`)))
    },
    collect: (live, keepMs) => store.collect(live, keepMs),
  }
}

/** A plain file inside the tree, whatever links there are on the way; undefined otherwise. */
async function readFileOf(root: string, path: string, largestBytes: number): Promise<string | undefined> {
  try {
    const full = join(root, posix.normalize(path))
    const found = await lstat(full)
    if (!found.isFile() || found.size > largestBytes) return undefined
    const real = await realpath(full)
    return real.startsWith(`${await realpath(root)}/`) ? await readText(real) : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path)
  try {
    return (await file.readFile('utf8')).replace(/^\uFEFF/, '')
  } finally {
    await file.close()
  }
}

export function createArtifactStore(root: string): ArtifactStore & Part & { makeIncoming: () => Promise<string> } {
  const store = new DirectoryStore(root)
  return {
    name: 'artifacts',
    start: () => store.start(),
    stop: async () => {},
    put: (directory, named) => store.adopt(directory, named),
    has: (digest) => store.has(digest),
    verify: async (digest) => (await digestTree(store.directoryOf(digest), await listTree(store.directoryOf(digest)))) === digest,
    directoryOf: (digest) => store.directoryOf(digest),
    collect: (live, keepMs) => store.collect(live, keepMs),
    makeIncoming: () => store.makeIncoming(),
  }
}

/** Every file of a stored tree with its contents; for trees that are small. */
export async function readTree(root: string): Promise<FileTree> {
  const files = await listTree(root)
  const link = files.find(({ type }) => type === 'link')
  if (link) throw fail('UPLOAD_UNSAFE_ENTRY', { message: `The archive holds the link "${link.path}"; links are not taken here.`, fix: 'Replace it by the file.' })
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  if (bytes > largestReadTree) throw fail('TOO_LARGE', { message: `The archive unpacks to ${Math.round(bytes / 1024 / 1024)} MiB; ${largestReadTree / 1024 / 1024} MiB are the limit here.` })
  return new Map(await Promise.all(files.map(async ({ path, executable }) => [path, { content: await readFile(join(root, path)), executable }] as const)))
}
