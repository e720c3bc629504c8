/** All logs of this home. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { lastWords, lastWordsReadLines, type DesiredSet, type LogWriter } from '@pavior/contract'
import { writeAtomically } from '../state/atomic.ts'
import { LogFile, type LogSettings } from './log-file.ts'
import { readLines } from './reader.ts'

export interface LogStoreSettings extends LogSettings {
  logsKeptMs: number
  logsKeptCount: number
}

const suffix = '.log'
/** Characters of a line in a problem's facts, which travel with every change of its instance. */
const lastLineMaxLength = 1000

/** Who writes the logs of a set's instances. */
export function writerOf(set: DesiredSet | undefined): LogWriter | undefined {
  return set && { team: set.workload.team, app: set.workload.app, environment: set.environment, release: set.release, process: set.process }
}

export class LogStore {
  readonly #directory: string
  readonly #settings: LogStoreSettings
  readonly #fallocate?: string
  readonly #tracked = new Map<string, LogFile>()

  /** Told when a log that is written to has grown or ended. */
  onGrow: (id: string) => void = () => {}
  /** Told what is about to be given up of an instance's log. */
  onCut: (id: string, log: LogFile, from: number, until: number) => Promise<void> = async () => {}

  constructor(options: { directory: string; settings: LogStoreSettings; fallocate?: string }) {
    this.#directory = options.directory
    this.#settings = options.settings
    this.#fallocate = options.fallocate
  }

  /** The log of a run that writes or is about to. With `writer` the server takes it. */
  track(id: string, writer?: LogWriter): LogFile {
    if (writer && !existsSync(`${this.pathOf(id)}.writer`)) writeAtomically(`${this.pathOf(id)}.writer`, JSON.stringify(writer), { durable: false })
    const known = this.#tracked.get(id)
    if (known) return known
    const log = this.#file(id)
    this.#tracked.set(id, log)
    log.onGrow(() => this.onGrow(id))
    log.onCut = (from, until) => (this.writerOf(id) ? this.onCut(id, log, from, until) : Promise.resolve())
    log.track()
    return log
  }

  /** Which instance wrote it; undefined for tasks. */
  writerOf(id: string): LogWriter | undefined {
    try {
      return JSON.parse(readFileSync(`${this.pathOf(id)}.writer`, 'utf8')) as LogWriter
    } catch {
      return undefined
    }
  }

  /** Logs of instances. */
  ofInstances(): string[] {
    return readdirSync(this.#directory).filter((name) => name.endsWith(`${suffix}.writer`)).map((name) => name.slice(0, -`${suffix}.writer`.length))
  }

  /** A log for reading; undefined when there is none. */
  find(id: string): LogFile | undefined {
    const tracked = this.#tracked.get(id)
    if (tracked) return tracked
    return existsSync(this.pathOf(id)) ? this.#file(id) : undefined
  }

  /** Nobody writes to it any more; it is kept for a while. */
  end(id: string): void {
    const log = this.#tracked.get(id)
    this.#tracked.delete(id)
    log?.end()
  }

  remove(id: string): void {
    const log = this.find(id)
    this.#tracked.delete(id)
    log?.remove()
  }

  /** The last complete or begun lines behind an offset that say something, for a problem's facts. None when the log cannot be read. */
  async lastLines(id: string, fromOffset: number, count: number): Promise<string[]> {
    const lines: string[] = []
    try {
      const log = this.find(id)
      if (!log) return []
      for await (const batch of readLines(log, { offset: fromOffset, tail: lastWordsReadLines }))
        lines.push(...batch.map((each) => each.line.slice(0, lastLineMaxLength)))
    } catch {
      // What was read so far says more than nothing.
    }
    return lastWords(lines, count)
  }

  /** Deletes logs that nobody writes to and that are too old or too many. `kept` names those that must stay. */
  sweep(nowMs: number, kept: (id: string) => boolean): void {
    const gone = readdirSync(this.#directory)
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
      .filter((id) => !this.#tracked.has(id) && !kept(id))
      .map((id) => ({ id, changedMs: statSync(this.pathOf(id), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((one, other) => other.changedMs - one.changedMs)
    gone.forEach(({ id, changedMs }, index) => {
      if (index >= this.#settings.logsKeptCount || nowMs - changedMs > this.#settings.logsKeptMs) this.remove(id)
    })
  }

  /** Ends all looking; writers go on. */
  close(): void {
    for (const log of this.#tracked.values()) log.end()
    this.#tracked.clear()
  }

  /** Of its file; what belongs to it lies beside it. */
  pathOf(id: string): string {
    return join(this.#directory, `${id}${suffix}`)
  }

  #file(id: string): LogFile {
    return new LogFile(this.pathOf(id), this.#settings, this.#fallocate)
  }
}
