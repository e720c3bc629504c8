/**
 * Reading the catalogue, and taking in another one. Everybody who is signed in may read all of it: it is there so that
 * people find what other teams have. It holds names, owners and links, and never configuration.
 */
import { Readable } from 'node:stream'
import { fail, type CatalogDetails, type CatalogGraph, type CatalogImport, type CatalogPage, type CatalogRelation, type CatalogRow } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'
import type { Actor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { ObservedCalls } from '../ports.ts'
import { inverse } from './plan.ts'
import { countEntities, listEntities, listLocations, pageEntities, readEntity, readEntityRows, readRelations, replaceLocation, type EntityQuery, type RelationRow } from './store.ts'
import { appsAmong, edgeOf, ratesOf, refOfApp } from './traffic.ts'
import { largestFile, readEntities } from './validate.ts'

const defaultLimit = 50
const mostLimit = 500
const deepest = 4
const mostNodes = 500
const exportPage = 500
/** Rates are those of the last hour. */
const rateMinutes = 60

interface ListSearch {
  q?: string
  kind?: string
  type?: string
  owner?: string
  lifecycle?: string
  tag?: string
  limit?: string
  continue?: string
}

interface Place {
  kind: string
  namespace: string
  name: string
}

export interface EntityRoutesDeps {
  database: Database
  calls: ObservedCalls
  clock: Clock
}

export function entityRoutes(deps: EntityRoutesDeps): Routes {
  const { database } = deps
  return (app: FastifyInstance) => {
    app.get<{ Querystring: ListSearch }>('/v1/catalog/entities', async ({ actor, query }): Promise<CatalogPage> => {
      mustRead(actor)
      const limit = wholeNumber(query.limit ?? String(defaultLimit), 1, mostLimit, 'limit')
      const items = await listEntities(database, { ...filterOf(query), limit: limit + 1 })
      const page = items.slice(0, limit)
      const last = page.at(-1)
      // Words give the best matches, not all in order; more words say more than a second page.
      const more = items.length > limit && query.q === undefined && last !== undefined
      return { items: page, ...(more ? { continue: Buffer.from(JSON.stringify({ name: last.name, ref: last.ref })).toString('base64url') } : {}) }
    })

    app.get('/v1/catalog/facets', async ({ actor }) => {
      mustRead(actor)
      return { items: await countEntities(database) }
    })

    app.get<{ Params: Place }>('/v1/catalog/entities/:kind/:namespace/:name', async ({ actor, params }): Promise<CatalogDetails> => {
      mustRead(actor)
      const ref = refOfPlace(params)
      const found = await readEntity(database, ref)
      if (!found) throw notFound(ref)
      return { ref, ...found, changedAt: found.changedAt.toISOString(), relations: await relationsAround(deps, ref) }
    })

    app.get<{ Params: Place; Querystring: { depth?: string } }>('/v1/catalog/entities/:kind/:namespace/:name/graph', async ({ actor, params, query }) => {
      mustRead(actor)
      const ref = refOfPlace(params)
      if (!(await readEntity(database, ref))) throw notFound(ref)
      return graphAround(deps, ref, wholeNumber(query.depth ?? '1', 1, deepest, 'depth'))
    })

    app.post<{ Querystring: { location?: string; dryRun?: string } }>('/v1/catalog/import', { config: { maxBodyBytes: largestFile } }, async ({ actor, body, query }) => {
      if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not import a catalogue.`, fix: 'Ask an administrator of the platform.' })
      const location = query.location ?? 'import'
      if (!/^[\x21-\x7e]{1,500}$/.test(location)) throw fail('BAD_REQUEST', { message: 'The location must be a name or URL of 1 to 500 characters without spaces.' })
      const text = typeof body === 'string' ? body : Buffer.isBuffer(body) ? body.toString() : (body as { yaml?: unknown } | undefined)?.yaml
      if (typeof text !== 'string') throw fail('BAD_REQUEST', { message: 'An import needs the text of a catalogue file.', fix: 'Send { "yaml": "…" }, with one or more entities divided by ---.' })
      const { accepted, refused } = await readEntities(text)
      const changed = query.dryRun === 'All' ? 0 : await replaceLocation(database, 'import', location, accepted)
      return { location, accepted: accepted.length, changed, refused } satisfies CatalogImport
    })

    app.get('/v1/catalog/locations', async ({ actor }) => {
      mustRead(actor)
      return { items: await listLocations(database, 'import') }
    })

    app.delete<{ Querystring: { location?: string } }>('/v1/catalog/import', async ({ actor, query }) => {
      if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not remove an import.` })
      return { location: query.location ?? 'import', changed: await replaceLocation(database, 'import', query.location ?? 'import', []) }
    })

    app.get('/v1/catalog/export', async ({ actor }, reply) => {
      mustRead(actor)
      return reply.type('application/yaml; charset=utf-8').send(Readable.from(exported(database)))
    })
  }
}

