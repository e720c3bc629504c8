/** Records on disk until the server has taken them: a server that is away for an hour loses nothing. */
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Spooled } from '@pavior/contract'
import { writeAtomically } from './state/atomic.ts'

const segmentBytes = 1024 * 1024
/** Records of one answer. */
const batchCount = 5000

interface Segment {
  file: string
  /** Sequence of its first record. */
  first: number
  bytes: number
}

export class Spool<Item extends { sequence: number }> {
  readonly #directory: string
  readonly #maxBytes: number
  #segments: Segment[]
  #last: number
  /** Records that were dropped because nobody took them for too long. */
  droppedSegments = 0

  constructor(options: { directory: string; maxBytes: number }) {
    this.#directory = options.directory
    this.#maxBytes = options.maxBytes
    this.#segments = readdirSync(options.directory)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => ({
        file: join(options.directory, name),
        first: Number.parseInt(name, 10),
        bytes: statSync(join(options.directory, name)).size,
      }))
      .sort((one, other) => one.first - other.first)
    const newest = this.#segments.at(-1)
    if (newest) closeLastLine(newest)
    this.#last = Math.max(this.#acknowledged(), newest ? (readSegment<Item>(newest).at(-1)?.sequence ?? newest.first - 1) : 0)
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#segments.reduce((sum, each) => sum + each.bytes, 0)
  }

  /** Adds records and numbers them. */
  append(records: Item[]): void {
    if (records.length === 0) return
    const first = this.#last + 1
    const text = records.map((record) => `${JSON.stringify({ ...record, sequence: ++this.#last })}\n`).join('')
    let segment = this.#segments.at(-1)
    if (!segment || segment.bytes > segmentBytes) {
      segment = { file: join(this.#directory, `${String(first).padStart(16, '0')}.ndjson`), first, bytes: 0 }
      this.#segments.push(segment)
    }
    appendFileSync(segment.file, text, { mode: 0o600 })
    segment.bytes += Buffer.byteLength(text)
    this.#dropOldest()
  }

  /** Records above `after`; what is not above it was taken and is given up. */
  read(after: number): Spooled<Item> {
    this.#acknowledge(after)
    const records: Item[] = []
    for (const segment of this.#segments) {
      if (records.length >= batchCount) break
      records.push(...readSegment<Item>(segment).filter((record) => record.sequence > after))
    }
    const batch = records.slice(0, batchCount)
    return { records: batch, last: batch.at(-1)?.sequence ?? Math.min(after, this.#last) }
  }

  #acknowledge(after: number): void {
    if (after <= 0 || after > this.#last) return
    writeAtomically(join(this.#directory, 'acknowledged'), String(this.#last), { durable: false })
    // A segment is done with when the one behind it begins at or before what comes next.
    while (this.#segments.length > 0 && this.#endOf(0) <= after) this.#drop()
  }

  #endOf(index: number): number {
    const next = this.#segments[index + 1]
    return next ? next.first - 1 : this.#last
  }

  #dropOldest(): void {
    while (this.#segments.length > 1 && this.bytes > this.#maxBytes) {
      this.#drop()
      this.droppedSegments++
    }
  }

  #drop(): void {
    const [oldest] = this.#segments.splice(0, 1)
    if (oldest) rmSync(oldest.file, { force: true })
  }

  /** The highest number ever given out, as far as it was taken: numbers must not begin again when all files are gone. */
  #acknowledged(): number {
    const file = join(this.#directory, 'acknowledged')
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) || 0 : 0
  }
}

/** A crash may have cut the last line: what comes next must not be glued to it. */
function closeLastLine(segment: Segment): void {
  if (segment.bytes > 0 && !readFileSync(segment.file, 'utf8').endsWith('\n')) appendFileSync(segment.file, '\n')
}

/** A line that was cut by a crash is left out. */
function readSegment<Item>(segment: Segment): Item[] {
  return readFileSync(segment.file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as Item]
      } catch {
        return []
      }
    })
}
