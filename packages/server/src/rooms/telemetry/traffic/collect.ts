/** Takes what the router counted, once, and tells whoever follows. */
import type { RequestRecord } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { TrafficSource } from '../ports.ts'
import { addCalls, pruneCalls, type AppName } from './calls.ts'
import { markMinutes, pruneMinutes } from './minutes.ts'
import { addTraffic, lockSource, noteTaken, pruneTraffic } from './store.ts'

export const trafficChannel = 'pavior_traffic'
const intervalMs = 1000
const pruneIntervalMs = 600_000
const keepMs = 14 * 24 * 3600_000

type AlsoCount = (tx: Tx, records: RequestRecord[]) => Promise<void>

/**
 * The records and how far they go commit together: none is lost, none counts twice, whichever replica takes them. Gives how many.
 * `newCallers` hears of apps that called one which they never called before, when that is stored.
 * `also`: what else is counted in the same transaction.
 * `known`: how far an earlier call of this process went; when there is nothing beyond, the database is left alone.
 */
export async function takeTraffic(database: Database, source: TrafficSource, known: { sequence: number } = { sequence: 0 }, newCallers: (callers: AppName[]) => Promise<void> = async () => {}, also: AlsoCount = async () => {}): Promise<number> {
  const there = await source.requests(known.sequence)
  if (there.records.length === 0 && there.last >= known.sequence) return 0
  const { taken, upTo, callers = [] } = await take(database, source, also)
  // Only what is on disk is given up at the next call.
  known.sequence = upTo ?? known.sequence
  if (callers.length > 0) await newCallers(callers)
  return taken
}

function take(database: Database, source: TrafficSource, also: AlsoCount): Promise<{ taken: number; upTo?: number; callers?: AppName[] }> {
  return database.transaction(async (tx) => {
    const after = await lockSource(tx, source.name)
    if (after === undefined) return { taken: 0 }
    const { records, last } = await source.requests(after)
    if (records.length === 0) {
      // Its numbers began anew, so it is another spool than the one that was taken from.
      if (last < after) await noteTaken(tx, source.name, 0)
      return { taken: 0, upTo: last < after ? 0 : last }
    }
    await addTraffic(tx, records)
    await markMinutes(tx, records)
    const callers = await addCalls(tx, records)
    await also(tx, records)
    await noteTaken(tx, source.name, last)
    await tx.query(`select pg_notify('${trafficChannel}', '')`)
    return { taken: records.length, upTo: last, callers }
  })
}

export interface CollectorDeps {
  database: Database
  source: TrafficSource
  newCallers: (callers: AppName[]) => Promise<void>
  also: AlsoCount
  /** How long it is remembered that one app called another. */
  keepCallersMs: number
  clock: Clock
  log: Logger
}

export function createCollector({ database, source, newCallers, also, keepCallersMs, clock, log }: CollectorDeps): Part & { takenAt: () => Date } {
  let prunedAt = 0
  let takenAt = new Date(0)
  const known = { sequence: 0 }
  const once = async (): Promise<void> => {
    // A full batch means that there is more.
    while ((await takeTraffic(database, source, known, newCallers, also)) > 0);
    takenAt = clock.now()
    if (Date.now() - prunedAt < pruneIntervalMs) return
    prunedAt = Date.now()
    await pruneTraffic(database, keepMs)
    await pruneMinutes(database, keepMs)
    await pruneCalls(database, keepMs, keepCallersMs)
  }
  const failed = ({ message }: Error): void => log.warn({ err: message }, 'the counts of the router could not be taken; they wait there')
  return { ...recurring({ name: 'traffic', pauseMs: every(intervalMs), once, failed }), takenAt: () => takenAt }
}
