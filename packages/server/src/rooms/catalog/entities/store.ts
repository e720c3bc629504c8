/** Layers and what they come to. A change of layers and its effect on entities and relations commit together. */
import type { CatalogDrift, CatalogEntity as Entity, CatalogFacet, CatalogOrigin, CatalogRow } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { entityRef, mergeLayers } from './plan.ts'
import type { EntityRef, Layer, MergedEntity } from './types.ts'

/** Entities merged in one statement. */
const batchSize = 500

/** Replaces everything that this location said before. Returns how many entities changed. */
export async function replaceLocation(database: Database, origin: CatalogOrigin, location: string, entities: Entity[]): Promise<number> {
  return database.transaction(async (tx) => {
    // One writer at a time: two who speak of the same entity would each merge without the other's layer.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('catalog', 0))`)
    const wanted = new Map(entities.map((entity) => [entityRef(entity), entity]))
    const { rows } = await tx.query<{ ref: string; entity: Entity }>('select ref, entity from catalog_layers where origin = $1 and location = $2', [origin, location])
    const before = new Map(rows.map(({ ref, entity }) => [ref, JSON.stringify(entity)]))
    const gone = [...before.keys()].filter((ref) => !wanted.has(ref))
    const changed = await changedOf(tx, wanted, before)
    if (gone.length > 0) await tx.query('delete from catalog_layers where origin = $1 and location = $2 and ref = any($3)', [origin, location, gone])
    for (const batch of batches(changed)) {
      await tx.query(
        `insert into catalog_layers (ref, origin, location, entity) select ref, $2, $3, entity from jsonb_to_recordset($1::jsonb) as l (ref text, entity jsonb)
         on conflict (ref, origin, location) do update set entity = excluded.entity`,
        [JSON.stringify(batch.map((ref) => ({ ref, entity: wanted.get(ref) }))), origin, location],
      )
    }
    for (const batch of batches([...changed, ...gone].toSorted())) await mergeAgain(tx, batch)
    return changed.length + gone.length
  })
}

/** JSONB keeps no order of keys, so equality is asked of the database. */
async function changedOf(tx: Tx, wanted: Map<EntityRef, Entity>, before: Map<EntityRef, string>): Promise<EntityRef[]> {
  const known = [...wanted].filter(([ref]) => before.has(ref))
  const same = new Set<EntityRef>()
  for (const batch of batches(known)) {
    const { rows } = await tx.query<{ ref: string }>(
      `select ref from jsonb_to_recordset($1::jsonb) as l (ref text, now jsonb, before jsonb) where now = before`,
      [JSON.stringify(batch.map(([ref, entity]) => ({ ref, now: entity, before: JSON.parse(before.get(ref)!) })))],
    )
    for (const { ref } of rows) same.add(ref)
  }
  return [...wanted.keys()].filter((ref) => !same.has(ref))
}

