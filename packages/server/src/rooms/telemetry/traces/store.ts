/** Spans, and what is kept of them. */
import { spanKinds, type Span, type TraceSummary } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Partitioned } from '../../../kernel/db/partitions.ts'

const minuteMs = 60_000

/** Short, so that what is not kept goes soon. */
export const recent: Partitioned = { table: 'spans_recent', lengthMs: 10 * minuteMs }
export const kept: Partitioned = { table: 'spans_kept', lengthMs: 24 * 60 * minuteMs }

/** Of one trace that is shown. */
const mostSpans = 5000

export interface SpanRow {
  at: Date
  duration_us: string
  trace_id: string
  span_id: string
  parent_id: string | null
  team: string
  app: string
  environment: string
  release: number | null
  instance: string | null
  name: string
  kind: number
  failed: boolean
  data: Pick<Span, 'message' | 'request'> & Partial<Pick<Span, 'attributes' | 'events' | 'links'>>
}

export const spanColumns = 'at, duration_us, trace_id, span_id, parent_id, team, app, environment, release, instance, name, kind, failed, data'

export async function insertSpans(tx: Tx, spans: readonly Span[]): Promise<void> {
  if (spans.length === 0) return
  const rows = spans.map(({ atMs, durationMs, traceId, spanId, parentId, kind, request, message, attributes, events, links, ...rest }) => ({
    ...rest,
    at: new Date(atMs).toISOString(),
    duration_us: Math.round(durationMs * 1000),
    trace_id: traceId,
    span_id: spanId,
    parent_id: parentId,
    kind: spanKinds.indexOf(kind),
    request_id: request?.requestId,
    data: { message, request, ...(Object.keys(attributes).length > 0 ? { attributes } : {}), ...(events.length > 0 ? { events } : {}), ...(links.length > 0 ? { links } : {}) },
  }))
  await tx.query(
    `insert into spans_recent (${spanColumns}, request_id)
     select * from jsonb_to_recordset($1::jsonb) as r (at timestamptz, duration_us bigint, trace_id text, span_id text, parent_id text, team text, app text,
       environment text, release int, instance text, name text, kind smallint, failed boolean, data jsonb, request_id text)`,
    [JSON.stringify(rows)],
    'insert-spans',
  )
}

/** Every span of a trace, earliest first, those that came twice once; one more than are shown. */
export async function readTrace(database: Database, traceId: string): Promise<Span[]> {
  const { rows } = await database.query<SpanRow>(`select * from (select distinct on (span_id) ${spanColumns} from spans where trace_id = $1 order by span_id, stored_at) each order by at, duration_us desc limit $2`, [traceId, mostSpans + 1], 'read-trace')
  return rows.map(spanOf)
}

export function shownOf(spans: Span[]): { spans: Span[]; cut: boolean } {
  return { spans: spans.slice(0, mostSpans), cut: spans.length > mostSpans }
}

/** What the router saw of a request; of several with one id the latest. `teams`: undefined for all. */
export async function readRequest(database: Database, requestId: string, teams: readonly string[] | undefined): Promise<Span | undefined> {
  const { rows } = await database.query<SpanRow>(`select ${spanColumns} from spans where request_id = $1 and ($2::text[] is null or team = any($2)) order by at desc limit 1`, [requestId, teams ?? null], 'read-request')
  return rows[0] && spanOf(rows[0])
}

export interface TraceSearch {
  team: string
  app: string
  environment?: string
  release?: number
  from: Date
  until: Date
  leastMs?: number
  failed?: boolean
  /** Part of the name of a span of the app, in any case. */
  name?: string
  limit: number
}

