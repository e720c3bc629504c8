import type { Tx } from '../../kernel/db/index.ts'

/** One sync of a repository at a time, over all servers; until the transaction ends. */
export async function lockRepo(tx: Tx, uid: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('config-repo/' || $1, 0))`, [uid])
}
