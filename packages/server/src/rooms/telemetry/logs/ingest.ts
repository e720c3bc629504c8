/** The way in of every line: limits, partitions, numbers, and one copy for what came together. A line is taken when it is on disk. */
import { tooMany } from '../../../kernel/api/limits.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { Coalescer, type BulkTx, type PgDatabase } from '../../../kernel/db/index.ts'
import type { Drops } from '../drops.ts'
import type { OwnedResource, Rejected, Signal } from '../otlp/intake.ts'
import type { Numbers } from './copy.ts'
import { logDropReasons, type LogDropReason, type LogLimits } from './limits.ts'
import type { Line, LineSource } from './line.ts'
import { linesOf } from './otlp.ts'
import { makePartitions } from '../../../kernel/db/partitions.ts'
import { copyLines, lineTable, numbersFor, reserveSeq } from './store.ts'

const hourMs = 3600_000
const rememberedSources = 20_000
const rememberedHours = 1000
/** What waits for the database; who sends more is told to come again. */
const mostWaiting = 200_000
/** A line of a time further ahead than this, or older than lines are kept, is kept as of the time when it came. */
export const aheadMs = 60_000

export interface LogIngest {
  /** Those of these lines that fit into the limits of their apps; the others are counted. `clock`: tells buckets apart that go by different clocks. */
  fitting(lines: readonly Line[], clock: string): Line[]
  /** Makes ready what `write` needs, before the transaction begins. */
  prepare(lines: readonly Line[]): Promise<void>
  /** Writes prepared lines as part of a transaction. */
  write(tx: BulkTx, lines: readonly Line[]): Promise<void>
  /** Hears of lines that are on disk now. */
  stored(lines: readonly Line[]): void
  signal: Signal
  /** Oldest time that is taken, in milliseconds. */
  oldestMs(): number
}

export interface LogIngestDeps {
  database: PgDatabase
  limits: LogLimits
  drops: Drops
  keepMs: number
  clock: Clock
  /** Hears how many lines were stored, and the age of the oldest in seconds. */
  onStored: (lines: number, lagSeconds: number) => void
  /** Told in the transaction that stores what was sent, by app. */
  announce: (tx: BulkTx, apps: ReadonlySet<string>) => Promise<void>
  /** Told in the transaction that stores lines, whoever sends them on. */
  sendOn: (tx: BulkTx, lines: readonly Line[], numbersOf: (line: Line) => Numbers) => Promise<void>
}

export function createLogIngest({ database, limits, drops, keepMs, clock, onStored, announce, sendOn }: LogIngestDeps): LogIngest {
  const numbers = new Map<string, Numbers>()
  const hours = new Set<number>()
  let waiting = 0

  const fitting: LogIngest['fitting'] = (lines, name) => {
    const dropped = new Map<string, Map<LogDropReason, number>>()
    const kept = lines.filter(({ source: { team, app }, atMs, level, body }) => {
      const reason = limits.refuses(`${team}/${app}/${name}`, atMs, level, body.length)
      if (reason === undefined) return true
      const key = `${team}/${app}`
      const own = dropped.get(key) ?? new Map<LogDropReason, number>()
      dropped.set(key, own.set(reason, (own.get(reason) ?? 0) + 1))
      return false
    })
    for (const [key, own] of dropped) {
      const [team = '', app = ''] = key.split('/')
      drops.count({ team, app }, own)
    }
    return kept
  }
  const prepare: LogIngest['prepare'] = async (lines) => {
    const missing = new Set<number>()
    // Never while a batch is half prepared.
    if (numbers.size >= rememberedSources) numbers.clear()
    for (const { source, atMs } of lines) {
      const hour = Math.floor(atMs / hourMs)
      if (!hours.has(hour)) missing.add(hour)
      const key = keyOf(source)
      if (!numbers.has(key)) numbers.set(key, await numbersFor(database, source))
    }
    if (missing.size === 0) return
    await makePartitions(database, lineTable, [...missing].map((hour) => hour * hourMs))
    if (hours.size >= rememberedHours) hours.clear()
    for (const hour of missing) hours.add(hour)
  }
  const write: LogIngest['write'] = async (tx, lines) => {
    const numbersOf = ({ source }: Line): Numbers => numbers.get(keyOf(source))!
    try {
      await copyLines(tx, lines, numbersOf)
      await sendOn(tx, lines, numbersOf)
    } catch (error) {
      // A partition that was remembered may have been dropped for the room it took.
      hours.clear()
      throw error
    }
  }
  const stored: LogIngest['stored'] = (lines) => {
    if (lines.length > 0) onStored(lines.length, Math.max(0, clock.now().getTime() - lines.reduce((oldest, { atMs }) => Math.min(oldest, atMs), Infinity)) / 1000)
  }
  /** What comes while a write is under way is written together. */
  const writer = new Coalescer<Line[], void>({
    run: async (batches) => {
      const lines = batches.flat()
      await prepare(lines)
      await database.transaction(async (tx) => {
        await write(tx, lines)
        await announce(tx, new Set(lines.map(({ source: { team, app } }) => `${team}/${app}`)))
      })
      stored(lines)
      return batches.map(() => undefined)
    },
    inFlight: 1,
    largest: 200,
    alone: () => false,
  })

  const take = async (resources: OwnedResource[]): Promise<Rejected> => {
    if (waiting > mostWaiting) throw tooMany('More lines come than can be stored at this moment.', 1)
    const seq = await reserveSeq(database)
    const nowMs = clock.now().getTime()
    let count = 0
    const all = resources.flatMap((resource) => {
      const lines = linesOf(resource, { nowMs, oldestMs: nowMs - keepMs, aheadMs, seq: seq + count })
      count += lines.length
      return lines
    })
    const kept = fitting(all, 'sent')
    waiting += kept.length
    try {
      if (kept.length > 0) await writer.ask(kept)
    } finally {
      waiting -= kept.length
    }
    if (kept.length < all.length) await drops.settled()
    return { count: all.length - kept.length, why: kept.length === all.length ? '' : `${all.length - kept.length} lines were dropped: ${logDropReasons.log_rate}` }
  }

  return {
    fitting,
    prepare,
    write,
    stored,
    signal: { name: 'logs', request: 'ExportLogsServiceRequest', response: 'ExportLogsServiceResponse', list: 'resourceLogs', rejected: 'rejectedLogRecords', take },
    oldestMs: () => clock.now().getTime() - keepMs,
  }
}

function keyOf({ team, app, environment, release, process, instance, sender }: LineSource): string {
  return `${team}\n${app}\n${environment}\n${release}\n${process}\n${instance}\n${sender}`
}
