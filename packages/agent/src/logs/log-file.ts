/**
 * One log: a file that a process appends to by itself, whether the agent lives or not.
 *
 * Offsets count every byte ever written, so they stay valid when the head is given up. The head is given up by punching
 * a hole: the writer keeps its open file, and nothing that it writes meanwhile can be lost. Where the file system cannot
 * do that, the tail is copied to a second file and the first one is emptied.
 */
import { execFile } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  watch,
  writeSync,
  type FSWatcher,
} from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { writeAtomically } from '../state/atomic.ts'
import { LogTimes } from './times.ts'

export interface LogSettings {
  logKeepBytes: number
  logTickMs: number
}

/** Where the bytes are that are still there. */
interface Extent {
  /** First offset that can be read. */
  head: number
  /** Offset of the first byte of the file. */
  base: number
  /** Offset of the first byte of the second file, which holds what was before `base`. */
  previous?: number
}

/** Holes are whole blocks. */
const blockBytes = 4096
/** With a reader on a live stream, such as a terminal, growth is looked at this often. */
const liveTickMs = 15

export class LogFile {
  readonly path: string
  readonly times: LogTimes
  readonly #settings: LogSettings
  readonly #fallocate?: string
  readonly #listeners = new Set<() => void>()
  #extent: Extent
  #seen = 0
  #tracked = false
  #live = 0
  #watcher?: FSWatcher
  #timer?: NodeJS.Timeout
  #cutting?: Promise<unknown>
  /** Called with a range that is about to be given up. */
  onCut?: (from: number, until: number) => Promise<void>
  #mayPunch: boolean

  constructor(path: string, settings: LogSettings, fallocate?: string) {
    this.path = path
    this.times = new LogTimes(`${path}.times`)
    this.#settings = settings
    this.#fallocate = fallocate
    this.#mayPunch = fallocate !== undefined
    this.#extent = existsSync(`${path}.extent`) ? (JSON.parse(readFileSync(`${path}.extent`, 'utf8')) as Extent) : { head: 0, base: 0 }
  }

  /** Whether somebody may still write to it. */
  get tracked(): boolean {
    return this.#tracked
  }

  get head(): number {
    return this.#extent.head
  }

  /** Offset behind the last byte. */
  size(): number {
    return this.#extent.base + (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0)
  }

  /** Opens it for a writer. */
  openForAppend(): number {
    return openSync(this.path, 'a', 0o600)
  }

