/** All SQL of metrics: series, batches of points as they came, blocks by series, running totals. */
import { createHash } from 'node:crypto'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { decodeBatch, decodeBlock, encodeBatch, encodeBlock, pointsOf, type Points } from './encoding.ts'
import { within } from './plan.ts'
import type { Matcher, MetricMetadata } from './series.ts'

/** By name, sorted by name, with `__name__`. */
export type Labels = readonly (readonly [name: string, value: string])[]

const hashBytes = 16

/** The same text for the same labels, whoever sends them. */
export function keyOf(labels: Labels): string {
  let key = ''
  for (const [name, value] of labels) key += `${name}\xff${value}\xfe`
  return key
}

export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, hashBytes)
}

/** Ids of series by the hex of their hash; those that are not there yet are made. On disk when it returns: what is remembered by its id must not be given to another by a crash. */
export async function makeSeries(database: Database, owner: { team: string; app: string }, wanted: { hash: Buffer; labels: Labels }[]): Promise<Map<string, number>> {
  const rows = wanted.map(({ hash, labels }) => ({ hash: hash.toString('hex'), name: labels.find(([name]) => name === '__name__')![1], labels: Object.fromEntries(labels) })).toSorted((one, other) => (one.hash < other.hash ? -1 : 1))
  const { rows: made } = await database.write<{ hash: string; id: string }>(
    `insert into metric_series as s (hash, team, app, name, labels)
     select decode(hash, 'hex'), $2, $3, name, labels from jsonb_to_recordset($1::jsonb) as r (hash text, name text, labels jsonb)
     on conflict (hash) do update set last_seen_at = now() returning encode(hash, 'hex') as hash, id`,
    [JSON.stringify(rows), owner.team, owner.app],
  )
  return new Map(made.map(({ hash, id }) => [hash, Number(id)]))
}

/** The series of an app that had points lately. */
export async function activeSeries(tx: Tx, { team, app }: { team: string; app: string }, activeMs: number, most: number): Promise<{ id: number; labels: Record<string, string> }[]> {
  const { rows } = await tx.query<{ id: string; labels: Record<string, string> }>(
    'select id, labels from metric_series where team = $1 and app = $2 and last_seen_at > now() - make_interval(secs => $3) order by last_seen_at desc limit $4',
    [team, app, activeMs / 1000, most],
    'metric-active-series',
  )
  return rows.map(({ id, labels }) => ({ id: Number(id), labels }))
}

/** Points as they came, by series, and of which app they are. */
export interface Arrived {
  /** `team/app`. */
  owner: string
  series: number
  timeMs: number
  value: number
}

/** An app whose points of one batch need more than this gets a row of its own, so that nobody who asks for another app reads them. */
const ownRowPoints = 1000

export async function insertPoints(tx: Tx, arrived: readonly Arrived[], write: Tx['query'] = (...statement) => tx.query(...statement)): Promise<void> {
  if (arrived.length === 0) return
  const rows = batchesOf(arrived)
  await write(
    'insert into metric_batches (owner, from_ms, until_ms, points, data) select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::int[], $5::bytea[])',
    [rows.map(({ owner }) => owner), rows.map(({ fromMs }) => fromMs), rows.map(({ untilMs }) => untilMs), rows.map(({ points }) => points), rows.map(({ data }) => data)],
    'metric-insert',
  )
}

function batchesOf(arrived: readonly Arrived[]): { owner: string; data: Buffer; fromMs: number; untilMs: number; points: number }[] {
  const counts = new Map<string, number>()
  for (const { owner } of arrived) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  const rows = new Map<string, Map<number, { times: number[]; values: number[] }>>()
  let [last, batch] = ['\0', new Map<number, { times: number[]; values: number[] }>()]
  for (const { owner, series, timeMs, value } of arrived) {
    if (owner !== last) {
      const row = counts.get(owner)! > ownRowPoints ? owner : ''
      batch = rows.get(row) ?? new Map()
      rows.set(row, batch)
      last = owner
    }
    const points = batch.get(series)
    if (points) {
      points.times.push(timeMs)
      points.values.push(value)
    } else batch.set(series, { times: [timeMs], values: [value] })
  }
  return [...rows].map(([owner, batch]) => ({ owner, ...encodeBatch(new Map([...batch].map(([id, { times, values }]) => [id, pointsOf(times, values)]))) }))
}

