/** Turns the bytes of a log into lines. */
import type { LogLine } from '@pavior/contract'
import type { LogFile } from './log-file.ts'
import { TimeCursor } from './times.ts'

export interface ReadOptions {
  /** Bytes to begin at. */
  offset?: number
  /** Only the last lines. */
  tail?: number
  /** Only what was seen at or after this time, in milliseconds since the epoch. */
  sinceMs?: number
  /** Go on until the log ends. */
  follow?: boolean
  signal?: AbortSignal
}

const chunkBytes = 64 * 1024
/** Longer lines are cut here and go on in the next one. */
export const lineMaxBytes = 16 * 1024
const newline = 10

/** Lines in batches, each as large as what one read brought. */
export async function* readLines(log: LogFile, options: ReadOptions): AsyncGenerator<LogLine[]> {
  const times = new TimeCursor(log.times)
  const first = await firstOffset(log, options, times)
  const splitter = new LineSplitter(first, first > 0 && first === log.head)
  for await (const chunk of readChunks(log, splitter.position, options)) {
    if (chunk.offset !== splitter.position) splitter.restart(chunk.offset)
    const lines = splitter.push(chunk.bytes)
    const nowMs = Date.now()
    times.refresh()
    yield lines.map(({ text, from, next }) => ({ time: new Date(times.at(from, nowMs)).toISOString(), line: text, next }))
  }
  const rest = splitter.rest()
  if (rest) yield [{ time: new Date(times.at(rest.from, Date.now())).toISOString(), line: rest.text, next: rest.next }]
}

/** The bytes as they are, from an offset on. A chunk that does not follow the one before it means that the log was cut. */
export async function* readChunks(
  log: LogFile,
  from: number,
  options: Pick<ReadOptions, 'follow' | 'signal'> & { live?: boolean },
): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  let offset = from
  let wake = () => {}
  const stopListening = log.onGrow(() => wake(), options.live)
  const onAbort = () => wake()
  options.signal?.addEventListener('abort', onAbort)
  try {
    while (!options.signal?.aborted) {
      const grown = new Promise<void>((resolve) => (wake = resolve))
      const mayGrow = log.tracked
      const at = Math.max(offset, log.head)
      const buffer = Buffer.allocUnsafe(chunkBytes)
      const count = await log.read(at, buffer)
      if (at < log.head) continue
      if (count > 0) {
        offset = at + count
        yield { offset: at, bytes: buffer.subarray(0, count) }
      } else if (!options.follow || !mayGrow) {
        return
      } else if (!options.signal?.aborted) {
        await grown
      }
    }
  } finally {
    stopListening()
    options.signal?.removeEventListener('abort', onAbort)
  }
}

async function firstOffset(log: LogFile, options: ReadOptions, times: TimeCursor): Promise<number> {
  const offsets = [log.head, options.offset ?? 0]
  if (options.tail !== undefined) offsets.push(await tailOffset(log, options.tail))
  if (options.sinceMs !== undefined) offsets.push(times.offsetSince(options.sinceMs))
  return Math.max(...offsets)
}

/** Where the last `count` lines begin. */
async function tailOffset(log: LogFile, count: number): Promise<number> {
  const end = log.size()
  if (count <= 0) return end
  let left = count
  for (let to = end; to > log.head;) {
    const from = Math.max(log.head, to - chunkBytes)
    const buffer = Buffer.allocUnsafe(to - from)
    const length = await log.read(from, buffer)
    for (let at = length - 1; at >= 0; at--) {
      // The break at the very end closes the last line rather than beginning another.
      if (buffer[at] === newline && from + at < end - 1 && --left === 0) return from + at + 1
    }
    to = from
  }
  return log.head
}

interface Line {
  text: string
  from: number
  next: number
}

/** Cuts bytes into lines; holds what has no line break yet. */
export class LineSplitter {
  position: number
  #pending: Buffer = Buffer.alloc(0)
  #torn: boolean

  /** `torn` says that the first line has lost its beginning; it is left out. */
  constructor(position: number, torn = false) {
    this.position = position
    this.#torn = torn
  }

  /** Goes on at another offset, because what was between was given up. */
  restart(position: number): void {
    this.position = position
    this.#pending = Buffer.alloc(0)
    this.#torn = true
  }

  push(bytes: Buffer): Line[] {
    const lines = this.#split(bytes)
    if (this.#torn && lines.shift()) this.#torn = false
    return lines
  }

  #split(bytes: Buffer): Line[] {
    const all = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes
    let from = this.position - this.#pending.length
    this.position += bytes.length
    const lines: Line[] = []
    let at = 0
    while (at < all.length) {
      const found = all.indexOf(newline, at)
      const end = found < 0 ? all.length : found
      if (end - at > lineMaxBytes) {
        const cut = characterStart(all, at + lineMaxBytes)
        lines.push({ text: all.toString('utf8', at, cut), from, next: from + cut - at })
        from += cut - at
        at = cut
      } else if (found < 0) {
        break
      } else {
        const textEnd = found > at && all[found - 1] === 13 ? found - 1 : found
        lines.push({ text: all.toString('utf8', at, textEnd), from, next: from + found + 1 - at })
        from += found + 1 - at
        at = found + 1
      }
    }
    // A copy, because a small rest would keep the whole chunk in memory.
    this.#pending = at < all.length ? Buffer.from(all.subarray(at)) : Buffer.alloc(0)
    return lines
  }

  /** What has no line break, at the end. */
  rest(): Line | undefined {
    if (this.#pending.length === 0) return undefined
    const line = { text: this.#pending.toString('utf8'), from: this.position - this.#pending.length, next: this.position }
    this.#pending = Buffer.alloc(0)
    return line
  }
}

/** The nearest place at or before `at` where no UTF-8 character is torn apart. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at
  while (start > at - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return start
}
