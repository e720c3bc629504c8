/**
 * Resources in PostgreSQL. Writes are one statement: resources, changes, audit rows and queue entries, so one round trip.
 *
 * Every write takes the counter row first. That orders all writers, so that whoever sees version N committed knows that
 * everything before N is decided too, and it keeps deadlocks out: no writer waits for another row while it lacks the counter.
 */
import type { Resource } from '@pavior/contract'
import type { Database, Tx } from '../db/index.ts'
import type { ResourceKey, Selection } from '../resources/types.ts'

/**
 * What the flush barrier runs: a WAL message that must reach the disk, and with it everything committed before, and the
 * news of how far that is for every process that has watchers.
 */
export const channel = 'pavior_changes'
export const flushStatement = `select pg_logical_emit_message(true, 'pavior', ''), pg_notify('${channel}', value::text) from resource_version`

/** Who acts, from where, by which request and why, as the audit keeps it. */
export interface AuditOrigin {
  actor: string
  token?: string
  requestId?: string
  /** Network address that the request came from. */
  address?: string
  reason?: string
}

export interface StoredWrite {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  key: ResourceKey
  uid: string
  object: Resource
  /** Values of the kind's declared fields, by path. */
  fields: Record<string, string>
  /** Labels and indexed fields of the previous state, when they differ. */
  before?: Partial<Resource>
  /** Version that must be in force; not for ADDED. */
  expected?: bigint
  audit: { verb: string } & AuditOrigin
  /** Reconcile requests that commit with the write. */
  wake: { controller: string; key: string }[]
}

export interface StoredPage {
  items: Resource[]
  version: bigint
  more: boolean
  /** Items behind this page, as far as they were counted. */
  remaining?: number
}

export interface StoredChange {
  version: bigint
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  kind: string
  namespace: string
  object: Resource
  before: Partial<Resource> | null
  /** Since its transaction began, when it was read. */
  ageSeconds: number
}

interface ObjectRow {
  rv: string
  object: Resource
}

/** The version is kept beside the object, because it is not known before the counter row is held. */
function withVersion({ rv, object }: ObjectRow): Resource {
  object.metadata.resourceVersion = rv
  return object
}

/**
 * Any number of writes. One whose expected version is not in force any more is left out; its version stays unused.
 * The given columns are compared with those of `resources`, so they carry the same collation.
 */
const writeStatement = `with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as g (place int, type text, kind text collate "C", namespace text collate "C", name text collate "C", uid uuid,
      expected bigint, object jsonb, before jsonb, labels jsonb, owners uuid[], fields jsonb, actor text, token text, verb text, request text, address text, reason text, wake jsonb)),
  next as (update resource_version set value = value + $2 returning value - $2 as base),
  added as (insert into resources (kind, namespace, name, uid, rv, object, labels, owners, fields)
    select kind, namespace, name, uid, base + place, object, labels, owners, fields from next, given where type = 'ADDED' returning rv),
  modified as (update resources r set rv = base + place, object = g.object, labels = g.labels, owners = g.owners, fields = g.fields from next, given g
    where g.type = 'MODIFIED' and r.kind = g.kind and r.namespace = g.namespace and r.name = g.name and r.uid = g.uid and r.rv = g.expected returning r.rv),
  deleted as (delete from resources r using next, given g
    where g.type = 'DELETED' and r.kind = g.kind and r.namespace = g.namespace and r.name = g.name and r.uid = g.uid and r.rv = g.expected returning base + place as rv),
  written as materialized (select w.rv, g.* from (select rv from added union all select rv from modified union all select rv from deleted) w, next, given g
    where g.place = w.rv - base),
  logged as (insert into resource_changes (rv, type, kind, namespace, object, before)
    select rv, type, kind, namespace, object, before from written),
  audited as (insert into audit (actor, token, verb, kind, namespace, name, uid, rv, request_id, address, reason, previous)
    select actor, token, verb, kind, namespace, name, uid, rv, request, address, reason, expected from written order by rv),
  woken as (insert into queue (controller, key)
    select distinct w ->> 0, w ->> 1 from written, jsonb_array_elements(wake) w
    on conflict (controller, key) do update set gen = queue.gen + 1, run_at = least(queue.run_at, excluded.run_at),
      attempts = case when queue.worker is null then 0 else queue.attempts end)
  select place, rv from written`

/** Versions in the order of the writes; undefined where the expected version was not in force any more. No two may be of one resource. */
export async function writeResources(tx: Tx, batch: StoredWrite[]): Promise<(bigint | undefined)[]> {
  const { rows } = await tx.query<{ place: number; rv: string }>(writeStatement, [JSON.stringify(batch.map(toGiven)), batch.length], 'write-resources')
  const versions: (bigint | undefined)[] = batch.map(() => undefined)
  for (const { place, rv } of rows) versions[place - 1] = BigInt(rv)
  return versions
}

