/** Directories named by the digest of their contents; how sources and artifacts are kept on one machine. */
import { randomUUID } from 'node:crypto'
import { access, cp, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '@pavior/contract'
import { digestTree, listTree } from './tree.ts'

export class DirectoryStore {
  readonly root: string
  readonly #algorithm: string
  readonly #incoming: string

  constructor(root: string) {
    this.root = root
    this.#algorithm = join(root, 'sha256')
    this.#incoming = join(root, 'incoming')
  }

  async start(): Promise<void> {
    await mkdir(this.#algorithm, { recursive: true })
    // Whatever a crash left half written has no name yet.
    await rm(this.#incoming, { recursive: true, force: true })
    await mkdir(this.#incoming, { recursive: true })
  }

  /** A new empty directory on the same file system, to be filled and then given to `adopt` or removed. */
  async makeIncoming(): Promise<string> {
    const directory = join(this.#incoming, randomUUID())
    await mkdir(directory)
    return directory
  }

  directoryOf(digest: string): string {
    const match = /^sha256:([0-9a-f]{64})$/.exec(digest)
    if (!match) throw fail('ARTIFACT_MISSING', { message: `"${digest.slice(0, 80)}" is not a digest.` })
    return join(this.#algorithm, match[1]!)
  }

  async has(digest: string): Promise<boolean> {
    return access(this.directoryOf(digest)).then(
      () => true,
      () => false,
    )
  }

  /** Normalises and names a directory; it is gone from where it was. The same contents are kept once. */
  async adopt(directory: string, named?: (digest: string) => Promise<void>): Promise<{ digest: string; bytes: number; files: number }> {
    const entries = await listTree(directory, { normalise: true })
    const digest = await digestTree(directory, entries)
    const target = this.directoryOf(digest)
    await named?.(digest)
    if (await this.has(digest)) await rm(directory, { recursive: true, force: true })
    else {
      await this.#move(directory, target).catch(async (error: NodeJS.ErrnoException) => {
        // Another one with the same contents came first.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
        await rm(directory, { recursive: true, force: true })
      })
    }
    const now = new Date()
    await utimes(target, now, now)
    return { digest, bytes: entries.reduce((sum, { size }) => sum + size, 0), files: entries.length }
  }

  /** A rename where it can be one; builds may lie on a disk of their own, then it is a copy that gets its name when it is complete. */
  async #move(directory: string, target: string): Promise<void> {
    try {
      return await rename(directory, target)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    }
    const copy = await this.makeIncoming()
    try {
      await cp(directory, copy, { recursive: true, verbatimSymlinks: true })
      await rename(copy, target)
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
    await rm(directory, { recursive: true, force: true })
  }

  /** Removes what is not live and was not touched for `keepMs`. */
  async collect(live: ReadonlySet<string>, keepMs: number): Promise<number> {
    let removed = 0
    for (const name of await readdir(this.#algorithm)) {
      if (live.has(`sha256:${name}`)) continue
      const path = join(this.#algorithm, name)
      const { mtimeMs } = await stat(path)
      if (Date.now() - mtimeMs < keepMs) continue
      // First out of sight, then gone: nobody sees half a tree.
      const doomed = join(this.#incoming, `${name}-${randomUUID()}`)
      await rename(path, doomed)
      await rm(doomed, { recursive: true, force: true })
      removed++
    }
    return removed
  }
}
