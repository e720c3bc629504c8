/** What an instance used over its life, apart from CPU time: how long, and how much memory for how long. Pure. */
import type { InstanceUse } from '@pavior/contract'
import type { InstanceRecord } from './state/records.ts'

/** As it is kept: up to a moment, in milliseconds since the epoch. */
export interface UseRecord extends InstanceUse {
  countedToMs: number
}

const nothing: InstanceUse = { awakeSeconds: 0, asleepSeconds: 0, awakeByteSeconds: 0, asleepByteSeconds: 0 }

/** Adds the time since it was last counted. Time without a process counts as none, and so does that before a clock that went back. */
export function useUpTo(record: Pick<InstanceRecord, 'use' | 'asleepSince'>, nowMs: number, runs: boolean, memoryBytes = 0): UseRecord {
  const { use = { ...nothing, countedToMs: nowMs }, asleepSince } = record
  if (!runs) return { ...use, countedToMs: nowMs }
  const seconds = Math.max(0, nowMs - use.countedToMs) / 1000
  const byteSeconds = seconds * memoryBytes
  return asleepSince !== undefined
    ? { ...use, countedToMs: nowMs, asleepSeconds: use.asleepSeconds + seconds, asleepByteSeconds: use.asleepByteSeconds + byteSeconds }
    : { ...use, countedToMs: nowMs, awakeSeconds: use.awakeSeconds + seconds, awakeByteSeconds: use.awakeByteSeconds + byteSeconds }
}
