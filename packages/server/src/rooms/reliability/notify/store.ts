/** Messages that are to be sent and were: all SQL of them. */
import type { NotificationRow } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Message } from './ports.ts'

export const notificationsNews = 'pavior_notifications'

/** What a message says, but for what is made when it is sent. */
export type Said = Omit<Message, 'id' | 'links'>

export interface NewNotification {
  id: string
  team: string
  alert: string | undefined
  alertName: string | undefined
  kind: NotificationRow['kind']
  level: number
  round: number
  recipient: string
  channel: string
  after: string[]
  said: Said
}

export interface Claimed extends NewNotification {
  attempts: number
  createdAt: Date
}

interface Stored {
  id: string
  team: string
  alert: string | null
  alert_name: string | null
  kind: NotificationRow['kind']
  level: number
  round: number
  recipient: string
  channel: string
  after: string[]
  state: NotificationRow['state']
  attempts: number
  next_at: Date
  created_at: Date
  delivered_at: Date | null
  message: Said
  answer: string | null
}

/** The same message to the same recipient is written once. */
export async function enqueue(tx: Tx, rows: readonly NewNotification[], now: Date): Promise<void> {
  if (rows.length === 0) return
  await tx.query(
    `insert into notifications (id, team, alert, alert_name, kind, level, round, recipient, channel, after, next_at, created_at, message)
     select id, team, alert, alert_name, kind, level, round, recipient, channel, after, $2, $2, message
     from jsonb_to_recordset($1::jsonb) as n (id uuid, team text, alert uuid, alert_name text, kind text, level int, round int, recipient text, channel text, after text[], message jsonb)
     on conflict do nothing`,
    [JSON.stringify(rows.map(({ alertName, said, ...row }) => ({ ...row, alert_name: alertName, message: said }))), now],
    'enqueue-notifications',
  )
  await tx.query(`select pg_notify('${notificationsNews}', '')`, [], 'tell-notifications')
}

/** Who was told that it fired, and by which channels. */
export async function toldOf(tx: Tx, alert: string): Promise<{ recipient: string; channel: string }[]> {
  const { rows } = await tx.query<{ recipient: string; channel: string }>("select distinct recipient, channel from notifications where alert = $1 and kind in ('Fired', 'Flapping') and state <> 'Failed' order by recipient, channel", [alert], 'told-of-alert')
  return rows
}

/** Messages about one alert reach a recipient in their order. */
const behindAnother = "exists (select 1 from notifications e where e.alert = n.alert and e.recipient = n.recipient and e.channel = n.channel and e.state in ('Queued', 'Sending') and e.place < n.place)"

/**
 * What is due, of each channel so many at most, and nothing that an earlier message about the same alert to the same recipient
 * has to come before. They are ours for the lease: whoever dies with them lets others send them again, under the same id.
 */
export async function claim(database: Database, { now, leaseMs, perChannel, busy, atMost }: { now: Date; leaseMs: number; perChannel: number; busy: readonly string[]; atMost: number }): Promise<Claimed[]> {
  const { rows } = await database.query<Stored>(
    `with due as (
       select id from (
         select id, next_at, row_number() over (partition by team, channel order by next_at, place) as turn from notifications n
         where state in ('Queued', 'Sending') and next_at <= $1 and not (team || '/' || channel) = any($2)
           and not ${behindAnother}
       ) ranked where turn <= $3 order by next_at limit $4),
     locked as (select id from notifications where id in (select id from due) and state in ('Queued', 'Sending') and next_at <= $1 for update skip locked)
     update notifications n set state = 'Sending', attempts = attempts + 1, next_at = $1::timestamptz + make_interval(secs => $5) from locked where n.id = locked.id returning n.*`,
    [now, busy, perChannel, atMost, leaseMs / 1000],
    'claim-notifications',
  )
  return rows.map((row) => ({
    id: row.id, team: row.team, alert: row.alert ?? undefined, alertName: row.alert_name ?? undefined, kind: row.kind, level: row.level, round: row.round, recipient: row.recipient, channel: row.channel,
    after: row.after, said: row.message, attempts: row.attempts, createdAt: row.created_at,
  }))
}

