/** Minutes, hours and running sums of objectives: all SQL of them. */
import { burnWindows, type BurnWindow } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { windowNames, type BurnedBy, type Change, type MinuteRow, type Sums, type Units } from './plan.ts'
import type { BadMinute } from './explain.ts'

/** Running sums with what they were made by. */
export interface Kept extends Sums {
  /** `team/name` of the resource. */
  key: string
  /** What is counted and how; another one means to count anew. */
  basis: string
  window: string
  /** Newest minute that was asked for; of queries only. */
  queried?: number
}

export interface Evaluation {
  head: number
  batch: number
  /** What changes in minutes before this one is taken in no more: not all of them are kept. */
  pruned: number
}

const largestStatement = 5000

/** How far it is; undefined while another replica evaluates. */
export async function lockEvaluation(tx: Tx, first: Omit<Evaluation, 'pruned'>): Promise<Evaluation | undefined> {
  await tx.query('insert into slo_evaluation (head, batch) values ($1, $2) on conflict do nothing', [first.head, first.batch])
  const { rows } = await tx.query<{ head: number; batch: string; pruned: number }>('select head, batch, pruned from slo_evaluation for update skip locked')
  return rows[0] && { ...rows[0], batch: Number(rows[0].batch) }
}

export async function noteEvaluation(tx: Tx, { head, batch }: Omit<Evaluation, 'pruned'>): Promise<void> {
  await tx.query('update slo_evaluation set head = $1, batch = $2', [head, batch])
}

export async function readSums(tx: Tx, slos?: readonly string[]): Promise<Map<string, Kept>> {
  const { rows } = await tx.query<{ slo: string; sums: Kept }>('select slo, sums from slo_sums where $1::uuid[] is null or slo = any($1)', [slos ?? null], 'read-slo-sums')
  return new Map(rows.map(({ slo, sums }) => [slo, sums]))
}

export async function writeSums(tx: Tx, all: ReadonlyMap<string, Kept>): Promise<void> {
  if (all.size === 0) return
  await tx.query(
    'insert into slo_sums (slo, sums) select * from jsonb_to_recordset($1::jsonb) as s (slo uuid, sums jsonb) on conflict (slo) do update set sums = excluded.sums',
    [JSON.stringify([...all].map(([slo, sums]) => ({ slo, sums })))],
    'write-slo-sums',
  )
}

type StoredRow = MinuteRow & { slo: string; minute: number; detail: BurnedBy[] | null }

/** Rows of these minutes, by Slo. */
export async function readMinutes(tx: Tx, slos: readonly string[], minutes: readonly number[]): Promise<Map<string, Map<number, MinuteRow>>> {
  const found = new Map<string, Map<number, MinuteRow>>()
  if (slos.length === 0 || minutes.length === 0) return found
  const { rows } = await tx.query<StoredRow>('select * from slo_minutes where minute = any($1::int[]) and slo = any($2::uuid[])', [minutes, slos], 'read-slo-minutes')
  for (const { slo, minute, detail, ...row } of rows) {
    const own = found.get(slo) ?? new Map<number, MinuteRow>()
    own.set(minute, { ...row, ...(detail ? { detail } : {}) })
    found.set(slo, own)
  }
  return found
}

export async function writeMinutes(tx: Tx, changes: readonly (Change & { slo: string })[]): Promise<void> {
  for (let at = 0; at < changes.length; at += largestStatement) {
    const rows = changes.slice(at, at + largestStatement).map(({ slo, minute, row: { good, total, bad, units, gap, detail } }) => ({ slo, minute, good, total, bad, units, gap, detail: detail ?? null }))
    await tx.query(
      `insert into slo_minutes select * from jsonb_to_recordset($1::jsonb) as m (slo uuid, minute int, good float8, total float8, bad float8, units float8, gap smallint, detail jsonb)
       on conflict (slo, minute) do update set good = excluded.good, total = excluded.total, bad = excluded.bad, units = excluded.units, gap = excluded.gap, detail = excluded.detail`,
      [JSON.stringify(rows)],
      'write-slo-minutes',
    )
  }
}

export async function addHours(tx: Tx, hours: readonly (Change['delta'] & { slo: string; hour: number })[]): Promise<void> {
  if (hours.length === 0) return
  await tx.query(
    `insert into slo_hours as h select * from jsonb_to_recordset($1::jsonb) as d (slo uuid, hour int, good float8, total float8, bad float8, units float8, gap int)
     on conflict (slo, hour) do update set good = h.good + excluded.good, total = h.total + excluded.total, bad = h.bad + excluded.bad, units = h.units + excluded.units, gap = h.gap + excluded.gap`,
    [JSON.stringify(hours.map(({ slo, hour, good, total, bad, units, gap }) => ({ slo, hour, good, total, bad, units, gap })))],
    'add-slo-hours',
  )
}

