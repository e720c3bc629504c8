/**
 * The work queue: rows of (controller, key). A row is claimed by the session lock number of a process; when that session is
 * gone, so is the claim. A change during a run raises `gen` and so gives exactly one more run.
 */
import type { PgDatabase } from '../db/index.ts'

/** First number of the advisory locks that tell which workers live. */
export const workerLockClass = 7220

export interface ClaimedWork {
  controller: string
  key: string
  attempts: number
  takenGen: string
}

export type Settlement =
  | { type: 'done' }
  /** Run again after this long, or at once when it was asked for meanwhile. */
  | { type: 'after'; ms: number }
  | { type: 'retry'; ms: number; error: string }

export async function claimWork(database: PgDatabase, worker: number, controllers: { name: string; free: number }[]): Promise<ClaimedWork[]> {
  const open = controllers.filter(({ free }) => free > 0)
  if (open.length === 0) return []
  const { rows } = await database.query(
    // The rows are found and locked first and then updated where they stand: a join would let the planner, whose figures of a
    // table that grows and shrinks this fast are always wrong, look through the whole queue for every row.
    `with due as materialized (
       select d.place from unnest($2::text[], $3::int[]) as c (name, free) cross join lateral (
         select ctid as place from queue where controller = c.name and worker is null and run_at <= now()
         order by run_at limit c.free for update skip locked) d)
     update queue set worker = $1, taken_gen = gen, attempts = attempts + 1
     where ctid = any (array(select place from due))
     returning controller, key, attempts, taken_gen`,
    [worker, open.map((controller) => controller.name), open.map((controller) => controller.free)],
    'claim-work',
  )
  return rows.map((row) => ({ controller: row.controller, key: row.key, attempts: row.attempts, takenGen: row.taken_gen }))
}

/** A failed run that was asked for again meanwhile is repeated after this long at most: it may have asked itself, by a status that it wrote. */
const soonRetryMs = 1000

/** Only the worker that holds the claim can settle it. */
export async function settleWork(database: PgDatabase, worker: number, { controller, key, takenGen }: ClaimedWork, settlement: Settlement): Promise<void> {
  const own = [controller, key, worker, takenGen]
  if (settlement.type === 'done') {
    const { rowCount } = await database.query(
      'delete from queue where controller = $1 and key = $2 and worker = $3 and gen = $4',
      own,
      'settle-done',
    )
    if (rowCount > 0) return
    // Asked for again during the run.
    await database.query(
      'update queue set worker = null, run_at = now(), attempts = 0 where controller = $1 and key = $2 and worker = $3 and gen <> $4',
      own,
      'settle-again',
    )
    return
  }
  await database.query(
    `update queue set worker = null, last_error = $6,
       run_at = now() + make_interval(secs => case when gen = $4 then $5::float8 when $6::text is null then 0 else least($5::float8, ${soonRetryMs / 1000}) end),
       attempts = case when $6::text is null then 0 else attempts end
     where controller = $1 and key = $2 and worker = $3`,
    [...own, settlement.ms / 1000, settlement.type === 'retry' ? settlement.error.slice(0, 2000) : null],
    'settle-later',
  )
}

export async function requestWork(database: { query: PgDatabase['query'] }, entries: { controller: string; key: string; afterMs?: number }[]): Promise<void> {
  if (entries.length === 0) return
  await database.query(
    `insert into queue (controller, key, run_at)
       select w.controller, w.key, now() + make_interval(secs => w.after) from (
         select controller, key, min(after) as after from unnest($1::text[], $2::text[], $3::float8[]) as u (controller, key, after) group by 1, 2) w
     on conflict (controller, key) do update set gen = queue.gen + 1, run_at = least(queue.run_at, excluded.run_at),
       attempts = case when queue.worker is null then 0 else queue.attempts end`,
    [entries.map((entry) => entry.controller), entries.map((entry) => entry.key), entries.map((entry) => (entry.afterMs ?? 0) / 1000)],
    'request-work',
  )
}

/** Frees what dead workers held. Returns how many rows. */
export async function reapDeadWorkers(database: PgDatabase): Promise<number> {
  const { rowCount } = await database.query(
    `update queue set worker = null, run_at = now() where worker is not null and not exists (
       select 1 from pg_locks where locktype = 'advisory' and classid = ${workerLockClass} and objid = queue.worker::oid and objsubid = 2
         and database = (select oid from pg_database where datname = current_database()))`,
    [],
    'reap',
  )
  return rowCount
}

/** Milliseconds until the next row is due; undefined when there is none. */
export async function nextDue(database: PgDatabase, controllers: string[]): Promise<number | undefined> {
  const { rows } = await database.query(
    `select extract(epoch from min(d.run_at) - now()) * 1000 as ms from unnest($1::text[]) as c (name) cross join lateral (
       select run_at from queue where controller = c.name and worker is null order by run_at limit 1) d`,
    [controllers],
    'next-due',
  )
  return rows[0]?.ms === null ? undefined : Number(rows[0]!.ms)
}
