/** Hands out the lines of all instances to whoever takes them, fairly, and keeps the errors of what had to be given up before. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { logLevelOf, type CollectedLine, type CollectedLog, type LogsCollected, type LogsWanted } from '@pavior/contract'
import { writeAtomically } from '../state/atomic.ts'
import type { LogFile } from './log-file.ts'
import { LineSplitter, readBehind } from './reader.ts'
import type { LogStore } from './store.ts'
import { TimeCursor } from './times.ts'

/** Of one log, before the next has its turn. */
const turnBytes = 256 * 1024

/** What was given up of a log since it was last taken. */
interface Lost {
  /** Offset behind it. */
  until: number
  lines: number
}

export class LogCollector {
  readonly #store: LogStore
  readonly #errorsKeptBytes: number
  /** Logs that may have lines which were not taken, in the order in which they have their turn. */
  #pending = new Set<string>()
  #taken = new Map<string, number>()
  #given = new Map<string, number>()
  #session = ''
  #wake = (): void => {}

  constructor({ store, errorsKeptBytes }: { store: LogStore; errorsKeptBytes: number }) {
    this.#store = store
    this.#errorsKeptBytes = errorsKeptBytes
    store.onGrow = (id) => {
      this.#pending.add(id)
      this.#wake()
    }
    store.onCut = (id, log, from, until) => this.#keepErrors(id, log, from, until)
  }

  async collect({ session, whole, taken, bytes, waitMs }: LogsWanted, signal: AbortSignal): Promise<LogsCollected> {
    if (!whole && session !== this.#session) return { resend: true, logs: [] }
    const known = whole ? this.#begin(session) : undefined
    for (const [id, offset] of Object.entries(taken)) this.#note(id, offset)
    let logs = await this.#read(bytes)
    if (logs.length === 0 && !whole && waitMs > 0) {
      await this.#grown(waitMs, signal)
      logs = signal.aborted ? [] : await this.#read(bytes)
    }
    return { resend: false, logs, ...(known ? { known } : {}) }
  }

  #begin(session: string): string[] {
    const known = this.#store.ofInstances()
    this.#session = session
    this.#taken = new Map()
    this.#given = new Map()
    this.#pending = new Set(known)
    return known
  }

  #note(id: string, offset: number): void {
    this.#taken.set(id, offset)
    // What was given and not taken is given again.
    if (offset < (this.#given.get(id) ?? 0)) this.#pending.add(id)
    const lost = this.#lost(id)
    if (lost && offset >= lost.until) for (const suffix of ['.lost', '.kept']) rmSync(this.#pathOf(id) + suffix, { force: true })
  }

  #grown(waitMs: number, signal: AbortSignal): Promise<void> {
    // It may have grown while it was read.
    if (this.#pending.size > 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', this.#wake, { once: true })
    })
  }

  /** A turn for each log that has something, until the answer is full; who had a turn comes last next time. */
  async #read(bytes: number): Promise<CollectedLog[]> {
    const logs: CollectedLog[] = []
    let left = bytes
    for (const id of [...this.#pending]) {
      if (left <= 0) break
      this.#pending.delete(id)
      const collected = await this.#readOne(id, Math.min(left, turnBytes))
      if (!collected) continue
      const taken = this.#taken.get(id) ?? 0
      left -= collected.next - taken
      this.#given.set(id, collected.next)
      if (collected.lines.length > 0 || collected.next > taken) logs.push(collected)
    }
    return logs
  }

  async #readOne(id: string, bytes: number): Promise<CollectedLog | undefined> {
    const [log, writer] = [this.#store.find(id), this.#store.writerOf(id)]
    if (!log || !writer) return undefined
    const taken = this.#taken.get(id) ?? 0
    const wasCut = log.head > taken
    if (wasCut) await log.settled()
    const { lines, next, isEnd } = await readBehind(log, taken, bytes)
    if (!isEnd && lines.length > 0) this.#pending.add(id)
    const kept = wasCut ? this.#kept(id).filter((line) => line.next > taken) : []
    const lost = wasCut ? Math.max(1, this.#lost(id)?.lines ?? 1) - kept.length : 0
    return { log: id, writer, next, lines: [...kept, ...lines], lost: Math.max(0, lost), ended: isEnd && !log.tracked }
  }

  /** Before a range is given up that nobody has taken: its errors stay in a file of their own, the newest of them. */
  async #keepErrors(id: string, log: LogFile, head: number, until: number): Promise<void> {
    const from = Math.max(head, this.#taken.get(id) ?? 0)
    if (from >= until) return
    const splitter = new LineSplitter(from, false)
    const times = new TimeCursor(log.times)
    const nowMs = Date.now()
    const errors: CollectedLine[] = []
    let lines = 0
    for await (const { bytes } of readGivenUp(log, from, until)) {
      for (const { text, from: begin, next } of splitter.push(bytes)) {
        lines++
        if (logLevelOf(text) === 'error') errors.push({ time: new Date(times.at(begin, nowMs)).toISOString(), line: text, next })
      }
    }
    writeAtomically(`${this.#pathOf(id)}.lost`, JSON.stringify({ until, lines: lines + (this.#lost(id)?.lines ?? 0) } satisfies Lost), { durable: false })
    if (errors.length > 0) writeAtomically(`${this.#pathOf(id)}.kept`, newest([...this.#kept(id), ...errors], this.#errorsKeptBytes), { durable: false })
  }

  #lost(id: string): Lost | undefined {
    const path = `${this.#pathOf(id)}.lost`
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Lost) : undefined
  }

  #kept(id: string): CollectedLine[] {
    const path = `${this.#pathOf(id)}.kept`
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as CollectedLine)
  }

  #pathOf(id: string): string {
    return this.#store.pathOf(id)
  }
}

/** The bytes of a range that readers are not given any more, and that is still there. */
async function* readGivenUp(log: LogFile, from: number, until: number): AsyncGenerator<{ bytes: Buffer }> {
  const buffer = Buffer.alloc(turnBytes)
  for (let at = from; at < until; ) {
    const count = await log.read(at, buffer.subarray(0, Math.min(buffer.length, until - at)))
    if (count === 0) return
    yield { bytes: buffer.subarray(0, count) }
    at += count
  }
}

/** As many of the last lines as fit. */
function newest(lines: readonly CollectedLine[], mostBytes: number): string {
  let text = ''
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = `${JSON.stringify(lines[index])}\n`
    if (text.length + line.length > mostBytes) break
    text = line + text
  }
  return text
}
