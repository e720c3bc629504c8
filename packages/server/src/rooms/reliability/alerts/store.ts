/** Members and groups of alerts: all SQL of them. */
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { GroupRow } from './groups.ts'
import type { Member } from './plan.ts'

const largestStatement = 2000
/** The ends of intervals are early by this share, so that a turn is not missed by a moment. */
const earlyShare = 0.1

/** Whether this server does it in this interval; one of several does. */
export async function takeTurn(database: Database, name: string, everyMs: number): Promise<boolean> {
  const { rowCount } = await database.query(
    `insert into alert_turns as t (name, at) values ($1, now())
     on conflict (name) do update set at = now() where t.at <= now() - make_interval(secs => $2) or t.at > now() + interval '1 minute' returning name`,
    [name, (everyMs / 1000) * (1 - earlyShare)],
    'alert-turn',
  )
  return rowCount > 0
}

interface MemberRow {
  source: string
  fingerprint: string
  group_key: string
  labels: Record<string, string>
  state: Member['state']
  since: Date
  fired_at: Date | null
  false_since: Date | null
  value: number | null
  text: string | null
}

function memberOf({ fingerprint, group_key, labels, state, since, fired_at, false_since, value, text }: MemberRow): Member {
  return {
    fingerprint, group: group_key, labels, state, since: since.getTime(),
    ...(fired_at ? { firedAt: fired_at.getTime() } : {}),
    ...(false_since ? { falseSince: false_since.getTime() } : {}),
    ...(value === null ? {} : { value }),
    ...(text === null ? {} : { text }),
  }
}

/** Of these sources, or of all. */
export async function readMembers(tx: Tx, sources?: readonly string[]): Promise<Map<string, Member[]>> {
  const { rows } = await tx.query<MemberRow>('select * from alert_members where $1::uuid[] is null or source = any($1) order by since, fingerprint', [sources ?? null], 'read-alert-members')
  const found = new Map<string, Member[]>()
  for (const row of rows) {
    const own = found.get(row.source)
    if (own) own.push(memberOf(row))
    else found.set(row.source, [memberOf(row)])
  }
  return found
}

/** Members of one source are changed by one server at a time. */
export async function lockMembers(tx: Tx, source: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('alert members ' || $1, 0))", [source], 'lock-alert-members')
}

export async function writeMembers(tx: Tx, source: string, written: readonly Member[], ended: readonly string[]): Promise<void> {
  if (ended.length > 0) await tx.query('delete from alert_members where source = $1 and fingerprint = any($2)', [source, ended], 'end-alert-members')
  for (let at = 0; at < written.length; at += largestStatement) {
    const rows = written.slice(at, at + largestStatement).map(({ fingerprint, group, labels, state, since, firedAt, falseSince, value, text }) => ({
      fingerprint, group_key: group, labels, state, since: new Date(since), fired_at: firedAt === undefined ? null : new Date(firedAt), false_since: falseSince === undefined ? null : new Date(falseSince),
      // JSON knows no infinity.
      value: value === undefined || !Number.isFinite(value) ? null : value, text: text ?? null,
    }))
    await tx.query(
      `insert into alert_members (source, fingerprint, group_key, labels, state, since, fired_at, false_since, value, text)
       select $1, * from jsonb_to_recordset($2::jsonb) as m (fingerprint text, group_key text, labels jsonb, state text, since timestamptz, fired_at timestamptz, false_since timestamptz, value float8, text text)
       on conflict (source, fingerprint) do update set state = excluded.state, since = excluded.since, fired_at = excluded.fired_at, false_since = excluded.false_since, value = excluded.value, text = excluded.text`,
      [source, JSON.stringify(rows)],
      'write-alert-members',
    )
  }
}

export async function forgetMembers(tx: Tx, source: string): Promise<void> {
  await tx.query('delete from alert_members where source = $1', [source], 'forget-alert-members')
}

interface StoredGroup {
  source: string
  group_key: string
  team: string
  alert: string | null
  held: boolean
  fires: Date[]
}

function groupOf({ source, group_key, team, alert, held, fires }: StoredGroup): GroupRow {
  return { source, group: group_key, team, alert: alert ?? undefined, held, fires: fires.map((at) => at.getTime()) }
}

export async function readGroups(tx: Tx): Promise<GroupRow[]> {
  const { rows } = await tx.query<StoredGroup>('select * from alert_groups', [], 'read-alert-groups')
  return rows.map(groupOf)
}

/** Held until the end of the transaction: one server decides about a group at a time. */
export async function lockGroup(tx: Tx, { source, group, team }: Pick<GroupRow, 'source' | 'group' | 'team'>): Promise<GroupRow> {
  await tx.query('insert into alert_groups (source, group_key, team) values ($1, $2, $3) on conflict do nothing', [source, group, team], 'make-alert-group')
  const { rows } = await tx.query<StoredGroup>('select * from alert_groups where source = $1 and group_key = $2 for update', [source, group], 'lock-alert-group')
  return groupOf(rows[0]!)
}

/** The group whose Alert this is; held like by lockGroup. */
export async function lockGroupOf(tx: Tx, team: string, alert: string): Promise<GroupRow | undefined> {
  const { rows } = await tx.query<StoredGroup>('select * from alert_groups where team = $1 and alert = $2 for update', [team, alert], 'lock-group-of-alert')
  return rows[0] && groupOf(rows[0])
}

export async function writeGroup(tx: Tx, { source, group, alert, held, fires }: Omit<GroupRow, 'team'>): Promise<void> {
  await tx.query('update alert_groups set alert = $3, held = $4, fires = $5 where source = $1 and group_key = $2', [source, group, alert ?? null, held, fires.map((at) => new Date(at))], 'write-alert-group')
}

/** Members of sources that are gone, and of which no Alert is open. */
export async function pruneMembers(database: Database, live: readonly string[], idleMs: number): Promise<void> {
  await database.query(
    `delete from alert_members m where not source = any($1::uuid[]) and since < now() - make_interval(secs => $2)
       and not exists (select 1 from alert_groups g where g.source = m.source and (g.alert is not null or g.held))`,
    [live, idleMs / 1000],
  )
}

/** Groups that nothing is known of any more. */
export async function pruneGroups(database: Database, idleMs: number): Promise<void> {
  await database.query(
    `delete from alert_groups g where alert is null and not held and coalesce((select max(at) from unnest(fires) at), '-infinity') < now() - make_interval(secs => $1)
       and not exists (select 1 from alert_members m where m.source = g.source and m.group_key = g.group_key)`,
    [idleMs / 1000],
  )
}
