/** The one place where is written down who had to do with a secret: in the room's own table, and what was given out in the audit too. */
import type { WriteNote } from '../../kernel/audit/notes.ts'
import type { Database, Tx } from '../../kernel/db/index.ts'
import { recordAccesses, type AccessRow } from './store.ts'

/** What people do is in the audit already, as the write of the secret that it is. */
export async function noteAct(tx: Tx, row: AccessRow): Promise<void> {
  await recordAccesses(tx, [row])
}

/** Resolves with those that were given something new. The audit comes first: rather one row twice than none. */
export function noteReads(database: Database, audit: WriteNote, rows: AccessRow[]): Promise<AccessRow[]> {
  return database.transaction(async (tx) => {
    const fresh = await recordAccesses(tx, rows)
    await Promise.all(fresh.map(({ actor, team, name, secret, version, reader }) => audit({ actor, verb: 'read', kind: 'Secret', namespace: team, name, uid: secret, reason: `version ${version} given to ${reader}` })))
    return fresh
  })
}
