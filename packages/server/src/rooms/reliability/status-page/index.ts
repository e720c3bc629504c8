/** Status pages: read by anybody whom the team lets, without script, cached for a moment. */
import { createHash } from 'node:crypto'
import type { Resource, SloSpec, SloStatus, StatusPageSpec, StatusPageStatus } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { systemActor } from '../../../kernel/actor.ts'
import type { Authenticate, Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { inParallel } from '../../../kernel/in-parallel.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../../kernel/log.ts'
import { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { publishedEntries } from '../incidents/store.ts'
import type { Incident } from '../incidents/types.ts'
import { contentPolicy, feedXml, nothingHtml, overviewHtml, pageHtml } from './html.ts'
import { historyDays, sloOf, viewOf, type StatusView } from './plan.ts'
import { countedDays } from './store.ts'
import { createTelling, type SubscriptionDeps } from './subscriptions/deliver.ts'
import { formPolicy, subscribeHtml } from './subscriptions/html.ts'
import { subscriptionRoutes, type SubscriptionRoutesDeps } from './subscriptions/routes.ts'

type StatusPage = Resource<StatusPageSpec, StatusPageStatus>

const actor = systemActor('status-page')
/** However many read a page, it is made anew this often at most. */
const freshMs = 5000
/** What others on the way may keep it for. */
const sharedSeconds = 15
const dayMs = 24 * 3600_000
const pastMs = 14 * dayMs
const shownPages = 100
const pagesAtOnce = 4
/** Where a team has several. */
const usualName = 'main'

export interface StatusPageDeps extends Pick<SubscriptionDeps, 'messengers' | 'openSecret' | 'key'>, Pick<SubscriptionRoutesDeps, 'audit'> {
  database: Database
  resources: Resources
  slos: Mirror<Resource<SloSpec, SloStatus>>
  authenticate: Authenticate
  /** What the platform itself does for its users, and whether it works now. */
  platformParts: () => Promise<{ name: string; works: boolean }[]>
  publicUrl: () => string
  clock: Clock
  log: Logger
}

interface Made {
  atMs: number
  version: string
  view: Promise<StatusView>
}

export function createStatusPages(deps: StatusPageDeps): { routes: Routes[]; parts: Part[] } {
  const pages = new Mirror<StatusPage>(deps.resources, 'StatusPage', deps.log)
  const shown = createShown(deps, pages)
  const subscriptions = { ...deps, view: shown.viewed }
  const publicPage = (team: string): StatusPage | undefined => {
    const page = shown.pageOf(team)
    return page?.spec.public ? page : undefined
  }
  return { routes: [statusRoutes(deps, pages, shown), subscriptionRoutes({ ...subscriptions, publicPage })], parts: [pages, createTelling(subscriptions)] }
}

interface Shown {
  pageOf: (team: string) => StatusPage | undefined
  viewed: (page: StatusPage) => Promise<StatusView>
}

function createShown(deps: StatusPageDeps, pages: Mirror<StatusPage>): Shown {
  const { clock } = deps
  // As many as there are pages; those of pages that are gone leave with the next reading.
  const made = new Map<string, Made>()

  /** The one named main, else the first by name. */
  const pageOf = (team: string): StatusPage | undefined =>
    [...pages.values()].filter(({ metadata }) => metadata.namespace === team && !metadata.deletionTimestamp).toSorted((one, other) => Number(other.metadata.name === usualName) - Number(one.metadata.name === usualName) || one.metadata.name.localeCompare(other.metadata.name))[0]

  const viewed = (page: StatusPage): Promise<StatusView> => {
    const { uid, resourceVersion } = page.metadata
    const now = clock.now().getTime()
    const known = made.get(uid)
    if (known && known.version === resourceVersion && Math.abs(now - known.atMs) < freshMs) return known.view
    for (const other of made.keys()) if (![...pages.values()].some(({ metadata }) => metadata.uid === other)) made.delete(other)
    const view = makeView(deps, page)
    made.set(uid, { atMs: now, version: resourceVersion, view })
    view.catch(() => made.delete(uid))
    return view
  }

  return { pageOf, viewed }
}

function statusRoutes(deps: StatusPageDeps, pages: Mirror<StatusPage>, { pageOf, viewed }: Shown): Routes {
  const { resources, clock } = deps

  /** Undefined: there is none, or it is not for whoever asks; both look alike. */
  const allowed = async (request: FastifyRequest<{ Params: { team: string } }>): Promise<StatusPage | undefined> => {
    const page = pageOf(request.params.team)
    if (!page || page.spec.public) return page
    const reader = await deps.authenticate(request).catch(() => undefined)
    if (!reader) return undefined
    return resources.get<StatusPage>(reader, { kind: 'StatusPage', namespace: page.metadata.namespace!, name: page.metadata.name }).catch(() => undefined)
  }

  let asked: { atMs: number; parts: ReturnType<StatusPageDeps['platformParts']> } | undefined
  const parts = (): ReturnType<StatusPageDeps['platformParts']> => {
    const now = clock.now().getTime()
    if (!asked || Math.abs(now - asked.atMs) >= freshMs) asked = { atMs: now, parts: deps.platformParts() }
    return asked.parts
  }

  return (server: FastifyInstance) => {
    const config = { public: true }
    server.get('/status', { config }, async (request, reply) => {
      const open = [...pages.values()].filter(({ spec, metadata }) => spec.public && !metadata.deletionTimestamp && pageOf(metadata.namespace!)?.metadata.uid === metadata.uid).slice(0, shownPages)
      const views = await inParallel(open, pagesAtOnce, viewed)
      const at = clock.now().toISOString()
      const shown = open.map((page, index) => ({ path: `/status/${encodeURIComponent(page.metadata.namespace!)}`, title: views[index]!.title, overall: views[index]!.overall }))
      return send(request, reply, 'text/html; charset=utf-8', overviewHtml({ parts: await parts(), pages: shown, at }), true)
    })

    server.get<{ Params: { team: string } }>('/status/:team', { config }, async (request, reply) => {
      const page = await allowed(request)
      if (!page) return nothing(reply)
      const path = `/status/${encodeURIComponent(request.params.team)}`
      const takesMail = page.spec.public === true && page.spec.subscriptions?.mailBy !== undefined
      return send(request, reply, 'text/html; charset=utf-8', pageHtml(await viewed(page), { feed: `${path}/feed.atom`, subscribe: takesMail ? subscribeHtml(`${path}/subscribe`) : '' }), page.spec.public ?? false, takesMail ? formPolicy : contentPolicy)
    })

    server.get<{ Params: { team: string } }>('/status/:team/feed.atom', { config }, async (request, reply) => {
      const page = await allowed(request)
      if (!page) return nothing(reply)
      return send(request, reply, 'application/atom+xml; charset=utf-8', feedXml(await viewed(page), `${deps.publicUrl()}/status/${encodeURIComponent(request.params.team)}`), page.spec.public ?? false)
    })
  }
}

function safe(reply: FastifyReply, policy = contentPolicy): FastifyReply {
  return reply.headers({ 'content-security-policy': policy, 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' })
}

function send(request: FastifyRequest, reply: FastifyReply, type: string, text: string, shared: boolean, policy = contentPolicy): FastifyReply {
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
  void safe(reply, policy).headers({ 'cache-control': shared ? `public, max-age=${sharedSeconds}` : 'private, no-store', etag: tag })
  if (request.headers['if-none-match'] === tag) return reply.code(304).send()
  return reply.type(type).send(text)
}

function nothing(reply: FastifyReply): FastifyReply {
  return safe(reply).code(404).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(nothingHtml())
}

async function makeView({ database, resources, slos, clock }: StatusPageDeps, { metadata, spec }: StatusPage): Promise<StatusView> {
  const now = clock.now()
  const own = [...slos.values()].filter((slo) => slo.metadata.namespace === metadata.namespace)
  const used = spec.components.flatMap((component) => sloOf(component, own)?.metadata.uid ?? [])
  const told = (await resources.listAll<Incident>(actor, 'Incident', metadata.namespace)).filter(({ status }) => status?.published && now.getTime() - Date.parse(status.resolvedAt ?? now.toISOString()) < pastMs)
  return viewOf({
    spec,
    incidents: told,
    published: await publishedEntries(database, told.map((incident) => incident.metadata.uid)),
    slos: own,
    days: await countedDays(database, [...new Set(used)], Math.floor(now.getTime() / dayMs) - historyDays),
    now,
  })
}