/** What is to be added to a running total. */
export interface Addition {
  owner: string
  series: number
  /** Milliseconds since the epoch: beginning and end of what it counts. */
  fromMs: number
  timeMs: number
  value: number
}

/** A total this far ahead of what comes was written by a clock that was set back since. */
const steppedBackMs = 600_000

/**
 * Adds up and gives the totals as points. Whoever adds to the same series at the same time waits for the end of this
 * transaction, so that totals rise in the order in which they are written; once a transaction, because
 * two that take their series in another order would wait for each other. A total never goes back in time: an addition of
 * before its last point counts at that point, unless that is so far ahead that a clock must have been wrong. `late`: those of
 * before the last point with `refuseLate`, which are not added.
 */
export async function addToTotals(tx: Tx, additions: readonly Addition[], { refuseLate }: { refuseLate: boolean }): Promise<{ points: Arrived[]; late: Set<Addition> }> {
  const bySeries = new Map<number, Addition[]>()
  for (const one of additions) {
    const own = bySeries.get(one.series)
    if (own) own.push(one)
    else bySeries.set(one.series, [one])
  }
  const ids = [...bySeries.keys()].toSorted((one, other) => one - other)
  await tx.query('insert into metric_totals (series, value, at_ms) select id, 0, 0 from unnest($1::bigint[]) as u (id) order by id on conflict do nothing', [ids], 'metric-totals-make')
  const { rows } = await tx.query<{ series: string; value: number; at_ms: string }>('select series, value, at_ms from metric_totals where series = any($1) order by series for update', [ids], 'metric-totals-lock')
  const points: Arrived[] = []
  const totals: { series: number; value: number; atMs: number }[] = []
  const late = new Set<Addition>()
  for (const row of rows) {
    const series = Number(row.series)
    let [value, atMs] = [row.value, Number(row.at_ms)]
    const began = atMs === 0
    for (const one of bySeries.get(series)!.toSorted((first, second) => first.timeMs - second.timeMs)) {
      if (refuseLate && one.timeMs <= atMs) {
        late.add(one)
        continue
      }
      // Counted from nothing, so that the first increase is seen as one.
      if (began && points.at(-1)?.series !== series) points.push({ owner: one.owner, series, timeMs: Math.min(one.fromMs, one.timeMs - 1), value: 0 })
      value += one.value
      atMs = one.timeMs < atMs - steppedBackMs ? one.timeMs : Math.max(atMs, one.timeMs)
      points.push({ owner: one.owner, series, timeMs: atMs, value })
    }
    totals.push({ series, value, atMs })
  }
  await tx.query(
    'update metric_totals t set value = u.value, at_ms = u.at from unnest($1::bigint[], $2::float8[], $3::bigint[]) as u (series, value, at) where t.series = u.series',
    [totals.map(({ series }) => series), totals.map(({ value }) => value), totals.map(({ atMs }) => atMs)],
    'metric-totals-set',
  )
  return { points, late }
}

export async function noteMetadata(database: Database, entries: { team: string; name: string; metadata: MetricMetadata }[]): Promise<void> {
  await database.query(
    `insert into metric_metadata as m (team, name, type, help, unit) select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as u (team, name, type, help, unit) order by team, name
     on conflict (team, name) do update set type = excluded.type, help = excluded.help, unit = excluded.unit where (m.type, m.help, m.unit) is distinct from (excluded.type, excluded.help, excluded.unit)`,
    [entries.map(({ team }) => team), entries.map(({ name }) => name), entries.map(({ metadata }) => metadata.type), entries.map(({ metadata }) => metadata.help), entries.map(({ metadata }) => metadata.unit)],
  )
}

export async function readMetadata(tx: Tx, teams: readonly string[] | undefined): Promise<Map<string, MetricMetadata>> {
  const { rows } = await tx.query<{ name: string } & MetricMetadata>('select distinct on (name) name, type, help, unit from metric_metadata where $1::text[] is null or team = any($1) order by name, team', [teams ?? null])
  return new Map(rows.map(({ name, type, help, unit }) => [name, { type, help, unit }]))
}

