/** All SQL of lines: who writes them, partitions, what was taken of files, and reading. */
import type { BulkTx, Database, Tx } from '../../../kernel/db/index.ts'
import type { Partitioned } from '../../../kernel/db/partitions.ts'
import { copyColumns, copyRows, type Numbers } from './copy.ts'
import type { Line, LineSource } from './line.ts'

export const hourMs = 3600_000
export const lineTable: Partitioned = { table: 'log_lines', lengthMs: hourMs }

export async function copyLines(tx: BulkTx, lines: readonly Line[], numbersOf: (line: Line) => Numbers): Promise<void> {
  if (lines.length > 0) await tx.copy(`copy log_lines (${copyColumns}) from stdin`, copyRows(lines, numbersOf))
}

/** The first of so many numbers for lines that were sent. */
export async function reserveSeq(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ next: string }>("select nextval('log_sent') as next", [], 'log-sent')
  return Number(rows[0]!.next) * sentAtOnce
}

/** Most lines of one batch that was sent. */
export const sentAtOnce = 1_000_000

/** Numbers of an app and a source, made when they are new. On disk when it returns, because they are remembered. */
export async function numbersFor(database: Database, { team, app, environment, release, process, instance, sender }: LineSource): Promise<Numbers> {
  const values = [team, app, environment, release ?? null, process ?? null, instance ?? null, sender ?? null]
  const { rows } = await database.write<Numbers>(
    `with a as (insert into log_apps (team, app) values ($1, $2) on conflict (team, app) do update set app = excluded.app returning id),
       s as (insert into log_sources (team, app, environment, release, process, instance, sender) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (team, app, environment, release, process, instance, sender) do update set made_at = now() returning id)
     select a.id as app, s.id as source from a, s`,
    values,
  )
  return rows[0]!
}

/** Whether this server took over to take from an agent, and may go on. Held until the transaction ends. */
export async function holdTaker(tx: Tx, agent: string, taker: string): Promise<boolean> {
  const { rows } = await tx.query('select 1 from log_takers where agent = $1 and taker = $2 for update', [agent, taker], 'log-hold-taker')
  return rows.length > 0
}

/** Makes this server the one that takes, and gives how far its forerunner came. */
export function becomeTaker(database: Database, agent: string, taker: string): Promise<Map<string, number>> {
  return database.transaction(async (tx) => {
    await tx.query('insert into log_takers (agent, taker) values ($1, $2) on conflict (agent) do update set taker = excluded.taker', [agent, taker])
    return readPositions(tx, agent)
  })
}

export async function readPositions(tx: Tx, agent: string, logs?: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ log: string; next: string }>('select log, next from log_positions where agent = $1 and ($2::text[] is null or log = any($2))', [agent, logs ?? null], 'log-positions')
  return new Map(rows.map(({ log, next }) => [log, Number(next)]))
}

export async function notePositions(tx: Tx, agent: string, positions: ReadonlyMap<string, number>): Promise<void> {
  await tx.query(
    'insert into log_positions (agent, log, next) select $1, log, next from unnest($2::text[], $3::bigint[]) as u (log, next) on conflict (agent, log) do update set next = excluded.next',
    [agent, [...positions.keys()], [...positions.values()]],
    'log-note-positions',
  )
}

/** Of logs that are gone. */
export async function prunePositions(database: Database, agent: string, there: readonly string[]): Promise<void> {
  await database.query('delete from log_positions where agent = $1 and not log = any($2)', [agent, there])
}
