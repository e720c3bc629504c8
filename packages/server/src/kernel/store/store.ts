/**
 * Resources in PostgreSQL. A write is one statement: resource, change, audit row and queue entries, so one round trip.
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
  audit: { actor: string; token?: string; verb: string; requestId?: string }
  /** Reconcile requests that commit with the write. */
  wake: { controller: string; key: string }[]
}

export interface StoredPage {
  items: Resource[]
  version: bigint
  more: boolean
}

export interface StoredChange {
  version: bigint
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  kind: string
  namespace: string
  object: Resource
  before: Partial<Resource> | null
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

const bookkeeping = (change: string): string => `
  , logged as (insert into resource_changes (rv, type, kind, namespace, object, before)
      select rv, '${change}', $1, $2, $5::jsonb, $6::jsonb from written)
  , audited as (insert into audit (actor, token, verb, kind, namespace, name, uid, rv, request_id)
      select $7, $8, $9, $1, $2, $3, $4, rv, $10 from written)
  , woken as (insert into queue (controller, key)
      select w.controller, w.key from unnest($11::text[], $12::text[]) as w (controller, key), written
      on conflict (controller, key) do update set gen = queue.gen + 1, run_at = least(queue.run_at, excluded.run_at),
        attempts = case when queue.worker is null then 0 else queue.attempts end)
  select rv from written`

const counter = 'with next as (update resource_version set value = value + 1 returning value)'

const writes = {
  ADDED: `${counter}, written as (insert into resources (kind, namespace, name, uid, rv, object, labels, owners, fields)
      select $1, $2, $3, $4, value, $5::jsonb, $13::jsonb, $14::uuid[], $15::jsonb from next returning rv)${bookkeeping('ADDED')}`,
  MODIFIED: `${counter}, written as (update resources r set rv = value, object = $5::jsonb, labels = $13::jsonb, owners = $14::uuid[], fields = $15::jsonb from next
      where r.kind = $1 and r.namespace = $2 and r.name = $3 and r.uid = $4 and r.rv = $16 returning r.rv)${bookkeeping('MODIFIED')}`,
  DELETED: `${counter}, written as (delete from resources r using next
      where r.kind = $1 and r.namespace = $2 and r.name = $3 and r.uid = $4 and r.rv = $13 returning value as rv)${bookkeeping('DELETED')}`,
}

/** Returns the new version, or undefined when the expected version was not in force any more. */
export async function writeResource(tx: Tx, write: StoredWrite): Promise<bigint | undefined> {
  const { key, audit, wake } = write
  const values: unknown[] = [
    key.kind,
    key.namespace,
    key.name,
    write.uid,
    JSON.stringify(write.object),
    write.before ? JSON.stringify(write.before) : null,
    audit.actor,
    audit.token ?? null,
    audit.verb,
    audit.requestId ?? null,
    wake.map((entry) => entry.controller),
    wake.map((entry) => entry.key),
  ]
  if (write.type !== 'DELETED') values.push(...indexed(write))
  if (write.type !== 'ADDED') values.push(String(write.expected))
  const { rows } = await tx.query<{ rv: string }>(writes[write.type], values, `write-${write.type}`)
  return rows[0] && BigInt(rows[0].rv)
}

/** Labels, owners and fields as the columns have them: null where there are none. */
function indexed({ object, fields }: StoredWrite): [string | null, string[] | null, string | null] {
  const { labels, ownerReferences } = object.metadata
  return [
    labels && Object.keys(labels).length > 0 ? JSON.stringify(labels) : null,
    ownerReferences?.length ? ownerReferences.map((owner) => owner.uid) : null,
    Object.keys(fields).length > 0 ? JSON.stringify(fields) : null,
  ]
}

export async function readResource(tx: Tx, { kind, namespace, name }: ResourceKey): Promise<Resource | undefined> {
  const { rows } = await tx.query<ObjectRow>(
    'select rv, object from resources where kind = $1 and namespace = $2 and name = $3',
    [kind, namespace, name],
    'read-resource',
  )
  return rows[0] && withVersion(rows[0])
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
  return { items, version: BigInt(rows[0]!.version), more: found.length > query.limit }
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
    'select rv, type, kind, namespace, object, before from resource_changes where rv > $1 and rv <= $2 order by rv limit $3',
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
  }))
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
