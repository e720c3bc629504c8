/** All SQL of subscriptions to status pages. */
import type { StatusSubscriber } from '@pavior/contract'
import type { Database, Tx } from '../../../../kernel/db/index.ts'

export interface PageName {
  page: string
  team: string
  name: string
}

export interface Subscription extends PageName {
  id: string
  kind: 'mail' | 'webhook'
  address: string
  state: 'Pending' | 'Active'
}

const lock = 7_461_730_148

export interface AskLimits {
  /** One address is asked once in so long, whatever page it is for. */
  addressMs: number
  /** Mails that ask, of one page within the hour. */
  pageAsks: number
  /** Subscriptions of one page. */
  pageTotal: number
}

/** Notes that an address is to be asked, with the mail that asks it. False when a limit forbids it, or it is subscribed already. */
export async function askAddress(database: Database, { id, delivery, page, team, name, address }: PageName & { id: string; delivery: string; address: string }, limits: AskLimits): Promise<boolean> {
  return database.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [lock])
    const { rows } = await tx.query<{ recent: boolean; asks: number; total: number; active: boolean }>(
      `select exists (select from status_subscriptions where address = $2 and kind = 'mail' and asked_at > now() - make_interval(secs => $3)) as recent,
         (select count(*)::int from status_subscriptions where page = $1 and kind = 'mail' and asked_at > now() - interval '1 hour') as asks,
         (select count(*)::int from status_subscriptions where page = $1) as total,
         exists (select from status_subscriptions where page = $1 and kind = 'mail' and address = $2 and state = 'Active') as active`,
      [page, address, limits.addressMs / 1000],
      'status-ask-limits',
    )
    const { recent, asks, total, active } = rows[0]!
    if (recent || active || asks >= limits.pageAsks || total >= limits.pageTotal) return false
    const { rows: kept } = await tx.query<{ id: string }>(
      `insert into status_subscriptions (id, page, team, name, kind, address) values ($1, $2, $3, $4, 'mail', $5) on conflict (page, kind, address) do update set asked_at = now() returning id`,
      [id, page, team, name, address],
      'status-ask',
    )
    await tx.query(
      `insert into status_deliveries (id, subscription, about, message) values ($1, $2, 'ask', '{}') on conflict (subscription, about) do update set id = excluded.id, state = 'Queued', attempts = 0, next_at = now(), created_at = now(), answer = null`,
      [delivery, kept[0]!.id],
      'status-ask-mail',
    )
    return true
  })
}