async function mergeAgain(tx: Tx, refs: EntityRef[]): Promise<void> {
  const { rows } = await tx.query<Layer & { ref: string }>('select ref, origin, location, entity from catalog_layers where ref = any($1)', [refs])
  const layers = new Map<EntityRef, Layer[]>(refs.map((ref) => [ref, []]))
  for (const { ref, ...layer } of rows) layers.get(ref)!.push(layer)
  const merged = [...layers].filter(([, own]) => own.length > 0).map(([ref, own]) => mergeLayers(ref, own))
  const gone = refs.filter((ref) => layers.get(ref)!.length === 0)
  if (gone.length > 0) await tx.query('delete from catalog_entities where ref = any($1)', [gone])
  await tx.query('delete from catalog_relations where source = any($1)', [refs])
  if (merged.length === 0) return
  await tx.query(
    `insert into catalog_entities as e (ref, kind, namespace, name, type, lifecycle, owner, title, tags, origins, entity, drift, words)
     select ref, kind, namespace, name, type, lifecycle, owner, title, tags, origins, entity, drift,
       setweight(to_tsvector('simple', spoken), 'A') || setweight(to_tsvector('simple', described), 'B')
     from jsonb_to_recordset($1::jsonb) as m (ref text, kind text, namespace text, name text, type text, lifecycle text, owner text, title text,
       tags text[], origins text[], entity jsonb, drift jsonb, spoken text, described text)
     on conflict (ref) do update set type = excluded.type, lifecycle = excluded.lifecycle, owner = excluded.owner, title = excluded.title, tags = excluded.tags,
       origins = excluded.origins, entity = excluded.entity, drift = excluded.drift, words = excluded.words, changed_at = now()`,
    [JSON.stringify(merged.map(toRow))],
  )
  await tx.query(
    'insert into catalog_relations (source, type, target, origins) select source, type, target, origins from jsonb_to_recordset($1::jsonb) as r (source text, type text, target text, origins text[]) on conflict do nothing',
    [JSON.stringify(merged.flatMap(({ ref, relations }) => relations.map((relation) => ({ source: ref, ...relation }))))],
  )
}

function toRow({ ref, entity, origins, relations, drift }: MergedEntity): Record<string, unknown> {
  const { name, title, description, tags = [] } = entity.metadata
  const [kind = '', place = ''] = ref.split(':')
  const word = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const owner = relations.find(({ type }) => type === 'ownedBy')?.target
  return {
    ref, kind, namespace: place.split('/')[0], name, title, tags, origins, entity, drift, owner,
    type: word(entity.spec?.type),
    lifecycle: word(entity.spec?.lifecycle),
    // A name is found by its parts too.
    spoken: [name, name.replaceAll(/[-_.]/g, ' '), title, ...tags, displayNameOf(entity)].filter(Boolean).join(' '),
    described: [description, kind, word(entity.spec?.type), owner?.split('/')[1]].filter(Boolean).join(' '),
  }
}

function displayNameOf({ spec }: Entity): string | undefined {
  const profile = spec?.profile as { displayName?: unknown } | undefined
  return typeof profile?.displayName === 'string' ? profile.displayName : undefined
}

function batches<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / batchSize) }, (_, index) => all.slice(index * batchSize, (index + 1) * batchSize))
}

export interface EntityQuery {
  /** Words, each of which a match begins with. */
  q?: string
  kind?: string
  type?: string
  owner?: string
  lifecycle?: string
  tag?: string
  limit: number
  /** Go on behind this name and reference. */
  after?: { name: string; ref: string }
}

const columns = `ref, kind, namespace, name, title, entity #>> '{metadata,description}' as description, type, lifecycle, owner, tags, origins, jsonb_array_length(drift) as drift`
/** Matches that are ranked: of more, which ones are better does not matter to whoever searches. */
const rankedMatches = 500

function conditions({ kind, type, owner, lifecycle, tag, after }: EntityQuery, values: unknown[]): string[] {
  const given = Object.entries({ kind, type, owner, lifecycle }).filter(([, value]) => value !== undefined)
  const all = given.map(([column, value]) => `${column} = $${values.push(value)}`)
  if (tag !== undefined) all.push(`tags @> array[$${values.push(tag)}]`)
  if (after) all.push(`(name, ref) > ($${values.push(after.name)}, $${values.push(after.ref)})`)
  return all
}

