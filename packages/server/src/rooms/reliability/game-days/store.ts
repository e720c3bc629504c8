import type { Tx } from '../../../kernel/db/index.ts'

/** Until the transaction ends, no other game day begins in this environment. */
export async function beginAlone(tx: Tx, team: string, environment: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 2))', [`game days of ${team}/${environment}`], 'begin-game-day-alone')
}
