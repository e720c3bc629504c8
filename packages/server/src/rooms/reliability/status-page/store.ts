/** What objectives counted by day: all SQL of status pages. */
import type { Tx } from '../../../kernel/db/index.ts'

/** Good and all events by uid of the objective and day since the epoch. */
export async function countedDays(tx: Tx, slos: readonly string[], fromDay: number): Promise<Map<string, Map<number, { good: number; total: number }>>> {
  const found = new Map<string, Map<number, { good: number; total: number }>>()
  if (slos.length === 0) return found
  const { rows } = await tx.query<{ slo: string; day: number; good: number; total: number }>(
    'select slo, hour / 1440 as day, sum(good) as good, sum(total) as total from slo_hours where slo = any($1::uuid[]) and hour >= $2 group by 1, 2',
    [slos, fromDay * 1440],
    'counted-days',
  )
  for (const { slo, day, good, total } of rows) {
    const own = found.get(slo) ?? new Map<number, { good: number; total: number }>()
    own.set(day, { good, total })
    found.set(slo, own)
  }
  return found
}
