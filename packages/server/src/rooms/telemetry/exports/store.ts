/** All SQL of exports: what is to be sent on, how far each came, whose turn it is. */
import type { ExportSignal, Span } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Numbers } from '../logs/copy.ts'
import type { Line } from '../logs/line.ts'
import type { Progress } from './plan.ts'

/** Where an export stands: everything up to (tx, id) is done, and `done` items of what comes next. */
export interface Position {
  tx: string
  id: string
  done: number
}

/** Lines or spans that one transaction stored. */
export interface Entry {
  app: string
  environment: string
  items: number
  fromAt: Date
  untilAt: Date
  appNumber?: number
  source?: number
  fromSeq?: number
  untilSeq?: number
}

async function enqueue(tx: Tx, signal: ExportSignal, team: string, entries: readonly Entry[]): Promise<void> {
  await tx.query(
    `insert into export_queue (signal, team, app, environment, items, from_at, until_at, app_number, source, from_seq, until_seq)
     select $1, $2, app, environment, items, from_at, until_at, app_number, source, from_seq, until_seq from jsonb_to_recordset($3::jsonb) as r
       (app text, environment text, items int, from_at timestamptz, until_at timestamptz, app_number int, source int, from_seq bigint, until_seq bigint)`,
    [signal, team, JSON.stringify(entries.map(({ fromAt, untilAt, appNumber, fromSeq, untilSeq, ...entry }) => ({ ...entry, from_at: fromAt, until_at: untilAt, app_number: appNumber, from_seq: fromSeq, until_seq: untilSeq })))],
    'enqueue-export',
  )
}

/** In the transaction that stores them: one entry for each source. `wanted`: whether anybody exports them. */
export async function enqueueLines(tx: Tx, lines: readonly Line[], numbersOf: (line: Line) => Numbers, wanted: (of: Line['source']) => boolean): Promise<void> {
  const teams = new Map<string, Map<number, Entry>>()
  for (const line of lines) {
    const { source: from, atMs, seq } = line
    if (!wanted(from)) continue
    const { app: appNumber, source } = numbersOf(line)
    const entries = teams.get(from.team) ?? new Map<number, Entry>()
    teams.set(from.team, entries)
    const entry = entries.get(source)
    const at = new Date(atMs)
    if (!entry) entries.set(source, { app: from.app, environment: from.environment, items: 1, fromAt: at, untilAt: at, appNumber, source, fromSeq: seq, untilSeq: seq })
    else Object.assign(entry, { items: entry.items + 1, fromAt: at < entry.fromAt ? at : entry.fromAt, untilAt: at > entry.untilAt ? at : entry.untilAt, fromSeq: Math.min(seq, entry.fromSeq!), untilSeq: Math.max(seq, entry.untilSeq!) })
  }
  for (const [team, entries] of teams) await enqueue(tx, 'logs', team, [...entries.values()])
}

export async function enqueueSpans(tx: Tx, spans: readonly Span[], wanted: (of: Span) => boolean): Promise<void> {
  const teams = new Map<string, Map<string, Entry>>()
  for (const span of spans) {
    if (!wanted(span)) continue
    const { team, app, environment, atMs } = span
    const entries = teams.get(team) ?? new Map<string, Entry>()
    teams.set(team, entries)
    const key = `${app}/${environment}`
    const entry = entries.get(key)
    const at = new Date(atMs)
    if (!entry) entries.set(key, { app, environment, items: 1, fromAt: at, untilAt: at })
    else Object.assign(entry, { items: entry.items + 1, fromAt: at < entry.fromAt ? at : entry.fromAt, untilAt: at > entry.untilAt ? at : entry.untilAt })
  }
  for (const [team, entries] of teams) await enqueue(tx, 'traces', team, [...entries.values()])
}

/** An export begins with what is stored from now on. */
export async function beginAt(database: Database, { uid, signal, team, name }: { uid: string; signal: ExportSignal; team: string; name: string }): Promise<void> {
  await database.write(
    `insert into export_positions (export, signal, team, name, tx, id) values ($1, $2, $3, $4, pg_snapshot_xmin(pg_current_snapshot()), 0) on conflict (export, signal) do nothing`,
    [uid, signal, team, name],
  )
}

