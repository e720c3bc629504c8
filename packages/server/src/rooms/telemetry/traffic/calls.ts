/** Which app calls which, and how often: all SQL of it. */
import type { RequestRecord } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'

export interface AppName {
  team: string
  app: string
}

/** Requests from one app to another since some time. */
export interface CallCounts {
  from: AppName
  to: AppName
  requests: number
  errors: number
  lastSeenAt: Date
  /** Requests to the same app of which nobody knows from whom of this machine they came. */
  unknown: number
}

const minuteMs = 60_000

interface CallRow {
  at: string
  from_team: string
  from_app: string
  team: string
  app: string
  environment: string
  requests: number
  errors: number
}

/** Adds what records tell of callers. Returns the callers of which a pair was not known before. */
export async function addCalls(tx: Tx, records: RequestRecord[]): Promise<AppName[]> {
  const rows = callRows(records)
  if (rows.length === 0) return []
  await tx.query(
    `insert into traffic_calls as c (at, from_team, from_app, team, app, environment, requests, errors)
     select * from jsonb_to_recordset($1::jsonb) as r (at timestamptz, from_team text, from_app text, team text, app text, environment text, requests bigint, errors bigint)
     on conflict (team, app, from_team, from_app, environment, at) do update set requests = c.requests + excluded.requests, errors = c.errors + excluded.errors`,
    [JSON.stringify(rows)],
  )
  const known = rows.filter(({ from_app }) => from_app !== '')
  if (known.length === 0) return []
  // xmax is 0 in a row that this statement has made.
  const { rows: pairs } = await tx.query<{ from_team: string; from_app: string; made: boolean }>(
    `insert into traffic_callers as c (from_team, from_app, team, app, first_seen_at, last_seen_at)
     select from_team, from_app, team, app, min(at), max(at) from jsonb_to_recordset($1::jsonb) as r (at timestamptz, from_team text, from_app text, team text, app text)
     group by from_team, from_app, team, app
     on conflict (from_team, from_app, team, app) do update set last_seen_at = greatest(c.last_seen_at, excluded.last_seen_at)
     returning from_team, from_app, xmax = 0 as made`,
    [JSON.stringify(known)],
  )
  return pairs.filter(({ made }) => made).map(({ from_team: team, from_app: app }) => ({ team, app }))
}

/** One row for each pair and minute: a statement must not meet the same row twice. An app that calls itself depends on nobody. */
function callRows(records: RequestRecord[]): CallRow[] {
  const rows = new Map<string, CallRow>()
  for (const { from, team, app, environment, callers = [] } of records) {
    const at = new Date(Math.floor(Date.parse(from) / minuteMs) * minuteMs).toISOString()
    for (const caller of callers) {
      if (caller.team === team && caller.app === app) continue
      const key = [at, caller.team, caller.app, team, app, environment].join('\n')
      const row = rows.get(key) ?? { at, from_team: caller.team, from_app: caller.app, team, app, environment, requests: 0, errors: 0 }
      row.requests += caller.requests
      row.errors += caller.errors
      rows.set(key, row)
    }
  }
  return [...rows.values()]
}

/** Apps that this one has called since then. */
export async function calledBy(tx: Tx, { team, app }: AppName, since: Date): Promise<AppName[]> {
  const { rows } = await tx.query<AppName>('select team, app from traffic_callers where from_team = $1 and from_app = $2 and last_seen_at >= $3 order by team, app', [team, app, since], 'called-by')
  return rows
}

/** Every pair that one of these apps is in, with its requests since then. */
export async function callsOf(tx: Tx, apps: AppName[], since: Date): Promise<CallCounts[]> {
  const { rows } = await tx.query<{ from_team: string; from_app: string; team: string; app: string; requests: number; errors: number; unknown: number; last_seen_at: Date }>(
    `with asked as (select * from jsonb_to_recordset($1::jsonb) as a (team text, app text)),
       pairs as (
         select p.* from traffic_callers p join asked a on (p.from_team, p.from_app) = (a.team, a.app)
         union select p.* from traffic_callers p join asked a on (p.team, p.app) = (a.team, a.app))
     select p.from_team, p.from_app, p.team, p.app, p.last_seen_at, coalesce(sum(c.requests), 0)::float8 as requests, coalesce(sum(c.errors), 0)::float8 as errors,
       coalesce((select sum(u.requests) from traffic_calls u where (u.team, u.app, u.from_team, u.from_app) = (p.team, p.app, '', '') and u.at >= $2), 0)::float8 as unknown
     from pairs p left join traffic_calls c on (c.team, c.app, c.from_team, c.from_app) = (p.team, p.app, p.from_team, p.from_app) and c.at >= $2
     group by p.from_team, p.from_app, p.team, p.app, p.last_seen_at order by p.from_team, p.from_app, p.team, p.app`,
    [JSON.stringify(apps.map(({ team, app }) => ({ team, app }))), since],
    'calls-of',
  )
  return rows.map((row) => ({ from: { team: row.from_team, app: row.from_app }, to: { team: row.team, app: row.app }, requests: row.requests, errors: row.errors, unknown: row.unknown, lastSeenAt: row.last_seen_at }))
}

export async function pruneCalls(database: Database, keepMs: number, keepCallersMs: number): Promise<void> {
  await database.query('delete from traffic_calls where at < now() - make_interval(secs => $1)', [keepMs / 1000])
  await database.query('delete from traffic_callers where last_seen_at < now() - make_interval(secs => $1)', [keepCallersMs / 1000])
}
