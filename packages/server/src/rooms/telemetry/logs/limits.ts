/** How much an app may log, and what goes first when it logs more. */
import type { LevelNumber } from './line.ts'

export type LogDropReason = 'log_rate' | 'log_bytes' | 'log_spool' | 'log_length' | 'log_form'

export const logDropReasons: Record<LogDropReason, string> = {
  log_rate: 'The app writes more lines a second than it may; debug goes first, errors last.',
  log_bytes: 'The app writes more bytes of logs a second than it may; debug goes first, errors last.',
  log_spool: 'Lines were given up on the machine before the server could take them; errors among them were kept longest.',
  log_length: 'The rest of a line that is longer than a line may be.',
  log_form: 'A record is of a form that is not known.',
}

/** A level is dropped when less than this share of the burst is left: unknown, debug, info, warn, error. */
const reserves = [0.25, 0.5, 0.25, 0.1, 0] as const
/** So many seconds of the largest rate may come at once. */
const burstSeconds = 30
const mostBuckets = 10_000

export interface LogRates {
  linesPerSecond: number
  bytesPerSecond: number
}

interface Bucket {
  lines: number
  bytes: number
  atMs: number
}

/**
 * Buckets by app, filled by the time of the lines rather than by the clock: what waited while the server was away is
 * judged by when it was written.
 */
export class LogLimits {
  readonly #rates: LogRates
  readonly #buckets = new Map<string, Bucket>()

  constructor(rates: LogRates) {
    this.#rates = rates
  }

  /** Undefined when the line may be stored; otherwise why not. */
  refuses(key: string, atMs: number, level: LevelNumber, bytes: number): LogDropReason | undefined {
    const { linesPerSecond, bytesPerSecond } = this.#rates
    const bucket = this.#filled(key, atMs)
    const reserve = reserves[level]
    if (bucket.lines - 1 < reserve * linesPerSecond * burstSeconds) return 'log_rate'
    if (bucket.bytes - bytes < reserve * bytesPerSecond * burstSeconds) return 'log_bytes'
    bucket.lines -= 1
    bucket.bytes -= bytes
    return undefined
  }

  #filled(key: string, atMs: number): Bucket {
    const { linesPerSecond, bytesPerSecond } = this.#rates
    const [mostLines, mostBytes] = [linesPerSecond * burstSeconds, bytesPerSecond * burstSeconds]
    let bucket = this.#buckets.get(key)
    if (!bucket) {
      // Whoever is forgotten gets a fresh start.
      if (this.#buckets.size >= mostBuckets) this.#buckets.delete(this.#buckets.keys().next().value!)
      bucket = { lines: mostLines, bytes: mostBytes, atMs }
      this.#buckets.set(key, bucket)
      return bucket
    }
    const seconds = Math.max(0, atMs - bucket.atMs) / 1000
    bucket.lines = Math.min(mostLines, bucket.lines + seconds * linesPerSecond)
    bucket.bytes = Math.min(mostBytes, bucket.bytes + seconds * bytesPerSecond)
    // A clock that was set back would otherwise give nothing for as long as it was ahead.
    bucket.atMs = atMs
    return bucket
  }
}
