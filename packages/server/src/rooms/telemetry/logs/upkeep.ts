/** Partitions ahead of time, and the oldest away: by age, and by the room that they take. */
import type { Clock } from '../../../kernel/clock.ts'
import type { PgDatabase } from '../../../kernel/db/index.ts'
import { dropDetached, dropPartition, listPartitions, makePartitions, upcoming, type Partition } from '../../../kernel/db/partitions.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import { hourMs, lineTable } from './store.ts'

const everyMs = 300_000
const hoursAhead = 2
/** One server at a time. */
const upkeepLock = 7_220_025

export interface LogRetention {
  keepMs: number
  bytes: number
}

/** Which of these, from the oldest on, have to go: what is too old, and then as many as take too much room. Those of this hour and the one before stay. Pure. */
export function partitionsToDrop(there: readonly Pick<Partition, 'name' | 'fromMs' | 'bytes'>[], nowMs: number, { keepMs, bytes }: LogRetention): string[] {
  let left = there.reduce((sum, one) => sum + one.bytes, 0)
  const gone: string[] = []
  for (const { name, fromMs, bytes: own } of there) {
    const tooOld = fromMs + hourMs <= nowMs - keepMs
    if (!tooOld && (left <= bytes || fromMs + 2 * hourMs > nowMs)) break
    gone.push(name)
    left -= own
  }
  return gone
}

export async function keepPartitions(database: PgDatabase, nowMs: number, retention: LogRetention): Promise<void> {
  await makePartitions(database, lineTable, upcoming(lineTable, nowMs, hoursAhead))
  const session = await database.session(() => {})
  try {
    const { rows } = await session.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [upkeepLock])
    if (!rows[0]!.locked) return
    await dropDetached(database, lineTable)
    for (const name of partitionsToDrop(await listPartitions(database, lineTable), nowMs, retention)) await dropPartition(database, lineTable, { name })
  } finally {
    await session.end()
  }
}

export function createLogUpkeep({ database, retention, clock, log }: { database: PgDatabase; retention: LogRetention; clock: Clock; log: Logger }): Part {
  const once = (): Promise<void> => keepPartitions(database, clock.now().getTime(), retention)
  const failed = ({ message }: Error): void => log.warn({ err: message }, 'the partitions of logs could not be put in order; trying again later')
  const part = recurring({ name: 'log partitions', pauseMs: every(everyMs), once, failed })
  return { ...part, start: async (signal) => {
    await once().catch(failed)
    await part.start(signal)
  } }
}
