/**
 * When which part of a log was seen: pairs of (milliseconds since the epoch, log size), as 64-bit floats.
 * The bytes before a size and behind the one before it were seen at its time.
 */
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { writeAtomically } from '../state/atomic.ts'

const entryBytes = 16
/** More entries than this are thinned out: a megabyte is enough for any log. */
const entriesMax = 65_536

export class LogTimes {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  append(timeMs: number, size: number): void {
    const entry = Buffer.alloc(entryBytes)
    entry.writeDoubleLE(timeMs, 0)
    entry.writeDoubleLE(size, 8)
    appendFileSync(this.#file, entry, { mode: 0o600 })
  }

  /** Size up to which the log was seen. */
  lastSize(): number {
    const bytes = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
    if (bytes < entryBytes) return 0
    const descriptor = openSync(this.#file, 'r')
    try {
      const entry = Buffer.alloc(entryBytes)
      readSync(descriptor, entry, 0, entryBytes, (Math.floor(bytes / entryBytes) - 1) * entryBytes)
      return entry.readDoubleLE(8)
    } finally {
      closeSync(descriptor)
    }
  }

  /** Number of entries; cheap. */
  count(): number {
    return Math.floor((statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) / entryBytes)
  }

  load(): { timeMs: number; size: number }[] {
    if (!existsSync(this.#file)) return []
    const bytes = readFileSync(this.#file)
    const entries = []
    for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
      entries.push({ timeMs: bytes.readDoubleLE(at), size: bytes.readDoubleLE(at + 8) })
    }
    return entries
  }

  /** Forgets what is before `head`, and every second entry when that is not enough. */
  compact(head: number): void {
    if (this.count() < entriesMax) return
    let entries = this.load().filter((entry) => entry.size > head)
    if (entries.length > entriesMax / 2) entries = entries.filter((_, index) => index % 2 === 1 || index === entries.length - 1)
    const bytes = Buffer.alloc(entries.length * entryBytes)
    entries.forEach((entry, index) => {
      bytes.writeDoubleLE(entry.timeMs, index * entryBytes)
      bytes.writeDoubleLE(entry.size, index * entryBytes + 8)
    })
    writeAtomically(this.#file, bytes, { durable: false })
  }
}

/** Looks times up for rising offsets. */
export class TimeCursor {
  readonly #times: LogTimes
  #entries: { timeMs: number; size: number }[] = []
  #at = 0

  constructor(times: LogTimes) {
    this.#times = times
    this.refresh()
  }

  /** Reads what was noted since. */
  refresh(): void {
    if (this.#times.count() === this.#entries.length) return
    const before = this.#entries.length
    this.#entries = this.#times.load()
    if (this.#entries.length < before) this.#at = 0
  }

  /** When the byte at `offset` was seen; now, when nobody has looked since it was written. */
  at(offset: number, nowMs: number): number {
    while (this.#at < this.#entries.length && (this.#entries[this.#at]?.size ?? 0) <= offset) this.#at++
    return this.#entries[this.#at]?.timeMs ?? nowMs
  }

  /** First offset that was seen at or after a time. */
  offsetSince(timeMs: number): number {
    const index = this.#entries.findIndex((entry) => entry.timeMs >= timeMs)
    if (index === 0) return 0
    return index < 0 ? (this.#entries.at(-1)?.size ?? 0) : (this.#entries[index - 1]?.size ?? 0)
  }
}
