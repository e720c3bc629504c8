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
import { takeSpooled, type Known } from '../spooled.ts'
import { addTraffic, pruneTraffic } from './store.ts'

export const trafficChannel = 'pavior_traffic'
const intervalMs = 1000
const pruneIntervalMs = 600_000
const keepMs = 14 * 24 * 3600_000

type AlsoCount = (tx: Tx, records: RequestRecord[]) => Promise<void>

/**
 * Gives how many were taken.
 * `newCallers` hears of apps that called one which they never called before, when that is stored.
 * `also`: what else is counted in the same transaction.
 */
export async function takeTraffic(database: Database, source: TrafficSource, known: Known = { sequence: 0 }, newCallers: (callers: AppName[]) => Promise<void> = async () => {}, also: AlsoCount = async () => {}): Promise<number> {
  let callers: AppName[] = []
  const taken = await takeSpooled(database, source.name, (after) => source.requests(after), async (tx, records) => {
    await addTraffic(tx, records)
    await markMinutes(tx, records)
    callers = await addCalls(tx, records)
    await also(tx, records)
    await tx.query(`select pg_notify('${trafficChannel}', '')`)
  }, known)
  if (callers.length > 0) await newCallers(callers)
  return taken
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
