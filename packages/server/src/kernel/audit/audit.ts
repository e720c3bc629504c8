/** Who changed what and when: one row a write, made by the store in the statement of the write itself, and linked to a chain of hashes a moment later. */
import { fail, type AuditHead, type AuditPage, type AuditRow, type AuditVerification } from '@pavior/contract'
import { Counter, Gauge, type Registry } from 'prom-client'
import { stepWhenMore, type OnMore, type WriteLine } from '../api/lines.ts'
import type { PgDatabase } from '../db/index.ts'
import type { Feed } from '../store/feed.ts'
import type { Clock } from '../clock.ts'
import type { Part } from '../lifecycle/lifecycle.ts'
import type { Logger } from '../log.ts'
import { parseHead, type SealKey } from './key.ts'
import { createNotes, type WriteNote } from './notes.ts'
import { createSealer, sealAll } from './sealer.ts'
import { verifyAudit } from './verify.ts'

export interface AuditFilter {
  /** As it is written: `user:ada`, `token:…`, `system:release`. */
  actor?: string
  /** CamelCase. */
  kind?: string
  name?: string
  verb?: string
  /** Without what parts of the platform did by themselves. */
  people?: boolean
  /** At or after this moment. */
  since?: Date
  /** Before this moment. */
  until?: Date
}

export interface AuditLog {
  /** `teams` undefined: all of them, and the cluster kinds. `before` is the `continue` of the page before. */
  list(teams: string[] | undefined, filter: AuditFilter, page: { limit: number; before?: string }): Promise<AuditPage>
  /** Writes rows as they are made, oldest first: those after the row of this id, or from now on. */
  follow(teams: string[] | undefined, filter: AuditFilter, after: string | undefined, write: WriteLine, signal: AbortSignal): Promise<void>
  /** Writes every row that is kept, oldest first. */
  export(teams: string[] | undefined, filter: AuditFilter, write: WriteLine, signal: AbortSignal): Promise<void>
  /** Forgets rows older than this, in batches, until none is left or the signal ends; resolves with their number. */
  prune(keepMs: number, signal: AbortSignal): Promise<number>
  /** A row about what is no write of a resource. Resolves when it is on disk. */
  note: WriteNote
  /** Links what is new and gives the newest link; undefined before the first. */
  head(): Promise<AuditHead | undefined>
  /** `expected`: a head that somebody kept elsewhere, as `version:hash`; throws BAD_REQUEST when it is none. */
  verify(expected: string | undefined, signal: AbortSignal): Promise<AuditVerification>
  /** Keeps the chain up. */
  part: Part
}

/** Rows that one statement deletes: some ten milliseconds. */
const pruneBatch = 5000

/** Rows that a follower is given in one go. */
const followBatch = 500

const selected = `select a.id, a.at, a.actor, a.token, a.verb, a.kind, a.namespace, a.name, a.uid, a.rv, a.request_id, a.address, a.reason,
    (select digest from audit_chain c where c.rv = a.rv) as after, (select digest from audit_chain c where c.rv = a.previous) as before from audit a
  where ($1::text[] is null or namespace = any($1)) and ($2::text is null or actor = $2) and ($3::text is null or kind = $3)
    and ($4::text is null or name = $4) and ($5::text is null or verb = $5) and ($6::timestamptz is null or at >= $6)
    and ($7::timestamptz is null or at < $7) and (not $8 or actor not like 'system:%')`

const listStatement = `${selected} and ($9::bigint is null or id < $9) order by id desc limit $10`

const followStatement = `${selected} and id > $9 and id <= $10 order by id limit $11`

/** Ids rise with versions: both are given while the counter of versions is held. */
const newestStatement = 'select id from audit where rv <= $1 order by id desc limit 1'

/** Looks only at the oldest rows, so that it costs nothing when none is due; never at one that is not in the chain yet. */
const pruneStatement = `with gone as (delete from audit where id in (
    select id from (select id, at from audit order by id limit $2) oldest where at < now() - make_interval(secs => $1) and id <= (select max(id) from audit_chain)) returning 1)
  select count(*)::int as removed from gone`

/** The newest link of a forgotten row stays: the next one begins with its hash. */
const pruneLinks = `delete from audit_chain where id < (select max(id) from audit_chain where id < coalesce((select min(id) from audit), 9223372036854775807))`
const pruneSeals = 'delete from audit_seals where at < now() - make_interval(secs => $1)'

const ageStatement = 'select extract(epoch from now() - at)::float8 as seconds from audit order by id limit 1'

function valuesOf(teams: string[] | undefined, { actor, kind, name, verb, since, until, people = false }: AuditFilter): unknown[] {
  return [...[teams, actor, kind, name, verb, since, until].map((value) => value ?? null), people]
}

