/** Takes what waits with the agent, once. */
import type { Spooled } from '@pavior/contract'
import type { Database, Tx } from '../../kernel/db/index.ts'
import { lockSource, noteTaken } from './traffic/store.ts'

/** How far an earlier call of this process went: when there is nothing beyond, the database is left alone. */
export interface Known {
  sequence: number
}

/**
 * What was read and how far it goes commit together: nothing is lost, nothing comes twice, whichever server takes it. Gives the
 * records that were taken. `name`: of the spool, and of what is in it.
 */
export async function takeSpooled<Item extends { sequence: number }>(database: Database, name: string, read: (after: number) => Promise<Spooled<Item>>, store: (tx: Tx, records: Item[]) => Promise<void>, known: Known): Promise<number> {
  const there = await read(known.sequence)
  if (there.records.length === 0 && there.last >= known.sequence) return 0
  const { taken, upTo } = await database.transaction((tx) => take(tx, name, read, store))
  // Only what is on disk is given up at the next call.
  known.sequence = upTo ?? known.sequence
  return taken
}

async function take<Item extends { sequence: number }>(tx: Tx, name: string, read: (after: number) => Promise<Spooled<Item>>, store: (tx: Tx, records: Item[]) => Promise<void>): Promise<{ taken: number; upTo?: number }> {
  const after = await lockSource(tx, name)
  if (after === undefined) return { taken: 0 }
  const { records, last } = await read(after)
  if (records.length === 0) {
    // Its numbers began anew, so it is another spool than the one that was taken from.
    if (last < after) await noteTaken(tx, name, 0)
    return { taken: 0, upTo: last < after ? 0 : last }
  }
  await store(tx, records)
  await noteTaken(tx, name, last)
  return { taken: records.length, upTo: last }
}