/** What leaves the windows of burn: minutes above `after` up to `through`. */
export async function sumRanges(tx: Tx, ranges: readonly { name: BurnWindow; after: number; through: number }[]): Promise<Map<string, Partial<Record<BurnWindow, Units>>>> {
  const found = new Map<string, Partial<Record<BurnWindow, Units>>>()
  if (ranges.length === 0) return found
  const { rows } = await tx.query<Units & { slo: string; name: BurnWindow }>(
    `select m.slo, r.name, sum(bad) as bad, sum(units) as units, sum(gap)::float8 as gap
     from jsonb_to_recordset($1::jsonb) as r (name text, after int, through int) join slo_minutes m on m.minute > r.after and m.minute <= r.through group by 1, 2`,
    [JSON.stringify(ranges)],
    'sum-slo-ranges',
  )
  for (const { slo, name, ...units } of rows) found.set(slo, { ...found.get(slo), [name]: units })
  return found
}

/** Sums of whole hours from `from` (inclusive) to `until`, of each Slo its own. */
export async function sumHours(tx: Tx, ranges: readonly { slo: string; from: number; until: number }[]): Promise<Map<string, Units>> {
  if (ranges.length === 0) return new Map()
  const { rows } = await tx.query<Units & { slo: string }>(
    `select h.slo, sum(bad) as bad, sum(units) as units, sum(gap)::float8 as gap
     from jsonb_to_recordset($1::jsonb) as r (slo uuid, "from" int, until int) join slo_hours h on h.slo = r.slo and h.hour >= r."from" and h.hour < r.until group by 1`,
    [JSON.stringify(ranges)],
    'sum-slo-hours',
  )
  return new Map(rows.map(({ slo, ...units }) => [slo, units]))
}

/** Sums of the windows of burn as they stand in the minutes, for these at this head. */
export async function sumBurn(tx: Tx, slos: readonly string[], head: number): Promise<Map<string, Partial<Record<BurnWindow, Units>>>> {
  const all = await sumRanges(tx, windowNames.map((name) => ({ name, after: head - burnWindows[name], through: head })))
  return new Map([...all].filter(([slo]) => slos.includes(slo)))
}

export async function forget(tx: Tx, slos: readonly string[]): Promise<void> {
  if (slos.length === 0) return
  for (const table of ['slo_minutes', 'slo_hours', 'slo_sums']) await tx.query(`delete from ${table} where slo = any($1::uuid[])`, [slos])
}

/** Minutes that burned nothing are needed for the windows of burn and for what comes late; hours and bad minutes for as long as any window. */
export async function pruneSlos(database: Database, quietMinutes: number, minutes: number): Promise<void> {
  await database.transaction(async (tx) => {
    const { rows } = await tx.query<{ head: number }>('update slo_evaluation set pruned = greatest(pruned, head - $1) returning head', [quietMinutes])
    const head = rows[0]?.head
    if (head === undefined) return
    await tx.query('delete from slo_minutes where minute < $1 and (minute < $2 or (bad = 0 and detail is null))', [head - quietMinutes, head - minutes])
    await tx.query('delete from slo_hours where hour < $1', [head - minutes])
  })
}

const mostBadMinutes = 20_000

/** Minutes with bad ones, newest first; `atMost` of them. */
export async function badMinutes(tx: Tx, slo: string, from: number, until: number, atMost = mostBadMinutes): Promise<BadMinute[]> {
  const { rows } = await tx.query<BadMinute & { detail: BurnedBy[] | null }>(
    'select minute, bad, total, detail from slo_minutes where slo = $1 and minute >= $2 and minute < $3 and (bad > 0 or detail is not null) order by minute desc limit $4',
    [slo, from, until, atMost],
    'bad-slo-minutes',
  )
  return rows.map((row) => ({ ...row, detail: row.detail ?? [] }))
}

export type HourRow = Units & { hour: number; good: number; total: number }

export async function readHours(tx: Tx, slo: string, from: number, until: number): Promise<HourRow[]> {
  const { rows } = await tx.query<HourRow>('select hour, good, total, bad, units, gap from slo_hours where slo = $1 and hour >= $2 and hour < $3 order by hour', [slo, from, until], 'read-slo-hours')
  return rows
}

/** Whether an app got its proposals. */
export async function wasDrafted(tx: Tx, app: string, environment: string): Promise<boolean> {
  return (await tx.query('select 1 from slo_drafted where app = $1 and environment = $2', [app, environment], 'slo-was-drafted')).rowCount > 0
}

export async function noteDrafted(tx: Tx, app: string, environment: string): Promise<void> {
  await tx.query('insert into slo_drafted (app, environment) values ($1, $2) on conflict do nothing', [app, environment])
}
