import type { Database } from '../../kernel/db/index.ts'

/**
 * Generation of the next desired state; rises over server restarts and over replicas. It is above `inForce` too: a database
 * that was restored or replaced knows less than the agent does.
 */
export async function nextGeneration(database: Database, inForce: number): Promise<number> {
  const { rows } = await database.write<{ value: string }>(
    `insert into counters (name, value) values ('runtime-generation', $1::bigint + 1) on conflict (name) do update set value = greatest(counters.value, $1) + 1 returning value`,
    [inForce],
    'next-generation',
  )
  return Number(rows[0]!.value)
}
