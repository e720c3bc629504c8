/** Timelines, and which incident an alert led to: all SQL of them. */
import type { IncidentEntry, IncidentEntryKind } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { NewEntry } from './types.ts'

/** Replicas that follow timelines listen here; it says which incident. */
export const entriesChannel = 'incident_entries'

interface EntryRow {
  id: string
  at: Date
  kind: IncidentEntryKind
  actor: string
  text: string
  data: Record<string, unknown> | null
}

/** Counts up from 1; taken in the transaction that uses the number. */
export async function nextIncident(tx: Tx, team: string): Promise<number> {
  const { rows } = await tx.query<{ value: string }>(
    'insert into counters (name, value) values ($1, 1) on conflict (name) do update set value = counters.value + 1 returning value',
    [`incident/${team}`],
    'next-incident',
  )
  return Number(rows[0]!.value)
}

/** Until the transaction ends, nobody else decides which incident alerts of this team lead to. */
export async function decideAlone(tx: Tx, team: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`incidents of ${team}`], 'decide-incidents-alone')
}

/** Until the transaction ends, nobody else moves this incident. */
export async function moveAlone(tx: Tx, incident: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [incident], 'move-incident-alone')
}

/** Writes what is not there yet; returns how many were new. */
export async function addEntries(tx: Tx, incident: string, entries: readonly NewEntry[]): Promise<number> {
  if (entries.length === 0) return 0
  const { rowCount } = await tx.query(
    `insert into incident_entries (incident, at, kind, actor, text, data, dedupe)
     select $1, at, kind, actor, text, data, dedupe from jsonb_to_recordset($2::jsonb) as e (at timestamptz, kind text, actor text, text text, data jsonb, dedupe text)
     order by at on conflict (incident, dedupe) do nothing`,
    [incident, JSON.stringify(entries)],
    'add-incident-entries',
  )
  // Told when it commits.
  if (rowCount > 0) await tx.query('select pg_notify($1, $2)', [entriesChannel, incident], 'tell-incident-entries')
  return rowCount
}

/** Keys of everything that stands in a timeline. */
export async function knownKeys(tx: Tx, incident: string): Promise<Set<string>> {
  const { rows } = await tx.query<{ dedupe: string }>('select dedupe from incident_entries where incident = $1', [incident], 'known-incident-entries')
  return new Set(rows.map(({ dedupe }) => dedupe))
}

/** In the order in which it happened. */
export async function readEntries(tx: Tx, incident: string): Promise<IncidentEntry[]> {
  const { rows } = await tx.query<EntryRow>('select id, at, kind, actor, text, data from incident_entries where incident = $1 order by at, id', [incident], 'read-incident-entries')
  return rows.map(entryOf)
}

/** What was entered after the entry with this id, in the order in which it was. */
export async function entriesAfter(tx: Tx, incident: string, after: string): Promise<IncidentEntry[]> {
  const { rows } = await tx.query<EntryRow>('select id, at, kind, actor, text, data from incident_entries where incident = $1 and id > $2 order by id', [incident, after], 'incident-entries-after')
  return rows.map(entryOf)
}

/** What the public was told in these incidents, by incident, the newest first. */
export async function publishedEntries(tx: Tx, incidents: readonly string[]): Promise<Map<string, IncidentEntry[]>> {
  if (incidents.length === 0) return new Map()
  const { rows } = await tx.query<EntryRow & { incident: string }>(
    `select incident, id, at, kind, actor, text, data from incident_entries where incident = any($1::uuid[]) and kind = 'published' order by at desc, id desc`,
    [incidents],
    'published-incident-entries',
  )
  const found = new Map<string, IncidentEntry[]>()
  for (const { incident, ...row } of rows) found.set(incident, [...(found.get(incident) ?? []), entryOf(row as EntryRow)])
  return found
}

function entryOf({ id, at, kind, actor, text, data }: EntryRow): IncidentEntry {
  return { id: String(id), at: at.toISOString(), kind, actor, text, ...(data === null ? {} : { data }) }
}

/** One firing of an alert. */
export interface Firing {
  alert: string
  since: string
  name: string
}

/** Which incident each firing led to; those that led to none are left out. */
export async function incidentsOf(tx: Tx, firings: readonly Firing[]): Promise<Map<string, string>> {
  const { rows } = await tx.query<{ alert: string; since: Date; incident: string }>(
    'select a.alert, a.since, a.incident from incident_alerts a join jsonb_to_recordset($1::jsonb) as f (alert uuid, since timestamptz) on (a.alert, a.since) = (f.alert, f.since)',
    [JSON.stringify(firings)],
    'incidents-of-alerts',
  )
  return new Map(rows.map(({ alert, since, incident }) => [`${alert} ${since.toISOString()}`, incident]))
}

export const firingKey = ({ alert, since }: Pick<Firing, 'alert' | 'since'>): string => `${alert} ${new Date(since).toISOString()}`

export async function addAlerts(tx: Tx, incident: string, team: string, firings: readonly Firing[]): Promise<void> {
  await tx.query(
    `insert into incident_alerts (alert, since, team, name, incident) select alert, since, $1, name, $2 from jsonb_to_recordset($3::jsonb) as f (alert uuid, since timestamptz, name text)`,
    [team, incident, JSON.stringify(firings)],
    'add-incident-alerts',
  )
}

/** Firings that belong to an incident, the oldest first. */
export async function alertsOf(tx: Tx, incident: string): Promise<Firing[]> {
  const { rows } = await tx.query<{ alert: string; since: Date; name: string }>('select alert, since, name from incident_alerts where incident = $1 order by since, name', [incident], 'alerts-of-incident')
  return rows.map(({ alert, since, name }) => ({ alert, since: since.toISOString(), name }))
}

/** Forgets what belongs to incidents that are gone. */
export async function forgetIncident(database: Database, incident: string): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('delete from incident_entries where incident = $1', [incident])
    await tx.query('delete from incident_alerts where incident = $1', [incident])
  })
}
