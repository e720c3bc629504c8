/** Upkeep of points: what came becomes blocks by series, old blocks are thinned out, and the oldest go. */
import type { PgDatabase, Tx } from '../../../kernel/db/index.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { decodeBatch, type Points } from './encoding.ts'
import { cut, merge, thinOut, tiersOf, type Retention, type Tier } from './plan.ts'
import { countersAmong, dropOldBlocks, insertBlocks, lockCompaction, noteSeen, pruneDropped, pruneSeries, pruneTurns, takeBatches, takeOldBlocks, takeOpenBlocks } from './store.ts'
import { seenEveryMs } from './select.ts'

export interface CompactionSettings {
  retention: Retention
  /** Points stay as they came for so long. */
  batchMs: number
  /** More bytes than this are not left waiting. */
  batchBytes: number
  /** Worked on at once. */
  chunkBytes: number
  everyMs: number
  pruneEveryMs: number
}

export const compactionDefaults: Omit<CompactionSettings, 'retention'> = { batchMs: 180_000, batchBytes: 16 * 1024 * 1024, chunkBytes: 8 * 1024 * 1024, everyMs: 10_000, pruneEveryMs: 600_000 }

/** A block with so many points gets no more; no block has more than twice as many. */
const fullPoints = 240
/** A block is added to if it is no further back than this from what is new, by tier. */
const openMs = [6 * 3600_000, 4 * 24 * 3600_000, 60 * 24 * 3600_000]
const oldBlocksAtOnce = 5000
export const dropDays = 14

/** One chunk of what came becomes blocks. False when nothing is due, or another server does it. */
export function compactOnce(database: PgDatabase, { batchMs, batchBytes, chunkBytes }: Pick<CompactionSettings, 'batchMs' | 'batchBytes' | 'chunkBytes'>): Promise<boolean> {
  return database.transaction(async (tx) => {
    if (!(await lockCompaction(tx))) return false
    const batches = await takeBatches(tx, { olderThanMs: batchMs, mostBytes: batchBytes, chunkBytes })
    if (batches.length === 0) return false
    const parts = new Map<number, Points[]>()
    for (const data of batches) for (const [id, points] of decodeBatch(data)) push(parts, id, points)
    await addBlocks(tx, 0, parts)
    await noteSeen(tx, [...parts.keys()], seenEveryMs)
    return true
  })
}

/** Blocks of a tier that are older than it keeps become points of the next. False when there was none. */
export function thinOutOnce(database: PgDatabase, tier: number, beforeMs: number, next: Tier): Promise<boolean> {
  return database.transaction(async (tx) => {
    if (!(await lockCompaction(tx))) return false
    const blocks = await takeOldBlocks(tx, tier, beforeMs, oldBlocksAtOnce)
    if (blocks.length === 0) return false
    const parts = new Map<number, Points[]>()
    for (const { series, points } of blocks) push(parts, series, points)
    const counters = await countersAmong(tx, [...parts.keys()])
    await addBlocks(tx, tier + 1, new Map([...parts].map(([id, own]) => [id, [thinOut(merge(own), next.bucketMs, counters.has(id))]])))
    return true
  })
}

/** Points go into the newest block of their series, as long as that has room. */
async function addBlocks(tx: Tx, tier: number, parts: ReadonlyMap<number, Points[]>): Promise<void> {
  const firstMs = [...parts.values()].reduce((least, own) => own.reduce((sum, { times }) => Math.min(sum, times[0]!), least), Infinity)
  const open = await takeOpenBlocks(tx, tier, [...parts.keys()], firstMs - openMs[tier]!, fullPoints)
  const blocks = [...parts].flatMap(([series, own]) => {
    const before = open.get(series)
    return cut(merge(before ? [before, ...own] : own), fullPoints * 2).map((points) => ({ series, points }))
  })
  await insertBlocks(tx, tier, blocks)
}

function push(parts: Map<number, Points[]>, id: number, points: Points): void {
  const own = parts.get(id)
  if (own) own.push(points)
  else parts.set(id, [points])
}

export function createCompaction({ database, settings, clock, log }: { database: PgDatabase; settings: CompactionSettings; clock: Clock; log: Logger }): Part {
  const tiers = tiersOf(settings.retention)
  let prunedAtMs = 0

  const once = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await compactOnce(database, settings)));
    const nowMs = clock.now().getTime()
    if (Math.abs(nowMs - prunedAtMs) < settings.pruneEveryMs) return
    prunedAtMs = nowMs
    for (const [tier, { keepMs }] of tiers.entries()) {
      const next = tiers[tier + 1]
      if (next) while (!signal.aborted && (await thinOutOnce(database, tier, nowMs - keepMs, next)));
      else await dropOldBlocks(database, tier, nowMs - keepMs)
    }
    await pruneSeries(database, settings.retention.hoursMs)
    await pruneDropped(database, dropDays)
    await pruneTurns(database)
  }
  const failed = ({ message }: Error): void => log.warn({ err: message }, 'points could not be put in order; trying again later')
  return recurring({ name: 'metric compaction', pauseMs: every(settings.everyMs), once, failed })
}