/** Series that the conditions do not rule out, seen since then, by id. At most `most`. */
export async function findSeries(tx: Tx, { teams, matchers, fromMs, most }: { teams: readonly string[] | undefined; matchers: readonly Matcher[]; fromMs: number; most: number }): Promise<{ id: number; team: string; app: string; labels: Record<string, string> }[]> {
  const values: unknown[] = []
  const hold = (value: unknown): string => `$${values.push(value)}`
  const conditions = matchers.map(({ name, op, value }) => {
    const column = columns[name] ?? `coalesce(labels ->> ${hold(name)}, '')`
    if (op === '=' || op === '!=') return `${column} ${op === '=' ? '=' : '<>'} ${hold(value)}`
    return `${column} ${op === '=~' ? '~' : '!~'} ${hold(anchored(value))}`
  })
  if (teams) conditions.push(`team = any(${hold(teams)})`)
  const { rows } = await tx.query<{ id: string; team: string; app: string; labels: Record<string, string> }>(
    `select id, team, app, labels from metric_series where ${[...conditions, `last_seen_at >= to_timestamp(${hold(fromMs / 1000)})`].join(' and ')} order by id limit ${hold(most)}`,
    values,
  )
  return rows.map(({ id, team, app, labels }) => ({ id: Number(id), team, app, labels }))
}

/** The whole text has to fit. Flags stand before everything else in the database's expressions. */
function anchored(pattern: string): string {
  return pattern.startsWith('(?i)') ? `(?i)^(?:${pattern.slice(4)})$` : `^(?:${pattern})$`
}

/** Labels that are columns too. */
const columns: Record<string, string> = { __name__: 'name', team: 'team', app: 'app' }

/** Everything of these series in a window, in the order in which it was written; undefined when it is more than `most` points. */
export async function readPoints(tx: Tx, ids: readonly number[], owners: readonly string[], { fromMs, untilMs, most }: { fromMs: number; untilMs: number; most: number }): Promise<Map<number, Points[]> | undefined> {
  // One statement, and so one moment: what compaction moves meanwhile is seen once.
  const { rows } = await tx.query<{ series: string | null; data: Buffer }>(
    `with blocks as materialized (select series, id, points, data from metric_blocks where series = any($1) and until_ms >= $2 and from_ms <= $3),
       fits as (select coalesce(sum(points), 0) <= $5 as fits from blocks)
     select * from (
       select 0 as level, series, id, data from blocks, fits where fits
       union all select 0, null, 0, null from fits where not fits
       union all select 1, null, id, data from metric_batches, fits where fits and until_ms >= $2 and from_ms <= $3 and (owner = '' or owner = any($4))) as all_of_it
     order by level, id`,
    [ids, fromMs, untilMs, owners, most],
    'metric-read',
  )
  if (rows[0]?.data === null) return undefined
  const wanted = new Set(ids)
  const found = new Map<number, Points[]>()
  const add = (id: number, points: Points): void => {
    const parts = found.get(id)
    if (parts) parts.push(points)
    else found.set(id, [points])
  }
  for (const { series, data } of rows) {
    if (series !== null) add(Number(series), decodeBlock(data))
    else for (const [id, points] of decodeBatch(data, wanted)) add(id, points)
  }
  return found
}

/** Which of these series had a point in a window. Only what reaches over the whole window is looked into. */
export async function seenSeries(tx: Tx, ids: readonly number[], owners: readonly string[], { fromMs, untilMs }: { fromMs: number; untilMs: number }): Promise<Set<number>> {
  const { rows } = await tx.query<{ series: string | null; data: Buffer | null }>(
    `select distinct series, null::bytea as data from metric_blocks where series = any($1) and until_ms >= $2 and from_ms <= $3 and (from_ms >= $2 or until_ms <= $3)
     union all select series, data from metric_blocks where series = any($1) and until_ms > $3 and from_ms < $2
     union all select null, data from metric_batches where until_ms >= $2 and from_ms <= $3 and (owner = '' or owner = any($4))`,
    [ids, fromMs, untilMs, owners],
    'metric-seen',
  )
  const wanted = new Set(ids)
  const seen = new Set<number>()
  const look = (id: number, points: Points): void => {
    if (within(points, fromMs, untilMs).times.length > 0) seen.add(id)
  }
  for (const { series, data } of rows) {
    if (data === null) seen.add(Number(series))
    else if (series !== null) look(Number(series), decodeBlock(data))
    else for (const [id, points] of decodeBatch(data, { has: (id) => wanted.has(id) && !seen.has(id) })) look(id, points)
  }
  return seen
}

