/** All SQL of lines: who writes them, partitions, what was taken of files, and reading. */
import type { BulkTx, Database, Tx } from '../../../kernel/db/index.ts'
import { copyColumns, copyRows, type Numbers } from './copy.ts'
import type { Line, LineSource } from './line.ts'

const hourMs = 3600_000
/** Partitions are made by one server at a time. */
const partitionLock = 7_220_024

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

/** Name of the partition of an hour. */
function partitionOf(hour: number): string {
  return `log_lines_${new Date(hour * hourMs).toISOString().slice(0, 13).replace(/\D/g, '')}`
}

/** Makes partitions for these hours since the epoch. Attached rather than created in place, because that needs no lock that readers feel. */
export async function makePartitions(database: Database, hours: readonly number[]): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [partitionLock])
    const there = new Set((await partitions(tx)).map(({ name }) => name))
    for (const hour of hours.filter((one) => !there.has(partitionOf(one)))) {
      const name = partitionOf(hour)
      await tx.query(`create table ${name} (like log_lines including all)`)
      await tx.query(`alter table log_lines attach partition ${name} for values from ('${new Date(hour * hourMs).toISOString()}') to ('${new Date((hour + 1) * hourMs).toISOString()}')`)
    }
  })
}

export interface Partition {
  name: string
  /** Beginning of its hour, in milliseconds. */
  fromMs: number
  bytes: number
}

/** From the oldest on. */
export async function partitions(tx: Tx): Promise<Partition[]> {
  const { rows } = await tx.query<{ name: string; bytes: string }>(
    `select c.relname as name, pg_total_relation_size(c.oid) as bytes from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'log_lines'::regclass and c.relkind = 'r' order by c.relname`,
  )
  return rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes), fromMs: Date.parse(name.replace(/^log_lines_(\d{4})(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:00:00Z')) }))
}

/** Detached first, so that nobody who reads has to wait for its files to go. */
export async function dropPartition(database: Database, name: string): Promise<void> {
  // An earlier attempt that was cut off left it half detached, which only needs to be finished.
  await database.query(`alter table log_lines detach partition ${name} concurrently`).catch(() => database.query(`alter table log_lines detach partition ${name} finalize`))
  await database.query(`drop table ${name}`)
}

/** What an earlier attempt detached and could not drop. */
export async function dropDetached(database: Database): Promise<void> {
  const { rows } = await database.query<{ name: string }>(
    "select relname as name from pg_class where relkind = 'r' and relname ~ '^log_lines_\\d{10}$' and not relispartition and relnamespace = current_schema()::regnamespace",
  )
  for (const { name } of rows) await database.query(`drop table if exists ${name}`)
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
