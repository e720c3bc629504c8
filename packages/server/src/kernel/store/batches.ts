/** Reads and writes of single resources, gathered into few statements: what a statement costs is mostly the way there and back. */
import type { Resource } from '@pavior/contract'
import { Coalescer, type Database } from '../db/index.ts'
import type { ResourceKey } from '../resources/types.ts'
import { readResources, writeResources, type StoredWrite } from './store.ts'

/** Resources in one statement: enough to share its cost, few enough that nobody waits long for the others. */
const largestBatch = 64
/** Two, so that the database works on one while we take in the answers of the other. */
const readsInFlight = 2

export interface Batches {
  read(key: ResourceKey): Promise<Resource | undefined>
  /** The new version, or undefined when the expected one was not in force any more. Committed, but not yet on disk. */
  write(write: StoredWrite): Promise<bigint | undefined>
}

export function createBatches(database: Database): Batches {
  // An answer of the database itself is about a statement that it took back whole; a lost connection says nothing of that kind.
  const alone = (error: unknown): boolean => (error as { code?: string }).code !== 'DATABASE_UNAVAILABLE'
  const reads = new Coalescer<ResourceKey, Resource | undefined>({ run: (keys) => readResources(database, keys), inFlight: readsInFlight, largest: largestBatch, alone })
  const writes = new Coalescer<StoredWrite, bigint | undefined>({
    run: (batch) => writeResources(database.keyed, batch),
    // Writers go one by one anyway, by the counter row.
    inFlight: 1,
    largest: largestBatch,
    apart: ({ key }) => `${key.kind}/${key.namespace}/${key.name}`,
    alone,
  })
  return { read: (key) => reads.ask(key), write: (write) => writes.ask(write) }
}