export interface Block {
  series: number
  id: number
  untilMs: number
  points: Points
}

const compactionLock = 7_461_730_122

/** False when another server compacts at this moment. */
export async function lockCompaction(tx: Tx): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [compactionLock])
  return rows[0]!.locked
}

/** What an export has not sent yet stays in the backlog. The oldest batches, taken out: those that are old enough, or all when there are more bytes of them than `mostBytes`. At most `chunkBytes` at once, and at least one. */
export async function takeBatches(tx: Tx, { olderThanMs, mostBytes, chunkBytes }: { olderThanMs: number; mostBytes: number; chunkBytes: number }): Promise<Buffer[]> {
  const { rows } = await tx.query<{ id: string; data: Buffer }>(
    `with sizes as (select id, written_at, octet_length(data) as bytes from metric_batches),
       due as (select id, sum(bytes) over (order by id) - bytes as before, written_at < now() - make_interval(secs => $1) or sum(bytes) over () > $2 as due from sizes),
       gone as (delete from metric_batches b using due where b.id = due.id and due.due and due.before < $3 returning b.id, b.tx, b.owner, b.written_at, b.data),
       waiting as (insert into metric_backlog (tx, id, owner, written_at, data) select tx, id, owner, written_at, data from gone
         where exists (select from export_positions p where p.signal = 'metrics' and (p.tx, p.id) < (gone.tx, gone.id) and (owner = '' or starts_with(owner, p.team || '/'))))
     select id, data from gone`,
    [olderThanMs / 1000, mostBytes, chunkBytes],
  )
  return rows.toSorted((one, other) => Number(one.id) - Number(other.id)).map(({ data }) => data)
}

/** Of each series the block that was written last, if it is of about this time and has room. */
export async function takeOpenBlocks(tx: Tx, tier: number, ids: readonly number[], sinceMs: number, fullPoints: number): Promise<Map<number, Points>> {
  const { rows } = await tx.query<{ series: string; id: string; until_ms: string; points: number }>(
    'select distinct on (series) series, id, until_ms, points from metric_blocks where series = any($1) and until_ms >= $2 and tier = $3 order by series, id desc',
    [ids, sinceMs, tier],
  )
  const open = rows.filter(({ points }) => points < fullPoints)
  return new Map((await takeBlocks(tx, open.map(({ series, id, until_ms }) => ({ series: Number(series), id: Number(id), untilMs: Number(until_ms) })))).map(({ series, points }) => [series, points]))
}

async function takeBlocks(tx: Tx, blocks: readonly Omit<Block, 'points'>[]): Promise<Block[]> {
  const { rows } = await tx.query<{ series: string; id: string; until_ms: string; data: Buffer }>(
    `delete from metric_blocks b using unnest($1::bigint[], $2::bigint[], $3::bigint[]) as u (series, until_ms, id)
     where b.series = u.series and b.until_ms = u.until_ms and b.id = u.id returning b.series, b.id, b.until_ms, b.data`,
    [blocks.map(({ series }) => series), blocks.map(({ untilMs }) => untilMs), blocks.map(({ id }) => id)],
  )
  return rows.map(({ series, id, until_ms, data }) => ({ series: Number(series), id: Number(id), untilMs: Number(until_ms), points: decodeBlock(data) }))
}

/** Blocks of a tier that end before then, taken out, those of the same series in the order in which they were written. */
export async function takeOldBlocks(tx: Tx, tier: number, beforeMs: number, most: number): Promise<Block[]> {
  const { rows } = await tx.query<{ series: string; id: string; until_ms: string }>('select series, id, until_ms from metric_blocks where tier = $1 and until_ms < $2 order by series, id limit $3', [tier, beforeMs, most])
  const taken = await takeBlocks(tx, rows.map(({ series, id, until_ms }) => ({ series: Number(series), id: Number(id), untilMs: Number(until_ms) })))
  return taken.toSorted((one, other) => one.id - other.id)
}

export async function dropOldBlocks(database: Database, tier: number, beforeMs: number): Promise<number> {
  const { rowCount } = await database.query('delete from metric_blocks where tier = $1 and until_ms < $2', [tier, beforeMs])
  return rowCount
}

