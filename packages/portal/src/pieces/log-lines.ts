/** Lines of a log as they come, kept up to a bound and told about once a frame. */
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { live, type StreamError } from '../frame/live.ts'
import { logLevelOf, withoutEscapes, type LogLevel } from '@pavior/contract'

/** As the API sends it; a log of a build has steps instead of instances. */
interface SentLine {
  time?: string
  line: string
  instance?: string
  process?: string
  release?: number
  step?: string
}

export interface ShownLine {
  /** Rises by one from line to line. */
  id: number
  time: string | undefined
  text: string
  level: LogLevel | undefined
  /** Which instance or step wrote it. */
  origin: string
}

export interface LogSnapshot {
  lines: readonly ShownLine[]
  /** Older lines that were let go. */
  dropped: number
  /** Until the stream has said anything or ended. */
  loading: boolean
  ended: boolean
  error: StreamError | undefined
}

/** What a browser scrolls through and searches without effort. */
const mostLines = 20_000
/** A log without a line says nothing at all; after this long it counts as empty. */
const emptyAfterMs = 800

class LogLines {
  snapshot: LogSnapshot = { lines: [], dropped: 0, loading: true, ended: false, error: undefined }
  readonly #path: (since: string | undefined) => string
  readonly #listeners = new Set<() => void>()
  #lines: ShownLine[] = []
  #dropped = 0
  #next = 0
  #since: string | undefined
  #frame: number | undefined
  #heard = false

  constructor(path: (since: string | undefined) => string) {
    this.#path = path
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  open(): () => void {
    const close = live.open({
      path: () => this.#path(this.#since),
      lines: (lines) => this.#take(lines as SentLine[]),
      ended: (error) => {
        this.#publishSoon({ ended: true, ...(error ? { error } : {}) })
        return 'closed'
      },
    })
    const quiet = window.setTimeout(() => this.#publishSoon({}), emptyAfterMs)
    return () => {
      window.clearTimeout(quiet)
      close()
    }
  }

  clear = (): void => {
    this.#dropped += this.#lines.length
    this.#lines = []
    this.#publishSoon({})
  }

  #take(lines: SentLine[]): void {
    for (const { time, line, instance, step } of lines) {
      // After a reconnection the stream begins with the moment of the last line, which is here already.
      if (time !== undefined && this.#since !== undefined && time <= this.#since && !this.#heard) continue
      const text = withoutEscapes(line)
      this.#lines.push({ id: this.#next++, time, text, level: logLevelOf(text), origin: instance ?? step ?? '' })
    }
    this.#heard = true
    const last = lines.at(-1)?.time
    if (last !== undefined && (this.#since === undefined || last > this.#since)) this.#since = last
    this.#publishSoon({})
  }

  #publishSoon(change: Partial<LogSnapshot>): void {
    this.snapshot = { ...this.snapshot, ...change, loading: false }
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      const over = this.#lines.length - mostLines
      if (over > 0) {
        this.#lines = this.#lines.slice(over)
        this.#dropped += over
      }
      this.snapshot = { ...this.snapshot, lines: [...this.#lines], dropped: this.#dropped }
      for (const listener of this.#listeners) listener()
    })
  }
}

/** `path` gets the time of the last line that is known, for after a lost connection. */
export function useLogLines(path: (since: string | undefined) => string, key: string): LogSnapshot & { clear: () => void } {
  // The key stands for all that the path depends on.
  // oxlint-disable-next-line react/exhaustive-deps
  const log = useMemo(() => new LogLines(path), [key])
  useEffect(() => log.open(), [log])
  const snapshot = useSyncExternalStore(log.subscribe, () => log.snapshot)
  return { ...snapshot, clear: log.clear }
}
