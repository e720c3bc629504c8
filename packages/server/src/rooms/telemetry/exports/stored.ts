/** SQL of what entries of the queue say, where it is stored. */
import type { Span } from '@pavior/contract'
import type { Tx } from '../../../kernel/db/index.ts'
import { spanColumns, spanOf, type SpanRow } from '../traces/store.ts'
import type { SentLine } from './ports.ts'
import type { Room } from './read.ts'
import type { QueuedEntry } from './store.ts'

export interface Found<T> {
  items: T[]
  bytes: number
  /** There is nothing more of this entry. */
  atEnd: boolean
}

/** At least one, however long it is. */
const withinBytes = 'bytes_until - bytes < '

export async function linesOfEntry(tx: Tx, team: string, { app, environment, appNumber, source, fromAt, untilAt, fromSeq, untilSeq }: QueuedEntry, { skip, items, bytes }: Room): Promise<Found<SentLine>> {
  const { rows } = await tx.query(
    `select p.*, s.release, s.process, s.instance, s.sender from (
       select *, sum(bytes) over (order by at, seq rows unbounded preceding) as bytes_until from (
         select at, seq, level, body, octet_length(body) + 200 as bytes, encode(trace_id, 'hex') as trace, request_id, attributes from log_lines
         where app = $1 and source = $2 and at between $3 and $4 and seq between $5 and $6 order by at, seq offset $7 limit $8) page) p
     join log_sources s on s.id = $2 where ${withinBytes} $9 order by at, seq`,
    [appNumber, source, fromAt, untilAt, fromSeq, untilSeq, skip, items + 1, bytes],
    'exported-lines',
  )
  const found = rows.slice(0, items)
  return {
    items: found.map((row) => ({
      atMs: row.at.getTime(), seq: Number(row.seq), source: source!, level: row.level, body: row.body,
      from: { team, app, environment, ...(row.release === null ? {} : { release: row.release }), ...(row.process === null ? {} : { process: row.process }), ...(row.instance === null ? {} : { instance: row.instance }), ...(row.sender === null ? {} : { sender: row.sender }) },
      ...(row.trace === null ? {} : { traceId: row.trace }), ...(row.request_id === null ? {} : { requestId: row.request_id }), ...(row.attributes === null ? {} : { attributes: row.attributes }),
    })),
    bytes: found.reduce((sum, row) => sum + Number(row.bytes), 0),
    atEnd: rows.length <= items && Number(rows.at(-1)?.bytes_until ?? 0) < bytes,
  }
}

/** Also those that were kept when the others went. */
export async function spansOfEntry(tx: Tx, team: string, { app, environment, fromAt, untilAt, tx: of }: QueuedEntry, { skip, items, bytes }: Room): Promise<Found<Span>> {
  const { rows } = await tx.query<SpanRow & { bytes: number; bytes_until: string }>(
    `select * from (
       select *, sum(bytes) over (order by at, span_id rows unbounded preceding) as bytes_until from (
         select distinct on (at, span_id) ${spanColumns}, octet_length(data::text) + 300 as bytes from spans
         where team = $1 and app = $2 and environment = $3 and at between $4 and $5
           and stored_at = (select stored_at from export_queue where signal = 'traces' and team = $1 and tx = $6::xid8 limit 1)
         order by at, span_id offset $7 limit $8) page) p
     where ${withinBytes} $9 order by at, span_id`,
    [team, app, environment, fromAt, untilAt, of, skip, items + 1, bytes],
    'exported-spans',
  )
  const found = rows.slice(0, items)
  return { items: found.map(spanOf), bytes: found.reduce((sum, row) => sum + row.bytes, 0), atEnd: rows.length <= items && Number(rows.at(-1)?.bytes_until ?? 0) < bytes }
}
