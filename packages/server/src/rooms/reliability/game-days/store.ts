import type { Database, Tx } from '../../../kernel/db/index.ts'

/** Number of the next faults that the agent gets; rises over restarts and replicas, and is above what is in force there. */
export async function nextFaults(database: Database, inForce: number): Promise<number> {
  const { rows } = await database.write<{ value: string }>(
    `insert into counters (name, value) values ('fault-generation', $1::bigint + 1) on conflict (name) do update set value = greatest(counters.value, $1) + 1 returning value`,
    [inForce],
    'next-faults',
  )
  return Number(rows[0]!.value)
}

/** Until the transaction ends, no other game day begins in this environment. */
export async function beginAlone(tx: Tx, team: string, environment: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 2))', [`game days of ${team}/${environment}`], 'begin-game-day-alone')
}
