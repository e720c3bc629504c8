/** Changes that others told of. */
import type { ChangeEvent } from '@pavior/contract'
import type { Database } from '../../../kernel/db/index.ts'

/** Gives those that were not there: an event that comes again changes nothing. */
export async function addChanges(database: Database, changes: readonly ChangeEvent[]): Promise<ChangeEvent[]> {
  if (changes.length === 0) return []
  const { rows } = await database.write<{ source: string; id: string }>(
    `insert into change_events (team, app, source, id, environment, at, type, subject, text, data)
     select * from jsonb_to_recordset($1::jsonb) as r (team text, app text, source text, id text, environment text, at timestamptz, type text, subject text, text text, data jsonb)
     on conflict do nothing returning source, id`,
    [JSON.stringify(changes)],
  )
  const fresh = new Set(rows.map(({ source, id }) => `${source}\n${id}`))
  return changes.filter(({ source, id }) => fresh.has(`${source}\n${id}`))
}

/** Latest first. */
export async function readChanges(database: Database, team: string, apps: readonly string[], from: Date, until: Date, limit: number): Promise<ChangeEvent[]> {
  const { rows } = await database.query('select * from change_events where team = $1 and app = any($2) and at >= $3 and at < $4 order by at desc limit $5', [team, apps, from, until, limit], 'read-change-events')
  return rows.map(({ at, subject, data, ...rest }) => ({ ...rest, at: at.toISOString(), ...(subject === null ? {} : { subject }), ...(data === null ? {} : { data }) }) as ChangeEvent)
}

export async function pruneChanges(database: Database, keepMs: number): Promise<void> {
  await database.query('delete from change_events where at < now() - make_interval(secs => $1)', [keepMs / 1000])
}