/** Of whatever has no export any more. */
export async function forgetPositions(database: Database, stay: readonly { uid: string; signal: ExportSignal }[], gone: readonly string[]): Promise<void> {
  await database.query('delete from export_positions p where export = any($1) or (export = any($2) and not exists (select from unnest($2::text[], $3::text[]) as u (export, signal) where u.export = p.export and u.signal = p.signal))', [gone, stay.map(({ uid }) => uid), stay.map(({ signal }) => signal)])
}

export async function exportsWithPosition(database: Database): Promise<{ uid: string; team: string; name: string }[]> {
  const { rows } = await database.query<{ export: string; team: string; name: string }>('select distinct export, team, name from export_positions', [])
  return rows.map(({ export: uid, team, name }) => ({ uid, team, name }))
}

/** No transaction of ours lasts as long: what is older is not waited for when others keep theirs open. */
const longestTransaction = "interval '1 minute'"
/** Transactions that were begun before all that are still open have ended, so that nothing appears before these any more. */
const settled = (time: string): string => `(tx < pg_snapshot_xmin(pg_current_snapshot()) or ${time} < now() - ${longestTransaction})`
const batches = '(select tx, id, owner, written_at, data from metric_batches union all select tx, id, owner, written_at, data from metric_backlog) b'

/** Exports and signals for which there is something, and nobody else has the turn. */
export async function dueStreams(database: Database, me: string): Promise<{ uid: string; signal: ExportSignal }[]> {
  const { rows } = await database.query<{ export: string; signal: ExportSignal }>(
    `select export, signal from export_positions p
     where next_at <= now() and (holder is null or holder = $1 or lease_until < now()) and case signal
       when 'metrics' then exists (select from ${batches} where (b.tx, b.id) > (p.tx, p.id) and (owner = '' or starts_with(owner, p.team || '/')))
       else exists (select from export_queue q where q.signal = p.signal and q.team = p.team and (q.tx, q.id) > (p.tx, p.id)) end
     order by next_at`,
    [me],
    'due-exports',
  )
  return rows.map(({ export: uid, signal }) => ({ uid, signal }))
}

/** The turn, for so long; undefined when another server has it. */
export async function takeTurn(database: Database, { uid, signal, me, leaseMs }: { uid: string; signal: ExportSignal; me: string; leaseMs: number }): Promise<{ position: Position; failures: number } | undefined> {
  const { rows } = await database.query<{ tx: string; id: string; done: number; failures: number }>(
    `update export_positions set holder = $3, lease_until = now() + make_interval(secs => $4)
     where export = $1 and signal = $2 and (holder is null or holder = $3 or lease_until < now()) returning tx::text, id::text, done, failures`,
    [uid, signal, me, leaseMs / 1000],
    'take-export-turn',
  )
  const [row] = rows
  return row && { position: { tx: row.tx, id: row.id, done: row.done }, failures: row.failures }
}

export async function leaveTurn(database: Database, { uid, signal, me }: { uid: string; signal: ExportSignal; me: string }): Promise<void> {
  await database.query('update export_positions set holder = null where export = $1 and signal = $2 and holder = $3', [uid, signal, me], 'leave-export-turn')
}

export interface Settled {
  position: Position
  behindSince: Date | undefined
  sent: number
  refused: number
  tooOld: number
  gone: number
  /** The other side took something. */
  success: boolean
}

/** After an answer: on disk when it returns. False when the turn was lost. */
export async function settle(database: Database, { uid, signal, me, leaseMs }: { uid: string; signal: ExportSignal; me: string; leaseMs: number }, { position, behindSince, sent, refused, tooOld, gone, success }: Settled): Promise<boolean> {
  const { rowCount } = await database.write(
    `update export_positions set tx = $4::xid8, id = $5, done = $6, behind_since = $7, sent = sent + $8, refused = refused + $9, too_old = too_old + $10, gone = gone + $11,
       lease_until = now() + make_interval(secs => $12), failures = case when $13 then 0 else failures end, last_success_at = case when $13 then now() else last_success_at end,
       failing_since = case when $13 then null else failing_since end, message = case when $13 then null else message end
     where export = $1 and signal = $2 and holder = $3`,
    [uid, signal, me, position.tx, position.id, position.done, behindSince ?? null, sent, refused, tooOld, gone, leaseMs / 1000, success],
    'settle-export',
  )
  return rowCount > 0
}

