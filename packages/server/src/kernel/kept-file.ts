/** Keys of this installation in files that only their owner can read. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What stands at `path`; made when it is missing. Whoever comes first makes it, and everybody gets what stands there. */
export async function keptFile(path: string, make: () => Buffer | string): Promise<Buffer> {
  const there = await readFile(path).catch(ignoreMissing)
  if (there) return there
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, make(), { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return readFile(path)
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
