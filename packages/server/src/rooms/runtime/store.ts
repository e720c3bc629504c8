import type { Database } from '../../kernel/db/index.ts'

/** Generation of the next desired state; rises over server restarts and over replicas. */
export async function nextGeneration(database: Database): Promise<number> {
  const { rows } = await database.write<{ value: string }>(
    `insert into counters (name, value) values ('runtime-generation', 1) on conflict (name) do update set value = counters.value + 1 returning value`,
    [],
    'next-generation',
  )
  return Number(rows[0]!.value)
}