function toGiven({ type, key, uid, expected, object, before, fields, audit, wake }: StoredWrite, index: number): Record<string, unknown> {
  const { labels, ownerReferences } = object.metadata
  return {
    place: index + 1,
    type,
    ...key,
    uid,
    expected: expected === undefined ? undefined : String(expected),
    object,
    before,
    // Null where there are none, so that the indexes hold only what has some.
    labels: labels && Object.keys(labels).length > 0 ? labels : undefined,
    owners: ownerReferences?.length ? ownerReferences.map((owner) => owner.uid) : undefined,
    fields: Object.keys(fields).length > 0 ? fields : undefined,
    actor: audit.actor,
    token: audit.token,
    verb: audit.verb,
    request: audit.requestId,
    address: audit.address,
    reason: audit.reason,
    wake: wake.map(({ controller, key: wanted }) => [controller, wanted]),
  }
}

/** In the order of the keys; undefined where there is none. */
export async function readResources(tx: Tx, keys: ResourceKey[]): Promise<(Resource | undefined)[]> {
  const { rows } = await tx.query<ObjectRow & { place: string }>(
    `select place, rv, object from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (kind, namespace, name, place),
       lateral (select rv, object from resources r where r.kind = k.kind collate "C" and r.namespace = k.namespace collate "C" and r.name = k.name collate "C" limit 1) found`,
    [keys.map(({ kind }) => kind), keys.map(({ namespace }) => namespace), keys.map(({ name }) => name)],
    'read-resources',
  )
  const found: (Resource | undefined)[] = keys.map(() => undefined)
  for (const row of rows) found[Number(row.place) - 1] = withVersion(row)
  return found
}

/** Everything that names one of these owners, of any kind. */
export async function readDependents(tx: Tx, ownerUid: string): Promise<Resource[]> {
  const { rows } = await tx.query<ObjectRow>(
    'select rv, object from resources where owners @> array[$1::uuid] order by kind, namespace, name limit 500',
    [ownerUid],
    'read-dependents',
  )
  return rows.map(withVersion)
}

export async function uidExists(tx: Tx, uid: string): Promise<boolean> {
  return (await tx.query('select 1 from resources where uid = $1', [uid], 'uid-exists')).rowCount > 0
}

export interface PageQuery extends Selection {
  kind: string
  /** Undefined: every namespace. */
  namespaces: string[] | undefined
  /** Go on behind this one. */
  after?: { namespace: string; name: string }
  limit: number
  /** Count what the first page leaves out. */
  count?: boolean
}

/** `spec.app` → `fields ->> 'spec.app'`; the path is from a kind's declared indexes, never from a request. */
export function fieldExpression(path: string): string {
  if (path === 'metadata.name') return 'name'
  if (path === 'metadata.namespace') return 'namespace'
  if (!/^[A-Za-z0-9.]+$/.test(path)) throw new Error(`not a field path: ${path}`)
  return `(fields ->> '${path}')`
}

function conditions({ kind, namespaces, labels = [], fields = [] }: PageQuery, values: unknown[]): string[] {
  const value = (given: unknown): string => `$${values.push(given)}`
  const all = [`kind = ${value(kind)}`]
  if (namespaces?.length === 1) all.push(`namespace = ${value(namespaces[0])}`)
  else if (namespaces) all.push(`namespace = any(${value(namespaces)})`)
  for (const { key, operator, values: wanted } of labels) {
    if (operator === 'In' && wanted.length === 1) all.push(`labels @> ${value(JSON.stringify({ [key]: wanted[0] }))}::jsonb`)
    else if (operator === 'In') all.push(`labels ->> ${value(key)} = any(${value(wanted)}::text[])`)
    else if (operator === 'NotIn') all.push(`coalesce(not (labels ->> ${value(key)} = any(${value(wanted)}::text[])), true)`)
    else if (operator === 'Exists') all.push(`labels ? ${value(key)}`)
    else all.push(`coalesce(not (labels ? ${value(key)}), true)`)
  }
  for (const { path, operator, value: wanted } of fields) {
    const expression = `coalesce(${fieldExpression(path)}, '')`
    all.push(operator === '=' && wanted !== '' ? `${fieldExpression(path)} = ${value(wanted)}` : `${expression} ${operator === '=' ? '=' : '<>'} ${value(wanted)}`)
  }
  return all
}