export async function noteFailure(database: Database, { uid, signal, me }: { uid: string; signal: ExportSignal; me: string }, { message, waitMs, behindSince }: { message: string; waitMs: number; behindSince: Date | undefined }): Promise<void> {
  await database.query(
    `update export_positions set failures = failures + 1, failing_since = coalesce(failing_since, now()), message = $4, next_at = now() + make_interval(secs => $5), behind_since = $6 where export = $1 and signal = $2 and holder = $3`,
    [uid, signal, me, message, waitMs / 1000, behindSince ?? null],
    'note-export-failure',
  )
}

/** After a change of its spec it is tried at once. */
export async function tryAgain(database: Database, uid: string): Promise<void> {
  await database.query('update export_positions set next_at = now() where export = $1 and next_at > now()', [uid])
}

export async function progressOf(tx: Tx, uid: string): Promise<Progress[]> {
  const { rows } = await tx.query('select * from export_positions where export = $1', [uid], 'export-progress')
  return rows.map((row) => ({
    signal: row.signal, beganAt: row.began_at, behindSince: row.behind_since ?? undefined, sent: Number(row.sent), refused: Number(row.refused), tooOld: Number(row.too_old), gone: Number(row.gone),
    lastSuccessAt: row.last_success_at ?? undefined, failingSince: row.failing_since ?? undefined, message: row.message ?? undefined,
  }))
}

export interface QueuedEntry extends Entry {
  tx: string
  id: string
  storedAt: Date
}

/** In the order in which they were stored. */
export async function nextEntries(tx: Tx, { signal, team }: { signal: ExportSignal; team: string }, { tx: after, id }: Position, limit: number): Promise<QueuedEntry[]> {
  const { rows } = await tx.query(
    `select *, tx::text as tx_text, id::text as id_text from export_queue where signal = $1 and team = $2 and (tx, id) > ($3::xid8, $4) and ${settled('stored_at')} order by tx, id limit $5`,
    [signal, team, after, id, limit],
    'next-exports',
  )
  return rows.map((row) => ({
    tx: row.tx_text, id: row.id_text, storedAt: row.stored_at, app: row.app, environment: row.environment, items: row.items, fromAt: row.from_at, untilAt: row.until_at,
    ...(row.source === null ? {} : { appNumber: row.app_number, source: row.source, fromSeq: Number(row.from_seq), untilSeq: Number(row.until_seq) }),
  }))
}

export interface QueuedPoints {
  tx: string
  id: string
  storedAt: Date
  data: Buffer
}

export async function nextPoints(tx: Tx, team: string, { tx: after, id }: Position, limit: number): Promise<QueuedPoints[]> {
  const { rows } = await tx.query(
    `select tx::text as tx_text, id::text as id_text, written_at, data from ${batches} where (tx, id) > ($1::xid8, $2) and (owner = '' or starts_with(owner, $3 || '/')) and ${settled('written_at')} order by tx, id limit $4`,
    [after, id, team, limit],
    'next-exported-points',
  )
  return rows.map(({ tx_text, id_text, written_at, data }) => ({ tx: tx_text, id: id_text, storedAt: written_at, data }))
}

/** What every export has done, or nobody waits for any more. */
export async function pruneQueues(database: Database, keepMs: number): Promise<void> {
  await database.query(
    `delete from export_queue q where stored_at < now() - make_interval(secs => $1)
       or not exists (select from export_positions p where p.signal = q.signal and p.team = q.team and (p.tx, p.id) < (q.tx, q.id)) and tx < pg_snapshot_xmin(pg_current_snapshot())`,
    [keepMs / 1000],
  )
  await database.query(
    `delete from metric_backlog b where written_at < now() - make_interval(secs => $1)
       or not exists (select from export_positions p where p.signal = 'metrics' and (b.owner = '' or starts_with(b.owner, p.team || '/')) and (p.tx, p.id) < (b.tx, b.id))`,
    [keepMs / 1000],
  )
}