export async function addWebhook(tx: Tx, { id, page, team, name, address }: PageName & { id: string; address: string }, pageTotal: number): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into status_subscriptions (id, page, team, name, kind, address, state, confirmed_at) select $1, $2, $3, $4, 'webhook', $5, 'Active', now()
     where (select count(*) from status_subscriptions where page = $2) < $6 on conflict (page, kind, address) do nothing returning id`,
    [id, page, team, name, address, pageTotal],
    'status-add-webhook',
  )
  return rows[0]?.id
}

export async function findSubscription(tx: Tx, id: string): Promise<Subscription | undefined> {
  const { rows } = await tx.query<Subscription>('select id, page, team, name, kind, address, state from status_subscriptions where id = $1', [id], 'status-subscription')
  return rows[0]
}

export async function confirm(database: Database, id: string): Promise<Subscription | undefined> {
  const { rows } = await database.write<Subscription>("update status_subscriptions set state = 'Active', confirmed_at = coalesce(confirmed_at, now()) where id = $1 returning id, page, team, name, kind, address, state", [id], 'status-confirm')
  return rows[0]
}

/** The address goes with it, and everything that was to be sent there. */
export async function erase(database: Database, id: string, page?: string): Promise<boolean> {
  return (await database.write('delete from status_subscriptions where id = $1 and ($2::uuid is null or page = $2)', [id, page ?? null], 'status-erase')).rowCount > 0
}

export async function subscribersOf(tx: Tx, page: string, limit: number): Promise<StatusSubscriber[]> {
  const { rows } = await tx.query(
    `select s.id, s.kind, s.address, s.state, coalesce(s.confirmed_at, s.asked_at) as since,
       (select count(*)::int from status_deliveries d where d.subscription = s.id and d.state = 'Delivered' and d.about <> 'ask') as delivered,
       (select count(*)::int from status_deliveries d where d.subscription = s.id and d.state = 'Failed') as failed,
       (select answer from status_deliveries d where d.subscription = s.id and d.state <> 'Delivered' and answer is not null order by created_at desc limit 1) as answer
     from status_subscriptions s where page = $1 order by since limit $2`,
    [page, limit],
    'status-subscribers',
  )
  return rows.map(({ id, kind, address, state, since, delivered, failed, answer }) => ({ id, kind, address, state, since: since.toISOString(), delivered, failed, ...(answer === null ? {} : { answer }) }))
}

/** Pages that somebody subscribed to. */
export async function subscribedPages(tx: Tx): Promise<PageName[]> {
  return (await tx.query<PageName>('select distinct page, team, name from status_subscriptions', [], 'status-subscribed-pages')).rows
}

/** Each update once to everybody who had subscribed when it was published. True when there was a new one. */
export async function enqueueUpdates(database: Database, page: string, updates: readonly { id: () => string; about: string; at: string; message: object }[]): Promise<void> {
  for (const { about, at, message } of updates) {
    await database.query(
      `insert into status_deliveries (id, subscription, about, message)
       select gen_random_uuid(), s.id, $2, $3 from status_subscriptions s where s.page = $1 and s.state = 'Active' and s.confirmed_at <= $4
         and not exists (select from status_deliveries d where d.subscription = s.id and d.about = $2)
       on conflict (subscription, about) do nothing`,
      [page, about, JSON.stringify(message), at],
      'status-enqueue',
    )
  }
}

export interface Due extends Subscription {
  delivery: string
  about: string
  message: any
  attempts: number
  createdAt: Date
}

/** Ours for the lease; whoever dies with them lets others send them again, under the same id. To one subscriber in the order of the updates. */
export async function claimDue(database: Database, leaseMs: number, limit: number): Promise<Due[]> {
  const { rows } = await database.query(
    `with due as (
       select id from status_deliveries d where state = 'Queued' and next_at <= now()
         and not exists (select from status_deliveries e where e.subscription = d.subscription and e.state = 'Queued' and e.message ->> 'at' < d.message ->> 'at')
       order by next_at limit $2 for update skip locked)
     update status_deliveries d set attempts = attempts + 1, next_at = now() + make_interval(secs => $1)
     from due, status_subscriptions s where d.id = due.id and s.id = d.subscription
     returning d.id as delivery, d.about, d.message, d.attempts, d.created_at, s.id, s.page, s.team, s.name, s.kind, s.address, s.state`,
    [leaseMs / 1000, limit],
    'status-claim',
  )
  return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: created_at }) as Due)
}

/** `afterMs`: tried again then. */
export async function settleDelivery(database: Database, { delivery, attempts }: Pick<Due, 'delivery' | 'attempts'>, state: 'Delivered' | 'Failed' | 'Queued', answer: string, afterMs = 0): Promise<void> {
  await database.write('update status_deliveries set state = $3, answer = $4, next_at = now() + make_interval(secs => $5) where id = $1 and attempts = $2', [delivery, attempts, state, answer, afterMs / 1000], 'status-settle')
}

/** What nobody confirmed, and what was said long ago. */
export async function pruneSubscriptions(database: Database, { pendingMs, keepMs }: { pendingMs: number; keepMs: number }, gonePages: readonly string[]): Promise<void> {
  await database.query("delete from status_subscriptions where page = any($1) or state = 'Pending' and asked_at < now() - make_interval(secs => $2)", [gonePages, pendingMs / 1000])
  await database.query("delete from status_deliveries where created_at < now() - make_interval(secs => $1) and state <> 'Queued'", [keepMs / 1000])
}
