/** Turns the bytes of a log into lines. */
import type { CollectedLine, LogLine } from '@pavior/contract'
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
  const end = log.size()
  const splitter = splitterAt(log, await firstOffset(log, options, times, end))
  // Who does not follow gets what is there now: a log that grows meanwhile would make more of the last lines.
  for await (const chunk of readChunks(log, splitter.position, options.follow ? options : { ...options, end })) {
    const lines = splitter.take(chunk)
    const nowMs = Date.now()
    times.refresh()
    yield lines.map(({ text, from, next }) => ({ time: new Date(times.at(from, nowMs)).toISOString(), line: text, next }))
  }
  const rest = splitter.rest()
  if (rest) yield [{ time: new Date(times.at(rest.from, Date.now())).toISOString(), line: rest.text, next: rest.next }]
}

/** The bytes as they are, from an offset on, at most up to `end`. A chunk that does not follow the one before it means that the log was cut. */
export async function* readChunks(
  log: LogFile,
  from: number,
  options: Pick<ReadOptions, 'follow' | 'signal'> & { live?: boolean; end?: number },
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
      const left = (options.end ?? Infinity) - at
      if (left <= 0) return
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, left))
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

/** Lines behind an offset that was taken, out of about so many bytes; the last one without a line break only when nobody writes any more. */
export async function readBehind(log: LogFile, taken: number, maxBytes: number): Promise<{ lines: CollectedLine[]; next: number; isEnd: boolean }> {
  const size = log.size()
  const ended = !log.tracked
  const from = Math.max(taken, log.head)
  const until = Math.min(size, from + maxBytes)
  const splitter = new LineSplitter(from, from > taken)
  const pieces: Line[] = []
  for await (const chunk of readChunks(log, from, { end: until })) pieces.push(...splitter.take(chunk))
  const rest = ended && splitter.position >= size ? splitter.rest() : undefined
  if (rest) pieces.push(rest)
  const times = new TimeCursor(log.times)
  const nowMs = Date.now()
  // Many lines are seen at one moment.
  let [lastMs, time] = [NaN, '']
  let continues = from === taken && from > log.head && !(await isBreakBefore(log, from))
  const lines = pieces.map(({ text, from: begin, next, cut }): CollectedLine => {
    const timeMs = times.at(begin, nowMs)
    if (timeMs !== lastMs) [lastMs, time] = [timeMs, new Date(timeMs).toISOString()]
    const line: CollectedLine = { time, line: text, next }
    if (continues) line.continues = true
    continues = cut === true
    return line
  })
  const next = lines.at(-1)?.next ?? from
  return { lines, next, isEnd: next >= size }
}

async function isBreakBefore(log: LogFile, offset: number): Promise<boolean> {
  const byte = Buffer.alloc(1)
  return (await log.read(offset - 1, byte)) === 0 || byte[0] === newline
}

async function firstOffset(log: LogFile, options: ReadOptions, times: TimeCursor, end: number): Promise<number> {
  const offsets = [log.head, options.offset ?? 0]
  if (options.tail !== undefined) offsets.push(await tailOffset(log, options.tail, end))
  if (options.sinceMs !== undefined) offsets.push(times.offsetSince(options.sinceMs))
  return Math.max(...offsets)
}

/** Where the last `count` lines before `end` begin, as they are given out: what is cut for its length counts as several. */
async function tailOffset(log: LogFile, count: number, end: number): Promise<number> {
  if (count <= 0) return end
  const { start, longest } = await tailBreak(log, count, end)
  if (longest <= lineMaxBytes) return start
  const starts: number[] = []
  let seen = 0
  const splitter = splitterAt(log, start)
  const note = ({ from }: Line) => (starts[seen++ % count] = from)
  for await (const chunk of readChunks(log, start, { end })) splitter.take(chunk).forEach(note)
  const rest = splitter.rest()
  if (rest) note(rest)
  return seen <= count ? start : starts[seen % count]!
}

/** Where the last `count` lines before `end` begin when only line breaks count, and how long the longest of them is. */
async function tailBreak(log: LogFile, count: number, end: number): Promise<{ start: number; longest: number }> {
  let left = count
  let longest = 0
  let lineEnd = end
  for (let to = end; to > log.head;) {
    const from = Math.max(log.head, to - chunkBytes)
    const buffer = Buffer.allocUnsafe(to - from)
    const length = await log.read(from, buffer)
    for (let at = length - 1; at >= 0; at--) {
      if (buffer[at] !== newline) continue
      // The break at the very end closes the last line rather than beginning another.
      if (from + at < end - 1) {
        longest = Math.max(longest, lineEnd - from - at - 1)
        if (--left === 0) return { start: from + at + 1, longest }
      }
      lineEnd = from + at
    }
    to = from
  }
  return { start: log.head, longest: Math.max(longest, lineEnd - log.head) }
}

/** What begins where the log was cut has lost its first line's beginning. */
function splitterAt(log: LogFile, offset: number): LineSplitter {
  return new LineSplitter(offset, offset > 0 && offset === log.head)
}

interface Line {
  text: string
  from: number
  next: number
  /** It goes on in the next one. */
  cut?: boolean
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

  /** Takes what was read next. When it does not follow on, what was between was given up. */
  take({ offset, bytes }: { offset: number; bytes: Buffer }): Line[] {
    if (offset !== this.position) {
      this.position = offset
      this.#pending = Buffer.alloc(0)
      this.#torn = true
    }
    return this.push(bytes)
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
        lines.push({ text: all.toString('utf8', at, cut), from, next: from + cut - at, cut: true })
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
