/** Walking, normalising and digesting a directory tree. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, lchown, lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { inParallel } from '../../kernel/in-parallel.ts'

export interface TreeEntry {
  path: string
  type: 'file' | 'link'
  executable: boolean
  size: number
}

const smallFileBytes = 4 * 1024 * 1024
const parallelReads = 16

/** Files and links below a directory, sorted by path; directories are implied by what is in them. */
export async function listTree(root: string, { normalise = false }: { normalise?: boolean } = {}): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  /** Resolves with the path when it is a directory. */
  const look = async (path: string): Promise<string[]> => {
    const full = join(root, path)
    const found = await lstat(full)
    if (normalise && (found.uid !== uid || found.gid !== gid)) await lchown(full, uid, gid)
    if (found.isDirectory()) {
      if (normalise && (found.mode & 0o7777) !== 0o755) await chmod(full, 0o755)
      return [path]
    }
    if (found.isSymbolicLink()) entries.push({ path, type: 'link', executable: false, size: 0 })
    else if (found.isFile()) {
      const executable = (found.mode & 0o100) !== 0
      const mode = executable ? 0o755 : 0o644
      if (normalise && (found.mode & 0o7777) !== mode) await chmod(full, mode)
      entries.push({ path, type: 'file', executable, size: found.size })
    }
    return []
  }
  const visit = async (directory: string): Promise<string[]> => {
    const names = await readdir(join(root, directory))
    return (await Promise.all(names.map((name) => look(directory ? `${directory}/${name}` : name)))).flat()
  }
  // Level by level, so that much is under way at once and never everything.
  for (let level = ['']; level.length > 0; ) level = (await inParallel(level, parallelReads, visit)).flat()
  return entries.toSorted((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0))
}

/** sha256 over paths, kinds, executable bits and contents: times, owners and order do not matter. */
export async function digestTree(root: string, entries: TreeEntry[]): Promise<string> {
  const contents = await inParallel(entries, parallelReads, (entry) => (entry.type === 'link' ? readlink(join(root, entry.path)) : digestFile(join(root, entry.path), entry.size)))
  const hash = createHash('sha256')
  entries.forEach(({ path, type, executable }, index) => hash.update(`${type}\0${executable ? 'x' : '-'}\0${path}\0${contents[index]}\n`))
  return `sha256:${hash.digest('hex')}`
}

async function digestFile(path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  if (size <= smallFileBytes) hash.update(await readFile(path))
  else await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
