/** Keeps what is worth keeping of the spans, and lets the others go. */
import type { Database } from '../../../kernel/db/index.ts'
import { databaseNowMs, dropDetached, dropPartition, listPartitions, makePartitions, upcoming } from '../../../kernel/db/partitions.ts'
import { every, recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import { forgetSampled, isSampled, keepSpans, kept, recent } from './store.ts'

const intervalMs = 30_000
/** How long every span is there after its partition ended: the next one has to have ended too, because traces may go on in it. */
const graceMs = recent.lengthMs + 60_000
const rememberSampledMs = 24 * 3600_000

export interface SamplingSettings {
  /** A span that took this long is worth keeping, with its trace. */
  slowMs: number
  /** Of the traces without an error, and not slow: 0 … 1. */
  share: number
  keepMs: number
}

/** Gives how many spans were kept. May run on several servers at once. */
export async function sampleOnce(database: Database, settings: SamplingSettings, nowMs: number): Promise<number> {
  await makePartitions(database, recent, upcoming(recent, nowMs))
  await makePartitions(database, kept, upcoming(kept, nowMs, 1))
  for (const table of [recent, kept]) await dropDetached(database, table)
  let count = 0
  for (const partition of await listPartitions(database, recent)) {
    if (partition.untilMs + graceMs > nowMs) continue
    count += await database.transaction((tx) => keepSpans(tx, partition.name, partition, settings))
    if (await isSampled(database, partition.name)) await dropPartition(database, recent, partition)
  }
  for (const partition of await listPartitions(database, kept)) if (partition.untilMs + settings.keepMs < nowMs) await dropPartition(database, kept, partition)
  await forgetSampled(database, rememberSampledMs)
  return count
}

export function createSampling({ database, settings, log }: { database: Database; settings: SamplingSettings; log: Logger }): Part {
  const failed = ({ message }: Error): void => log.warn({ err: message }, 'spans could not be sampled; all of them stay for now')
  const part = recurring({ name: 'trace sampling', pauseMs: every(intervalMs), once: async () => void (await sampleOnce(database, settings, await databaseNowMs(database))), failed })
  return {
    ...part,
    start: async (signal) => {
      // Nothing can be stored before there is a partition for it.
      const nowMs = await databaseNowMs(database)
      await makePartitions(database, recent, upcoming(recent, nowMs))
      await makePartitions(database, kept, upcoming(kept, nowMs, 1))
      await part.start(signal)
    },
  }
}