/** One page in the order of namespace and name, with the version that it shows. */
export async function readPage(tx: Tx, query: PageQuery): Promise<StoredPage> {
  const values: unknown[] = []
  const where = conditions(query, values)
  if (query.after) where.push(`(namespace, name) > ($${values.push(query.after.namespace)}, $${values.push(query.after.name)})`)
  const text = `select v.value as version, p.rv, p.object from resource_version v left join lateral (
      select rv, object, namespace, name from resources where ${where.join(' and ')}
      order by namespace, name limit $${values.push(query.limit + 1)}) p on true order by p.namespace, p.name`
  // The text is the same for the same shape of question, so it can be prepared once.
  const { rows } = await tx.query<{ version: string; rv: string | null; object: Resource }>(text, values, `page-${hash(text)}`)
  const found = rows[0]!.rv === null ? [] : rows
  const items = found.slice(0, query.limit).map((row) => withVersion(row as ObjectRow))
  const more = found.length > query.limit
  const total = more && query.count && !query.after ? await countAll(tx, query) : undefined
  return { items, version: BigInt(rows[0]!.version), more, ...(total === undefined ? {} : { remaining: Math.max(1, total - items.length) }) }
}

async function countAll(tx: Tx, query: PageQuery): Promise<number> {
  const values: unknown[] = []
  const text = `select count(*)::int as total from resources where ${conditions(query, values).join(' and ')}`
  const { rows } = await tx.query<{ total: number }>(text, values, `count-${hash(text)}`)
  return rows[0]!.total
}

/** Short and stable; only tells prepared statements apart. */
function hash(text: string): string {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  return `${(high >>> 0).toString(36)}${(low >>> 0).toString(36)}`
}

export async function readChanges(tx: Tx, after: bigint, upTo: bigint, limit: number): Promise<StoredChange[]> {
  const { rows } = await tx.query(
    'select rv, type, kind, namespace, object, before, extract(epoch from clock_timestamp() - at)::float8 as age from resource_changes where rv > $1 and rv <= $2 order by rv limit $3',
    [String(after), String(upTo), limit],
    'read-changes',
  )
  return rows.map((row) => ({
    version: BigInt(row.rv),
    type: row.type,
    kind: row.kind,
    namespace: row.namespace,
    object: withVersion(row as ObjectRow),
    before: row.before,
    ageSeconds: row.age,
  }))
}

/** A resource as one change made it and as it was before, as far as its changes are still known. */
export async function readChange(tx: Tx, { kind, namespace, name }: { kind: string; namespace: string; name: string }, version: string): Promise<{ before: Resource; after: Resource } | undefined> {
  const { rows } = await tx.query(
    "select rv, object from resource_changes where kind = $1 and namespace = $2 and rv <= $3 and object->'metadata'->>'name' = $4 order by rv desc limit 2",
    [kind, namespace, version, name],
    'read-one-change',
  )
  const [after, before] = rows
  return after && before && String(after.rv) === version ? { before: withVersion(before as ObjectRow), after: withVersion(after as ObjectRow) } : undefined
}

export async function readVersions(tx: Tx): Promise<{ current: bigint; compacted: bigint }> {
  const { rows } = await tx.query('select value, compacted from resource_version', [], 'read-versions')
  return { current: BigInt(rows[0]!.value), compacted: BigInt(rows[0]!.compacted) }
}

/** Forgets changes older than `keepMs`; watches from before then are told to list again. */
export async function compactChanges(database: Database, keepMs: number): Promise<number> {
  return database.transaction(async (tx) => {
    await tx.query('select value from resource_version for update')
    const { rows } = await tx.query(
      `with gone as (delete from resource_changes where rv in (
         select rv from resource_changes where at < now() - make_interval(secs => $1) order by rv limit 20000) returning rv)
       select max(rv) as last, count(*)::int as removed from gone`,
      [keepMs / 1000],
    )
    if (rows[0]!.last === null) return 0
    await tx.query('update resource_version set compacted = greatest(compacted, $1)', [rows[0]!.last])
    return rows[0]!.removed as number
  })
}

/** Expression indexes for the declared fields of every kind; made once, and again when a kind declares more. */
export async function createFieldIndexes(tx: Tx, kinds: readonly { kind: string; indexes?: string[] }[]): Promise<void> {
  for (const { kind, indexes = [] } of kinds) {
    for (const path of indexes) {
      const name = `resources_${kind}_${path.replaceAll('.', '_')}`.toLowerCase()
      await tx.query(`create index if not exists ${name} on resources (${fieldExpression(path)}, namespace, name) where kind = '${kind}'`)
    }
  }
}
