import type { Tx } from '../../kernel/db/index.ts'

/** Counts up from 1; taken in the transaction that uses the number. */
export async function nextNumber(tx: Tx, name: string): Promise<number> {
  const { rows } = await tx.query<{ value: string }>(
    'insert into counters (name, value) values ($1, 1) on conflict (name) do update set value = counters.value + 1 returning value',
    [name],
    'next-number',
  )
  return Number(rows[0]!.value)
}