/** By name; with words, the best first and one page only. */
export async function listEntities(tx: Tx, query: EntityQuery): Promise<CatalogRow[]> {
  const values: unknown[] = []
  const words = wordsOf(query.q)
  const where = conditions(words ? { ...query, after: undefined } : query, values)
  if (!words) {
    const { rows } = await tx.query<CatalogRow>(`select ${columns} from catalog_entities ${where.length > 0 ? `where ${where.join(' and ')}` : ''} order by name, ref limit $${values.push(query.limit)}`, values)
    return rows
  }
  const term = values.push(words)
  const exact = values.push(query.q!.trim().toLowerCase())
  where.push(`words @@ to_tsquery('simple', $${term})`)
  const { rows } = await tx.query<CatalogRow>(
    `select ${columns} from (select * from catalog_entities where ${where.join(' and ')} limit ${rankedMatches}) found
     order by starts_with(lower(name), $${exact}) desc, case when starts_with(lower(name), $${exact}) then length(name) end, ts_rank(words, to_tsquery('simple', $${term})) desc, length(name), name, ref limit $${values.push(query.limit)}`,
    values,
  )
  return rows
}

/** `check out` → `check:* & out:*`; undefined when there is no word in it. */
export function wordsOf(text: string | undefined): string | undefined {
  const words = (text ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.length === 0 ? undefined : words.slice(0, 8).map((word) => `${word}:*`).join(' & ')
}

export async function readEntity(tx: Tx, ref: EntityRef): Promise<{ entity: Entity; origins: CatalogOrigin[]; drift: CatalogDrift[]; changedAt: Date } | undefined> {
  const { rows } = await tx.query('select entity, origins, drift, changed_at from catalog_entities where ref = $1', [ref], 'read-entity')
  return rows[0] && { entity: rows[0].entity as Entity, origins: rows[0].origins as CatalogOrigin[], drift: rows[0].drift as CatalogDrift[], changedAt: rows[0].changed_at as Date }
}

export interface RelationRow {
  source: EntityRef
  type: string
  target: EntityRef
  origins: CatalogOrigin[]
}

/** Everything that names one of these, and everything that they name. */
export async function readRelations(tx: Tx, refs: EntityRef[], limit: number): Promise<RelationRow[]> {
  const { rows } = await tx.query<RelationRow>(
    `(select source, type, target, origins from catalog_relations where source = any($1) order by source, type, target limit $2)
     union (select source, type, target, origins from catalog_relations where target = any($1) order by target, type, source limit $2)`,
    [refs, limit],
    'read-relations',
  )
  return rows
}

/** Those of the given references that exist, as lists show them. */
export async function readEntityRows(tx: Tx, refs: EntityRef[]): Promise<CatalogRow[]> {
  return (await tx.query<CatalogRow>(`select ${columns} from catalog_entities where ref = any($1) order by name, ref`, [refs], 'read-entity-rows')).rows
}

/** How many there are of each kind, type, owner and lifecycle, for the filters. */
export async function countEntities(tx: Tx): Promise<CatalogFacet[]> {
  return (await tx.query('select kind, type, count(*)::int as count from catalog_entities group by kind, type order by kind, type', [], 'count-entities')).rows as never
}

/** A page of whole entities, for the export. */
export async function pageEntities(tx: Tx, after: EntityRef, limit: number): Promise<{ ref: EntityRef; entity: Entity }[]> {
  return (await tx.query<{ ref: EntityRef; entity: Entity }>('select ref, entity from catalog_entities where ref > $1 order by ref limit $2', [after, limit], 'page-entities')).rows
}

export async function listLocations(tx: Tx, origin: CatalogOrigin): Promise<{ location: string; entities: number }[]> {
  return (await tx.query('select location, count(*)::int as entities from catalog_layers where origin = $1 group by location order by location', [origin])).rows as never
}


/** Source whose files were taken in for this location last. */
export async function takenSource(tx: Tx, location: string): Promise<string | undefined> {
  return (await tx.query<{ source: string }>('select source from catalog_taken where location = $1', [location], 'taken-source')).rows[0]?.source
}

/** Undefined forgets it. */
export async function noteSource(tx: Tx, location: string, source: string | undefined): Promise<void> {
  if (source === undefined) await tx.query('delete from catalog_taken where location = $1', [location])
  else await tx.query('insert into catalog_taken (location, source) values ($1, $2) on conflict (location) do update set source = excluded.source', [location, source])
}