/** Traces that the app took part in, latest first. `teams`: whose spans count, undefined for all. */
export async function findTraces(database: Database, { team, app, environment, release, from, until, leastMs, failed, name, limit }: TraceSearch, teams: readonly string[] | undefined): Promise<TraceSummary[]> {
  const { rows } = await database.query(
    `with found as (
       select trace_id, max(at) as at from spans
       where team = $1 and app = $2 and at >= $3 and at < $4 and ($5::text is null or environment = $5) and ($6::int is null or release = $6)
         and ($7::bigint is null or duration_us >= $7) and ($8::boolean is null or failed = $8) and ($9::text is null or position(lower($9) in lower(name)) > 0)
       group by trace_id order by 2 desc limit $10)
     select s.trace_id, min(s.at) as at, extract(epoch from max(s.at + s.duration_us * interval '1 microsecond') - min(s.at))::float8 * 1000 as ms,
       count(distinct s.span_id)::int as spans, bool_or(s.failed) as failed, array_agg(distinct s.team || '/' || s.app) as apps,
       (array_agg(s.name order by s.at, s.duration_us desc))[1] as name,
       (array_agg(s.data -> 'request' order by s.at, s.duration_us desc) filter (where s.data ? 'request'))[1] as request
     from spans s join found using (trace_id) where $11::text[] is null or s.team = any($11)
     group by s.trace_id order by max(found.at) desc`,
    [team, app, from, until, environment ?? null, release ?? null, leastMs === undefined ? null : Math.round(leastMs * 1000), failed ?? null, name ?? null, limit, teams ?? null],
    'find-traces',
  )
  return rows.map(({ trace_id, at, ms, spans, failed: bad, apps, name: first, request }) => ({
    traceId: trace_id, atMs: at.getTime(), durationMs: ms, name: first, apps, spans, failed: bad, ...(request ? { requestId: request.requestId, status: request.status } : {}),
  }))
}

/**
 * Copies what is worth keeping out of a partition, once: traces of which a span failed or took `slowMs`, and `share` of the others by
 * their id. The partitions beside it have a say, because a trace may have begun in the one and failed in the other.
 */
export async function keepSpans(tx: Tx, partition: string, { fromMs, untilMs }: { fromMs: number; untilMs: number }, { slowMs, share }: { slowMs: number; share: number }): Promise<number> {
  const { rowCount } = await tx.query('insert into spans_sampled (partition) values ($1) on conflict do nothing', [partition])
  if (rowCount === 0) return 0
  const beside = recent.lengthMs
  const copied = await tx.query(
    `insert into spans_kept select s.* from spans_recent s
     where s.stored_at >= to_timestamp($1::float8 / 1000) and s.stored_at < to_timestamp($2::float8 / 1000)
       and (('x' || substr(md5(s.trace_id), 1, 8))::bit(32)::bigint < $5::float8 * 4294967296
         or s.trace_id in (select trace_id from spans_recent where stored_at >= to_timestamp($3::float8 / 1000) and stored_at < to_timestamp($4::float8 / 1000) and (failed or duration_us >= $6))
         or s.trace_id in (select trace_id from spans_kept where stored_at >= to_timestamp($3::float8 / 1000) and stored_at < to_timestamp($1::float8 / 1000)))`,
    [fromMs, untilMs, fromMs - beside, untilMs + beside, share, slowMs * 1000],
  )
  return copied.rowCount
}

export async function isSampled(database: Database, partition: string): Promise<boolean> {
  return (await database.query('select from spans_sampled where partition = $1', [partition])).rowCount > 0
}

export async function forgetSampled(database: Database, olderMs: number): Promise<void> {
  await database.query("delete from spans_sampled where at < now() - make_interval(secs => $1)", [olderMs / 1000])
}

export function spanOf({ at, duration_us, trace_id, span_id, parent_id, team, app, environment, release, instance, name, kind, failed, data }: SpanRow): Span {
  const { message, request, attributes = {}, events = [], links = [] } = data
  return {
    traceId: trace_id, spanId: span_id, ...(parent_id ? { parentId: parent_id } : {}), team, app, environment, ...(release === null ? {} : { release }), ...(instance ? { instance } : {}),
    name, kind: spanKinds[kind] ?? 'unspecified', atMs: at.getTime(), durationMs: Number(duration_us) / 1000, failed, ...(message ? { message } : {}), attributes, events, links, ...(request ? { request } : {}),
  }
}
