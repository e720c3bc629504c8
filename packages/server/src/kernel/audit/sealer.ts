/** Links new rows of the audit to the chain a moment after they were written, and signs its head. */
import { setTimeout as pause } from 'node:timers/promises'
import type { PgDatabase, Tx } from '../db/index.ts'
import type { Part } from '../lifecycle/lifecycle.ts'
import type { Logger } from '../log.ts'
import type { Feed } from '../store/feed.ts'
import { readVersions } from '../store/store.ts'
import { stepWhenMore, type OnMore } from '../api/lines.ts'
import { genesis, linksOf, type ChainedRow, type Link } from './chain.ts'
import type { SealKey } from './key.ts'

/** Rows of one transaction. */
const batch = 1000
/** Between two looks: what comes within it is linked together. */
const pauseMs = 1000
/** One server at a time; the others find nothing left to do. */
const lock = 7_270_020

const columns = `a.id::text, a.rv::text, (extract(epoch from a.at) * 1000000)::bigint::text as micros, a.actor, a.token, a.verb, a.kind, a.namespace, a.name, a.uid::text,
  a.request_id, a.address, a.reason, a.previous::text`
export const rowsOfRange = `select ${columns} from audit a where a.id > $1 and a.id <= $2 order by a.id`
const nextRows = `select ${columns}, sha256(convert_to(c.object::text, 'UTF8')) as digest from audit a left join resource_changes c on c.rv = a.rv
  where a.id > $1 and a.rv > $2 and a.rv <= $3 order by a.id limit ${batch}`
// By the number: a bare rv would be the text that is selected.
const newestLink = 'select rv::text, id::text, hash, digest from audit_chain order by audit_chain.rv desc limit 1'
const addLinks = 'insert into audit_chain (rv, id, hash, digest) select * from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])'
const addSeal = `insert into audit_seals (hour, rv, hash, key, signature) values (date_trunc('hour', now()), $1, $2, $3, $4)
  on conflict (hour) do update set at = now(), rv = excluded.rv, hash = excluded.hash, key = excluded.key, signature = excluded.signature`

export async function readHead(tx: Tx): Promise<Link | undefined> {
  return (await tx.query<Link>(newestLink)).rows[0]
}

export interface Sealing {
  database: PgDatabase
  key: SealKey
}

/** Links the rows up to this version, which no crash can take back any more; resolves with the head. */
export async function seal({ database, key }: Sealing, upTo: bigint): Promise<Link | undefined> {
  let sealed: { count: number; head: Link | undefined }
  let first = true
  do {
    sealed = await database.transaction((tx) => sealBatch(tx, upTo))
    first = first && sealed.count === 0
  } while (sealed.count === batch)
  const { head } = sealed
  if (head && !first) {
    await database.write(addSeal, [head.rv, head.hash, key.id, key.sign(head)])
    await key.writeHead(head)
  }
  return head
}

async function sealBatch(tx: Tx, upTo: bigint): Promise<{ count: number; head: Link | undefined }> {
  await tx.query('select pg_advisory_xact_lock($1)', [lock])
  const head = await readHead(tx)
  const { rows } = await tx.query<ChainedRow & { digest: Buffer | null }>(nextRows, [head?.id ?? '0', head?.rv ?? '0', String(upTo)])
  if (rows.length === 0) return { count: 0, head }
  const links = linksOf(head?.hash ?? genesis, rows)
  await tx.query(addLinks, [links.map(({ rv }) => rv), links.map(({ id }) => id), links.map(({ hash }) => hash), links.map(({ digest }) => digest)])
  return { count: rows.length, head: links.at(-1) }
}

/** Links everything that was written before the call. */
export async function sealAll(sealing: Sealing): Promise<Link | undefined> {
  const { database } = sealing
  const { current } = await database.durable(() => readVersions(database))
  return seal(sealing, current)
}

export function createSealer({ feed, log, ...sealing }: Sealing & { feed: Feed; log: Logger }): Part {
  const onMore: OnMore = (listener) => feed.subscribe({ publish: () => listener() })
  const ended = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const step = async (): Promise<void> => {
    await seal(sealing, feed.published).catch((error: Error) => log.warn({ err: error.message }, 'the audit could not be chained; trying again with the next change'))
    await pause(pauseMs, undefined, { signal: ended.signal }).catch(() => {})
  }
  return {
    name: 'audit chain',
    start: async () => {
      running = stepWhenMore(onMore, step, ended.signal)
    },
    stop: async () => {
      ended.abort()
      await running
    },
  }
}