export interface AuditDeps {
  database: PgDatabase
  feed: Feed
  key: SealKey
  /** How long rows are kept. */
  keepMs: number
  clock: Clock
  registry: Registry
  log: Logger
}

export function createAuditLog({ database, feed, key, keepMs: kept, clock, registry, log }: AuditDeps): AuditLog {
  const pruned = new Counter({ name: 'pavior_audit_pruned_rows_total', help: 'Audit rows removed because they were older than the retention.', registers: [registry] })
  const oldest = new Gauge({ name: 'pavior_audit_oldest_row_age_seconds', help: 'Age of the oldest audit row when upkeep last looked.', registers: [registry] })
  const onMore: OnMore = (listener) => feed.subscribe({ publish: () => listener() })
  /** The newest row that no crash can take back. */
  const newest = async (): Promise<string> => String((await database.query<{ id: string }>(newestStatement, [String(feed.published)])).rows[0]?.id ?? 0)
  /** Writes what is behind the row of this id, up to another. */
  const tell = async (teams: string[] | undefined, filter: AuditFilter, after: string, upTo: string, write: WriteLine, signal: AbortSignal): Promise<void> => {
    let told = after
    while (BigInt(told) < BigInt(upTo) && !signal.aborted) {
      const { rows } = await database.query(followStatement, [...valuesOf(teams, filter), told, upTo, followBatch])
      for (const row of rows) await write(auditRow(row))
      // What the filter left out is not looked at again.
      told = rows.length === followBatch ? String(rows.at(-1)!.id) : upTo
    }
  }
  return {
    list: async (teams, filter, { limit, before }) => {
      // Without a name: the plan depends on which filters are given. Nobody is told what a crash could still take back.
      const { rows } = await database.durable(() => database.query(listStatement, [...valuesOf(teams, filter), before ?? null, limit + 1]))
      const shown = rows.slice(0, limit)
      return { items: shown.map(auditRow), ...(rows.length > limit ? { continue: String(shown.at(-1)!.id) } : {}) }
    },
    follow: async (teams, filter, after, write, signal) => {
      let told = after ?? (await newest())
      const tellNewer = async (): Promise<void> => {
        const upTo = await newest()
        // A row that somebody was just told of may be newer than what the feed has published.
        if (BigInt(upTo) <= BigInt(told)) return
        await tell(teams, filter, told, upTo, write, signal)
        told = upTo
      }
      await stepWhenMore(onMore, tellNewer, signal)
    },
    export: async (teams, filter, write, signal) => {
      const { rows } = await database.durable(() => database.query<{ id: string | null }>('select max(id)::text as id from audit'))
      await tell(teams, filter, '0', rows[0]!.id ?? '0', write, signal)
    },
    prune: async (keepMs, signal) => {
      let removed = 0
      let last = pruneBatch
      while (last === pruneBatch && !signal.aborted) {
        last = await database.transaction(async (tx) => {
          const { rows } = await tx.query<{ removed: number }>(pruneStatement, [keepMs / 1000, pruneBatch])
          if (rows[0]!.removed > 0) await tx.query(pruneLinks)
          return rows[0]!.removed
        })
        removed += last
      }
      await database.write(pruneSeals, [keepMs / 1000])
      pruned.inc(removed)
      const { rows } = await database.query<{ seconds: number }>(ageStatement)
      oldest.set(rows[0]?.seconds ?? 0)
      return removed
    },
    note: createNotes(database),
    head: async () => {
      const head = await sealAll({ database, key })
      const { rows } = await database.query<{ pending: number }>('select count(*)::int as pending from audit where id > $1', [head?.id ?? '0'])
      return head && { resourceVersion: head.rv, hash: head.hash.toString('hex'), pending: rows[0]!.pending }
    },
    verify: async (given, signal) => {
      const expected = given === undefined ? undefined : parseHead(given)
      if (given !== undefined && !expected) throw fail('BAD_REQUEST', { message: 'The head is not of the form version:hash.', fix: 'Give what `pavior audit head` printed.' })
      await sealAll({ database, key })
      return verifyAudit({ database, key, expected, keptSince: new Date(clock.now().getTime() - kept), signal })
    },
    part: createSealer({ database, feed, key, log }),
  }
}

function auditRow(row: Record<string, any>): AuditRow {
  return {
    id: String(row.id),
    time: row.at.toISOString(),
    actor: row.actor,
    ...(row.token === null ? {} : { token: row.token }),
    verb: row.verb,
    kind: row.kind,
    ...(row.namespace === '' ? {} : { team: row.namespace }),
    name: row.name,
    ...(row.uid === null ? {} : { uid: row.uid }),
    resourceVersion: String(row.rv),
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    ...(row.address === null ? {} : { address: row.address }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.before === null ? {} : { before: row.before.toString('hex') }),
    ...(row.after === null ? {} : { after: row.after.toString('hex') }),
  }
}