/** One catalogue file with everything, a page at a time. */
async function* exported(database: Database): AsyncGenerator<string> {
  let after = ''
  for (;;) {
    const page = await pageEntities(database, after, exportPage)
    if (page.length === 0) return
    yield page.map(({ entity }) => `---\n${stringify(entity, { lineWidth: 0 })}`).join('')
    after = page.at(-1)!.ref
  }
}

/** Tokens that are made for one app see that app only. */
function mustRead(actor: Actor): void {
  if (actor.app !== undefined) throw fail('FORBIDDEN', { message: `${actor.name} may read only what belongs to app "${actor.app}".`, fix: 'Use a token without that restriction.' })
  if (actor.limit) throw fail('FORBIDDEN', { message: `${actor.name} may do only what its token was made for.`, fix: 'Use a token without that restriction.' })
}

function filterOf({ q, kind, type, owner, lifecycle, tag, continue: token }: ListSearch): Omit<EntityQuery, 'limit'> {
  const after = token === undefined ? undefined : positionOf(token)
  return { q, kind: kind?.toLowerCase(), type, owner: owner?.toLowerCase(), lifecycle, tag, after }
}

function positionOf(token: string): { name: string; ref: string } {
  try {
    const { name, ref } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { name: unknown; ref: unknown }
    if (typeof name === 'string' && typeof ref === 'string') return { name, ref }
  } catch {
    // Answered below, like any other token that is not ours.
  }
  throw fail('EXPIRED', { message: 'The continue token is not valid here.' })
}

function wholeNumber(text: string, least: number, most: number, name: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < least || number > most) throw fail('BAD_REQUEST', { message: `${name} must be a whole number from ${least} to ${most}.` })
  return number
}

function refOfPlace({ kind, namespace, name }: Place): string {
  return `${kind}:${namespace}/${name}`.toLowerCase()
}

function notFound(ref: string): Error {
  return fail('NOT_FOUND', { message: `The catalogue has no ${ref}.`, fix: 'Search for it: pavior catalog list <words>' })
}

/** Relations as this entity has them; those that others declared are told from its side. */
async function relationsAround(deps: EntityRoutesDeps, ref: string): Promise<CatalogRelation[]> {
  const rows = await readRelations(deps.database, [ref], mostNodes)
  const known = await readEntityRows(deps.database, [...new Set(rows.flatMap(({ source, target }) => [source, target]))])
  const know = await edgesWith(deps, known)
  return rows.map(know).map(({ source, type, target, ...more }) => (source === ref ? { type, target, declaredHere: true, ...more } : { type: inverse[type] ?? type, target: source, declaredHere: false, ...more }))
}

/** Gives what requests say of relations between these. */
async function edgesWith({ calls, clock }: EntityRoutesDeps, known: CatalogRow[]): Promise<(row: RelationRow) => ReturnType<typeof edgeOf>> {
  const apps = appsAmong(known)
  const since = new Date(clock.now().getTime() - rateMinutes * 60_000)
  const rates = ratesOf(apps.length === 0 ? [] : await calls.callsOf(apps, since), rateMinutes)
  const refs = new Set(apps.map(refOfApp))
  return (row) => edgeOf(row, rates, refs)
}

/** What lies within so many steps. */
async function graphAround(deps: EntityRoutesDeps, ref: string, depth: number): Promise<CatalogGraph> {
  const { database } = deps
  const known = new Set([ref])
  const edges = new Map<string, RelationRow>()
  let edge = [ref]
  for (let step = 0; step < depth && edge.length > 0 && known.size < mostNodes; step++) {
    const rows = await readRelations(database, edge, mostNodes)
    for (const row of rows) edges.set(`${row.source} ${row.type} ${row.target}`, row)
    edge = [...new Set(rows.flatMap(({ source, target }) => [source, target]))].filter((one) => !known.has(one)).slice(0, mostNodes - known.size)
    for (const one of edge) known.add(one)
  }
  const nodes = await readEntityRows(database, [...known])
  const present = new Set(nodes.map((node) => node.ref))
  return {
    nodes,
    // Named by somebody, but the catalogue has no such thing.
    missing: [...known].filter((one) => !present.has(one)),
    edges: [...edges.values()].filter(({ source, target }) => known.has(source) && known.has(target)).map(await edgesWith(deps, nodes)),
    truncated: known.size >= mostNodes,
  }
}
