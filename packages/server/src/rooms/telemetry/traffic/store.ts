/** Traffic by interval, and how far it was taken. */
import type { RequestRecord } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Interval } from './plan.ts'

/** Undefined when another replica takes them at this moment. */
export async function lockSource(tx: Tx, source: string): Promise<number | undefined> {
  await tx.query('insert into traffic_taken (source, sequence) values ($1, 0) on conflict do nothing', [source])
  const { rows } = await tx.query<{ sequence: string }>('select sequence from traffic_taken where source = $1 for update skip locked', [source])
  return rows[0] && Number(rows[0].sequence)
}

export async function noteTaken(tx: Tx, source: string, sequence: number): Promise<void> {
  await tx.query('update traffic_taken set sequence = $2 where source = $1', [source, sequence])
}

/** Adds records to what is there of the same release and interval. */
export async function addTraffic(tx: Tx, records: RequestRecord[]): Promise<void> {
  const rows = [...merge(records).values()]
  await tx.query(
    `insert into traffic as t (at, team, app, environment, release, interval_ms, statuses, router_errors, durations, duration_ms, bytes_in, bytes_out)
     select * from jsonb_to_recordset($1::jsonb) as r (at timestamptz, team text, app text, environment text, release int, interval_ms int,
       statuses bigint[], router_errors bigint, durations bigint[], duration_ms float8, bytes_in bigint, bytes_out bigint)
     on conflict (team, app, environment, at, release) do update set
       statuses = (select array_agg(a + b order by place) from unnest(t.statuses, excluded.statuses) with ordinality as s (a, b, place)),
       durations = (select array_agg(a + b order by place) from unnest(t.durations, excluded.durations) with ordinality as s (a, b, place)),
       router_errors = t.router_errors + excluded.router_errors, duration_ms = t.duration_ms + excluded.duration_ms,
       bytes_in = t.bytes_in + excluded.bytes_in, bytes_out = t.bytes_out + excluded.bytes_out`,
    [JSON.stringify(rows)],
  )
}

interface TrafficRow {
  at: string
  team: string
  app: string
  environment: string
  release: number
  interval_ms: number
  statuses: number[]
  router_errors: number
  durations: number[]
  duration_ms: number
  bytes_in: number
  bytes_out: number
}

/** One row for each release and interval: a statement must not meet the same row twice. */
function merge(records: RequestRecord[]): Map<string, TrafficRow> {
  const rows = new Map<string, TrafficRow>()
  for (const { from, team, app, environment, release, intervalMs, statusClasses, routerErrors, durationBuckets, durationSumMs, bytesIn, bytesOut } of records) {
    const key = [from, team, app, environment, release].join('\n')
    const row = rows.get(key) ?? { at: from, team, app, environment, release, interval_ms: intervalMs, statuses: [0, 0, 0, 0, 0], router_errors: 0, durations: durationBuckets.map(() => 0), duration_ms: 0, bytes_in: 0, bytes_out: 0 }
    row.statuses = row.statuses.map((count, index) => count + (statusClasses[index] ?? 0))
    row.durations = row.durations.map((count, index) => count + (durationBuckets[index] ?? 0))
    row.router_errors += routerErrors
    row.duration_ms += durationSumMs
    row.bytes_in += bytesIn
    row.bytes_out += bytesOut
    rows.set(key, row)
  }
  return rows
}

export interface TrafficQuery {
  team: string
  app: string
  environment: string
  from: Date
  until: Date
}

export async function readTraffic(tx: Tx, { team, app, environment, from, until }: TrafficQuery): Promise<Interval[]> {
  const { rows } = await tx.query(
    `select at, release, statuses, router_errors, durations, duration_ms, bytes_in, bytes_out from traffic
     where team = $1 and app = $2 and environment = $3 and at >= $4 and at < $5 order by at, release`,
    [team, app, environment, from, until],
    'read-traffic',
  )
  return rows.map((row) => ({
    at: (row.at as Date).getTime(),
    release: row.release,
    statuses: row.statuses.map(Number),
    routerErrors: Number(row.router_errors),
    durations: row.durations.map(Number),
    durationMs: row.duration_ms,
    bytesIn: Number(row.bytes_in),
    bytesOut: Number(row.bytes_out),
  }))
}

/** Requests and errors of every app that had any, since then: what lists show beside the names. */
export async function readTotals(tx: Tx, teams: string[] | undefined, since: Date): Promise<{ team: string; app: string; environment: string; requests: number; errors: number }[]> {
  const { rows } = await tx.query(
    `select team, app, environment, sum((select sum(s) from unnest(statuses) s))::float8 as requests, sum(statuses[5])::float8 as errors
     from traffic where at >= $1 and ($2::text[] is null or team = any($2)) group by team, app, environment`,
    [since, teams ?? null],
    'read-traffic-totals',
  )
  return rows as never
}

export async function pruneTraffic(database: Database, keepMs: number): Promise<void> {
  await database.query('delete from traffic where at < now() - make_interval(secs => $1)', [keepMs / 1000])
}
