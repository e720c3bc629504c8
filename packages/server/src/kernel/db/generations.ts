/** Numbers by which an agent knows the newest of what it is given. */
import type { Database } from './database.ts'

/**
 * The next one of this name; rises over server restarts and over replicas. It is above `inForce` too: a database that was restored
 * or replaced knows less than the agent does.
 */
export async function nextGeneration(database: Database, name: string, inForce: number): Promise<number> {
  const { rows } = await database.write<{ value: string }>(
    'insert into counters (name, value) values ($1, $2::bigint + 1) on conflict (name) do update set value = greatest(counters.value, $2) + 1 returning value',
    [name, inForce],
    'next-generation',
  )
  return Number(rows[0]!.value)
}