/** When the next one is due that is not behind another, by a channel that is not busy. */
export async function nextDue(database: Database, busy: readonly string[]): Promise<Date | undefined> {
  const { rows } = await database.query<{ at: Date | null }>(
    `select min(next_at) as at from notifications n where state in ('Queued', 'Sending') and not (team || '/' || channel) = any($1) and not ${behindAnother}`,
    [busy],
    'next-notification',
  )
  return rows[0]?.at ?? undefined
}

/** After an attempt; only who made it may say so. */
export async function settle(tx: Tx, { id, attempts }: Pick<Claimed, 'id' | 'attempts'>, state: NotificationRow['state'], answer: string, at: Date): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update notifications set state = $3, answer = $4, next_at = $5, delivered_at = case when $3 = 'Delivered' then $5::timestamptz end where id = $1 and attempts = $2 and state = 'Sending'`,
    [id, attempts, state, answer, at],
    'settle-notification',
  )
  return rowCount > 0
}

export async function keepRef(tx: Tx, team: string, channel: string, alert: string, ref: string, now: Date): Promise<void> {
  await tx.query('insert into notification_refs (team, channel, alert, ref, at) values ($1, $2, $3, $4, $5) on conflict (team, channel, alert) do update set ref = excluded.ref', [team, channel, alert, ref, now], 'keep-notification-ref')
}

export async function refOf(tx: Tx, team: string, channel: string, alert: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ ref: string }>('select ref from notification_refs where team = $1 and channel = $2 and alert = $3', [team, channel, alert], 'notification-ref')
  return rows[0]?.ref
}

const mostRows = 200

/** The delivery log of an alert or a channel, newest first. */
export async function readNotifications(tx: Tx, of: { alert: string } | { team: string; channel: string }): Promise<NotificationRow[]> {
  const { rows } = 'alert' in of
    ? await tx.query<Stored>('select * from notifications where alert = $1 order by place desc limit $2', [of.alert, mostRows], 'notifications-of-alert')
    : await tx.query<Stored>('select * from notifications where team = $1 and channel = $2 order by place desc limit $3', [of.team, of.channel, mostRows], 'notifications-of-channel')
  return rows.map((row) => ({
    id: row.id, team: row.team, kind: row.kind, level: row.level, round: row.round, recipient: row.recipient, channel: row.channel, state: row.state, attempts: row.attempts, createdAt: row.created_at.toISOString(),
    ...(row.alert_name === null ? {} : { alert: row.alert_name }),
    ...(row.state === 'Queued' || row.state === 'Sending' ? { nextAt: row.next_at.toISOString() } : {}),
    ...(row.delivered_at ? { deliveredAt: row.delivered_at.toISOString() } : {}),
    ...(row.answer === null ? {} : { answer: row.answer }),
  }))
}

export async function pruneNotifications(database: Database, keepMs: number): Promise<void> {
  await database.query("delete from notifications where created_at < now() - make_interval(secs => $1) and state not in ('Queued', 'Sending')", [keepMs / 1000])
  await database.query('delete from notification_refs where at < now() - make_interval(secs => $1)', [keepMs / 1000])
}

/** A message that was sent by hand, as it ended. */
export async function noteTest(tx: Tx, { id, team, recipient, channel, said }: Pick<NewNotification, 'id' | 'team' | 'recipient' | 'channel' | 'said'>, state: 'Delivered' | 'Failed', answer: string, now: Date): Promise<void> {
  await tx.query(
    `insert into notifications (id, team, kind, level, round, recipient, channel, state, attempts, next_at, created_at, delivered_at, message, answer)
     values ($1, $2, 'Test', 0, 0, $3, $4, $5, 1, $6, $6, case when $5 = 'Delivered' then $6::timestamptz end, $7, $8)`,
    [id, team, recipient, channel, state, now, JSON.stringify(said), answer],
    'note-test-notification',
  )
}