  /** Begins to note when it grows. What grew while nobody looked was seen when the file was last changed. */
  track(): void {
    if (this.#tracked) return
    this.#tracked = true
    closeSync(this.openForAppend())
    this.#seen = this.times.lastSize()
    const size = this.size()
    if (size > this.#seen) this.#note(statSync(this.path).mtimeMs, size)
    this.#watch()
  }

  /** Nobody writes to it any more. */
  end(): void {
    if (!this.#tracked) return
    this.#look()
    this.#tracked = false
    this.#watcher?.close()
    clearTimeout(this.#timer)
    this.#tell()
  }

  /** Calls `listener` when there may be more to read, or when the log has ended. `live` asks for it at once. */
  onGrow(listener: () => void, live = false): () => void {
    this.#listeners.add(listener)
    if (live) this.#live++
    return () => {
      if (this.#listeners.delete(listener) && live) this.#live--
    }
  }

  /** Reads from an offset; fewer bytes than asked for only at the end or at a seam. Clamp `offset` to `head` before. */
  async read(offset: number, target: Buffer): Promise<number> {
    const { base, previous } = this.#extent
    const inPrevious = offset < base && previous !== undefined
    let file: FileHandle | undefined
    try {
      file = await open(inPrevious ? `${this.path}.1` : this.path, 'r')
      const length = inPrevious ? Math.min(target.length, base - offset) : target.length
      return (await file.read(target, 0, length, inPrevious ? offset - previous : offset - base)).bytesRead
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
      throw error
    } finally {
      await file?.close()
    }
  }

  remove(): void {
    this.end()
    for (const suffix of ['', '.1', '.times', '.extent', '.writer', '.kept', '.lost']) rmSync(this.path + suffix, { force: true })
  }

  /** Waits until no cut is going on. */
  async settled(): Promise<void> {
    while (this.#cutting) await this.#cutting
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.path, { persistent: false }, () => this.#onEvent())
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // Out of watches: look at it from time to time instead.
      this.#timer = setTimeout(() => this.#onEvent(), this.#settings.logTickMs).unref()
      return
    }
    // Something may have been written between the last look and the watch.
    if (this.size() > this.#seen) this.#onEvent()
  }

  /**
   * The first event of a burst is acted on at once, the rest of it once a tick: the watch is closed meanwhile, because
   * a process that writes a hundred thousand lines a second would cause as many events.
   */
  #onEvent(): void {
    if (!this.#tracked) return
    this.#watcher?.close()
    this.#look()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => {
        if (this.#look()) this.#onEvent()
        else this.#watch()
      },
      this.#live > 0 ? liveTickMs : this.#settings.logTickMs,
    ).unref()
  }

  #look(): boolean {
    const size = this.size()
    if (size <= this.#seen) return false
    this.#note(Date.now(), size)
    this.#tell()
    this.#cutIfLong(size)
    return true
  }

  #note(timeMs: number, size: number): void {
    this.#seen = size
    try {
      this.times.append(timeMs, size)
    } catch {
      // On a full disk the time of these lines is lost, not the lines.
    }
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #cutIfLong(size: number): void {
    const keep = this.#settings.logKeepBytes
    if (this.#cutting || size - this.#extent.head <= keep + keep / 4) return
    this.#cutting = this.#cut(size - keep)
      .then(() => this.#afterCut())
      // Without room for the second file or the extent the log stays long until it grows again.
      .catch(() => (this.#cutting = undefined))
  }

  /** It may have grown by more than was cut, and nothing else would tell. */
  #afterCut(): void {
    this.#cutting = undefined
    this.#cutIfLong(this.size())
  }

  async #cut(wantedHead: number): Promise<void> {
    const { base } = this.#extent
    const head = base + Math.floor((wantedHead - base) / blockBytes) * blockBytes
    // Saved before the hole is made, so that nobody reads zeros.
    const before = this.#extent
    if (head > before.head) {
      this.#save({ ...before, head })
      await this.onCut?.(before.head, head).catch(() => {})
    }
    this.#mayPunch &&= await punchHole(this.#fallocate ?? '', this.path, head - base)
    // The second file is replaced as a whole, so the first one must hold enough by itself by then.
    if (!this.#mayPunch && this.size() - base > this.#settings.logKeepBytes) this.#copyAndEmpty()
    this.times.compact(this.#extent.head)
  }

  /** Nothing is awaited between the last copy and the emptying, so only a write in that very moment could be lost. */
  #copyAndEmpty(): void {
    const { base } = this.#extent
    const source = openSync(this.path, 'r+')
    const target = openSync(`${this.path}.1.next`, 'w', 0o600)
    try {
      const from = Math.max(0, this.#extent.head - base)
      const chunk = Buffer.alloc(256 * 1024)
      let at = from
      for (let count = readSync(source, chunk, 0, chunk.length, at); count > 0; count = readSync(source, chunk, 0, chunk.length, at)) {
        writeSync(target, chunk, 0, count)
        at += count
      }
      ftruncateSync(source, 0)
      copyFileSync(`${this.path}.1.next`, `${this.path}.1`)
      this.#save({ head: base + from, base: base + at, previous: base + from })
    } finally {
      closeSync(source)
      closeSync(target)
      rmSync(`${this.path}.1.next`, { force: true })
    }
  }

  #save(extent: Extent): void {
    this.#extent = extent
    writeAtomically(`${this.path}.extent`, JSON.stringify(extent), { durable: false })
  }
}

/** Gives the first `length` bytes of a file back to the file system; false where it cannot. */
async function punchHole(fallocate: string, path: string, length: number): Promise<boolean> {
  if (length <= 0) return true
  const args = ['--punch-hole', '--keep-size', '--offset', '0', '--length', String(length), path]
  return new Promise((resolve) => execFile(fallocate, args, { env: {} }, (error) => resolve(error === null)))
}
