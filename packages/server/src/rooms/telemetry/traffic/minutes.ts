/** Traffic by whole minutes, and which of them changed: for whoever keeps sums of it. All SQL of it. */
import { durationBucketsMs, type RequestRecord } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { TrafficQuery } from './store.ts'

/** What one release of an app did in one minute. */
export interface MinuteCounts {
  /** Minutes since the epoch. */
  minute: number
  team: string
  app: string
  environment: string
  release: number
  /** 1xx … 5xx. */
  statuses: number[]
  /** Of them answered by the router itself. */
  routerErrors: number
  /** By upper bound of `durationBucketsMs`; the last is everything slower. */
  durations: number[]
}

/** Traffic by whole minutes since the epoch, and which of them changed, however late. */
export interface TrafficMinutes {
  /** Minutes that changed after this batch of traffic, and how far that goes; about `atMost`, the rest at the next call. */
  changed: (tx: Tx, after: number, atMost: number) => Promise<{ minutes: number[]; batch: number }>
  newestBatch: (tx: Tx) => Promise<number>
  counts: (tx: Tx, minutes: number[]) => Promise<MinuteCounts[]>
  ofApp: (tx: Tx, query: TrafficQuery) => Promise<MinuteCounts[]>
  /** Apps with any traffic since then, by environment. */
  busyApps: (since: Date) => Promise<{ team: string; app: string; environment: string }[]>
}

export function trafficMinutes(database: Database): TrafficMinutes {
  return { changed: changedMinutes, newestBatch, counts: minuteCounts, ofApp: appMinutes, busyApps: (since) => busyApps(database, since) }
}

const minuteMs = 60_000

/** Batches are numbered under a lock, so whoever has read up to one number misses none below it. */
export async function markMinutes(tx: Tx, records: RequestRecord[]): Promise<void> {
  const minutes = [...new Set(records.map(({ from }) => Math.floor(Date.parse(from) / minuteMs)))].toSorted((one, other) => one - other)
  await tx.query(
    `with batch as (insert into counters (name, value) values ('traffic batch', 1) on conflict (name) do update set value = counters.value + 1 returning value)
     insert into traffic_minutes (minute, batch) select minute, value from unnest($1::int[]) minute, batch on conflict (minute) do update set batch = excluded.batch`,
    [minutes],
    'mark-traffic-minutes',
  )
}

/** Minutes that changed after this batch, in the order in which they did, and how far that goes. `atMost`: more wait for the next call. */
async function changedMinutes(tx: Tx, after: number, atMost: number): Promise<{ minutes: number[]; batch: number }> {
  const { rows } = await tx.query<{ minute: number; batch: string }>(
    `select minute, batch from traffic_minutes where batch > $1 and batch <= coalesce((select batch from traffic_minutes where batch > $1 order by batch offset $2 limit 1), 9223372036854775807) order by batch`,
    [after, atMost],
    'changed-traffic-minutes',
  )
  return { minutes: rows.map(({ minute }) => minute), batch: Number(rows.at(-1)?.batch ?? after) }
}

/** Number of the newest batch. */
async function newestBatch(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ value: string }>(`select value from counters where name = 'traffic batch'`, [], 'newest-traffic-batch')
  return Number(rows[0]?.value ?? 0)
}

const sums = [1, 2, 3, 4, 5].map((place) => `sum(statuses[${place}])::float8`).join(', ')
const durations = [...durationBucketsMs, Infinity].map((_, index) => `sum(durations[${index + 1}])::float8`).join(', ')
const columns = `floor(extract(epoch from at) / 60)::int as minute, team, app, environment, release, array[${sums}] as statuses, sum(router_errors)::float8 as router_errors, array[${durations}] as durations`

interface CountsRow extends Omit<MinuteCounts, 'routerErrors'> {
  router_errors: number
}

const countsOf = ({ router_errors, ...row }: CountsRow): MinuteCounts => ({ ...row, routerErrors: router_errors })

/** What everybody did in these minutes. */
async function minuteCounts(tx: Tx, minutes: number[]): Promise<MinuteCounts[]> {
  if (minutes.length === 0) return []
  const { rows } = await tx.query<CountsRow>(
    `select ${columns} from traffic where at >= to_timestamp($1::bigint * 60) and at < to_timestamp(($2::bigint + 1) * 60)
       and floor(extract(epoch from at) / 60)::int = any($3::int[]) group by 1, 2, 3, 4, 5`,
    [Math.min(...minutes), Math.max(...minutes), minutes],
    'traffic-minute-counts',
  )
  return rows.map(countsOf)
}

/** What one app did, minute by minute. */
async function appMinutes(tx: Tx, { team, app, environment, from, until }: TrafficQuery): Promise<MinuteCounts[]> {
  const { rows } = await tx.query<CountsRow>(
    `select ${columns} from traffic where team = $1 and app = $2 and environment = $3 and at >= $4 and at < $5 group by 1, 2, 3, 4, 5 order by 1`,
    [team, app, environment, from, until],
    'traffic-app-minutes',
  )
  return rows.map(countsOf)
}

/** Apps that had any traffic since then, by environment. */
async function busyApps(tx: Tx, since: Date): Promise<{ team: string; app: string; environment: string }[]> {
  const { rows } = await tx.query<{ team: string; app: string; environment: string }>('select distinct team, app, environment from traffic where at >= $1', [since], 'busy-apps')
  return rows
}

export async function pruneMinutes(database: Database, keepMs: number): Promise<void> {
  await database.query('delete from traffic_minutes where minute < extract(epoch from now() - make_interval(secs => $1)) / 60', [keepMs / 1000])
}
