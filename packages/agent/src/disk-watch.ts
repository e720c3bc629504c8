/** Notices when a task has written more than it may, without counting all its files all the time. */
import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'

export interface DiskWatchOptions {
  /** Path of du. */
  du: string
  /** Directories that are counted together. The first one tells the volume. */
  paths: string[]
  limitBytes: number
  /** What was there before; counted first when it is not known yet. */
  baseBytes?: number
  diskPollMs: number
  diskCountMaxMs: number
  onBase: (bytes: number) => void
  onFull: (usedBytes: number) => void
}

/** A count may take at most this share of the time. */
const countShare = 0.1

export class DiskWatch {
  readonly #options: DiskWatchOptions
  #baseBytes?: number
  #usedBytes = 0
  #freeAtCount = 0
  #nextCountMs = 0
  #countedMs = 0
  #timer?: NodeJS.Timeout
  #closed = false

  constructor(options: DiskWatchOptions) {
    this.#options = options
    this.#baseBytes = options.baseBytes
    void this.#poll()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #poll(): Promise<void> {
    try {
      if (await this.#mayBeFull()) await this.#count()
    } catch {
      // A directory that vanishes while it is counted is counted again next time.
    }
    if (this.#closed) return
    if (this.#usedBytes > this.#options.limitBytes) return this.#options.onFull(this.#usedBytes)
    this.#timer = setTimeout(() => void this.#poll(), this.#options.diskPollMs)
  }

  /** The directories cannot have grown by more than the volume has, unless somebody else gave space back meanwhile. */
  async #mayBeFull(): Promise<boolean> {
    const now = Date.now()
    if (now < this.#nextCountMs) return false
    if (this.#baseBytes === undefined || now - this.#countedMs > this.#options.diskCountMaxMs) return true
    const grown = this.#freeAtCount - (await freeBytes(this.#options.paths[0] ?? '/'))
    return this.#usedBytes + grown > this.#options.limitBytes
  }

  async #count(): Promise<void> {
    const begunMs = Date.now()
    this.#freeAtCount = await freeBytes(this.#options.paths[0] ?? '/')
    const bytes = await diskUse(this.#options.du, this.#options.paths)
    this.#countedMs = Date.now()
    this.#nextCountMs = this.#countedMs + (this.#countedMs - begunMs) / countShare
    if (this.#baseBytes === undefined) {
      this.#baseBytes = bytes
      this.#options.onBase(bytes)
    }
    this.#usedBytes = Math.max(0, bytes - this.#baseBytes)
  }
}

async function freeBytes(path: string): Promise<number> {
  const stat = await statfs(path)
  return stat.bavail * stat.bsize
}

/** Bytes that directories occupy on disk. du of coreutils counts fifty thousand files in a tenth of a second. */
export function diskUse(du: string, paths: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    execFile(du, ['--summarize', '--block-size=1', '--total', '--', ...paths], { env: { LC_ALL: 'C' } }, (error, output) => {
      // Files that vanish meanwhile make du end with an error, and its total is good all the same.
      const total = /^(\d+)\ttotal$/m.exec(output)?.[1]
      if (total === undefined) reject(error ?? new Error('du printed no total'))
      else resolve(Number(total))
    })
  })
}
