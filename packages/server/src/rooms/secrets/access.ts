/** The one place where is written down who had to do with a secret; a row in the platform's audit is made here too. */
import type { Tx } from '../../kernel/db/index.ts'
import { recordAccesses, type AccessRow } from './store.ts'

export function noteAccess(tx: Tx, rows: AccessRow[]): ReturnType<typeof recordAccesses> {
  return recordAccesses(tx, rows)
}