export async function insertBlocks(tx: Tx, tier: number, blocks: readonly { series: number; points: Points }[]): Promise<void> {
  await tx.query(
    `insert into metric_blocks (series, tier, from_ms, until_ms, points, data)
     select series, $1, from_ms, until_ms, points, data from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::bytea[]) as u (series, from_ms, until_ms, points, data)`,
    [tier, blocks.map(({ series }) => series), blocks.map(({ points }) => points.times[0]), blocks.map(({ points }) => points.times.at(-1)), blocks.map(({ points }) => points.times.length), blocks.map(({ points }) => encodeBlock(points))],
  )
}

/** The series had points a moment ago; at most one write an interval and series. Waits for nobody: whoever holds one just notes the same. */
export async function noteSeen(tx: Tx, ids: readonly number[], everyMs: number): Promise<void> {
  await tx.query('update metric_series set last_seen_at = now() where id in (select id from metric_series where id = any($1) and last_seen_at < now() - make_interval(secs => $2) for update skip locked)', [ids, everyMs / 1000])
}

/** Which of these series are counters, by what their names' metadata says. */
export async function countersAmong(tx: Tx, ids: readonly number[]): Promise<Set<number>> {
  const { rows } = await tx.query<{ id: string }>(
    `select s.id from metric_series s where s.id = any($1) and (exists (select from metric_metadata m where m.team = s.team and m.name = s.name and m.type = 'counter') or s.name ~ '_(total|bucket|count|sum)$')`,
    [ids],
  )
  return new Set(rows.map(({ id }) => Number(id)))
}

/** Series that nobody has written for so long that none of their points is left. */
export async function pruneSeries(database: Database, keepMs: number): Promise<void> {
  await database.query('with gone as (delete from metric_series where id in (select id from metric_series where last_seen_at < now() - make_interval(secs => $1) for update skip locked) returning id) delete from metric_totals where series in (select id from gone)', [keepMs / 1000])
}

export interface DropCount {
  team: string
  app: string
  reason: string
  points: number
}

export async function addDropped(database: Database, counts: readonly DropCount[]): Promise<void> {
  await database.query(
    `insert into metric_dropped as d (team, app, reason, day, points, last_at)
     select team, app, reason, current_date, points, now() from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as u (team, app, reason, points) order by team, app, reason
     on conflict (team, app, reason, day) do update set points = d.points + excluded.points, last_at = now()`,
    [counts.map(({ team }) => team), counts.map(({ app }) => app), counts.map(({ reason }) => reason), counts.map(({ points }) => points)],
  )
}

export async function readDropped(tx: Tx, team: string, app: string, days: number): Promise<{ reason: string; points: number; lastAt: Date }[]> {
  const { rows } = await tx.query<{ reason: string; points: number; last_at: Date }>(
    'select reason, sum(points)::float8 as points, max(last_at) as last_at from metric_dropped where team = $1 and app = $2 and day > current_date - $3::int group by reason order by reason',
    [team, app, days],
  )
  return rows.map(({ reason, points, last_at }) => ({ reason, points, lastAt: last_at }))
}

export async function pruneDropped(database: Database, days: number): Promise<void> {
  await database.query('delete from metric_dropped where day <= current_date - $1::int', [days])
}

/** Timers are not exact: who comes a little early has its turn. */
const earlyShare = 0.1

/** Which of these are this server's to do now: each once in its interval, over all servers. */
export async function takeTurns(database: Database, turns: readonly { name: string; everyMs: number }[]): Promise<Set<string>> {
  if (turns.length === 0) return new Set()
  const { rows } = await database.query<{ name: string }>(
    `insert into metric_turns as t (name, at) select name, now() from unnest($1::text[]) as u (name) order by name
     on conflict (name) do update set at = now()
       where t.at <= now() - make_interval(secs => (select every from unnest($1::text[], $2::float8[]) as u (name, every) where u.name = t.name limit 1)) or t.at > now() + interval '1 minute' returning name`,
    [turns.map(({ name }) => name), turns.map(({ everyMs }) => (everyMs / 1000) * (1 - earlyShare))],
    'metric-turns',
  )
  return new Set(rows.map(({ name }) => name))
}

export async function pruneTurns(database: Database): Promise<void> {
  await database.query("delete from metric_turns where at < now() - interval '1 day'")
}
