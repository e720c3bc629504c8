/** The parts of the Kubernetes API beside our own group: namespaces, events, reviews. */
import { fail, type Resource } from '@pavior/contract'
import type { FastifyInstance, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Actor } from '../actor.ts'
import type { KindRegistry } from '../kind.ts'
import { clusterEventNamespace, eventFilter, eventOf, eventTable, newEventOf, newEventTable, type EventFilter } from '../kube/events.ts'
import { namespaceOf, namespaceTable, type Namespace } from '../kube/namespaces.ts'
import { reviewAccess, rulesFor, userInfo, type AccessReview, type Authorize } from '../kube/reviews.ts'
import { decodeReview, kubernetesProtobuf } from '../kube/review-protobuf.ts'
import { matches } from '../kube/selectors.ts'
import type { FieldRequirement, ResourceEvent, Resources } from '../resources/types.ts'
import { flag, parameter, selection, wholeNumber, type Query } from './query.ts'
import { addMethods, type ResourceParams } from './resource-routes.ts'
import type { Presentation, Responder } from './respond.ts'
import type { Watches } from './watch.ts'

export interface EventReader {
  /** Newest first. `namespace` undefined: of all teams that the actor may read; '': of cluster kinds; otherwise the actor may read it. */
  list(actor: Actor, namespace: string | undefined, filter: EventFilter): Promise<ResourceEvent[]>
}

export interface CoreRoutesDeps {
  kinds: KindRegistry
  resources: Resources
  events: EventReader
  authorize: Authorize
  responder: Responder
  watches: Watches
}

export function addCoreRoutes(app: FastifyInstance, deps: CoreRoutesDeps): void {
  addNamespaces(app, deps)
  addEvents(app, deps)
  app.register((scope, _options, done) => {
    scope.addContentTypeParser(kubernetesProtobuf, { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
      decodeReview(body),
    )
    addReviews(scope, deps)
    done()
  })
}

function addNamespaces(app: FastifyInstance, { resources, responder, watches }: CoreRoutesDeps): void {
  const presentation: Presentation<Namespace> = { apiVersion: 'v1', kind: 'Namespace', table: namespaceTable }
  addMethods(app, '/api/v1/namespaces', {
    GET: async (request, reply) => {
      const query = request.query as Query
      const wanted = selection(query)
      if (request.method !== 'HEAD' && flag(query, 'watch')) {
        return watches.serve(request, reply, {
          presentation,
          show: namespaceOf,
          open: (options) => resources.watch(request.actor, 'Team', undefined, { ...wanted, ...options }),
          currentVersion: async () => (await resources.list(request.actor, 'Team', undefined, { limit: 1 })).resourceVersion,
        })
      }
      const options = { ...wanted, limit: wholeNumber(query, 'limit') ?? 0, continue: parameter(query, 'continue') }
      const { items, resourceVersion, continue: next } = await resources.list<Resource>(request.actor, 'Team', undefined, options)
      return responder.list(request, reply, presentation, items.map(namespaceOf), { resourceVersion, ...(next ? { continue: next } : {}) })
    },
  })
  addMethods(app, '/api/v1/namespaces/:name', {
    GET: async (request, reply) => {
      const { name = '' } = request.params as ResourceParams
      const team = await resources.get<Resource>(request.actor, { kind: 'Team', namespace: '', name })
      if (!team) throw fail('NOT_FOUND', { message: `namespaces "${name}" not found`, facts: { name } })
      return responder.object(request, reply, presentation, namespaceOf(team))
    },
  })
}

function addEvents(app: FastifyInstance, { kinds, events, authorize, responder }: CoreRoutesDeps): void {
  /** Who may list anything of a team may read what is remarked there. */
  const permit = (actor: Actor, namespace: string | undefined): void => {
    if (!namespace || kinds.all.some((kind) => kind.scope === 'Namespaced' && authorize(actor, 'list', kind, namespace))) return
    throw fail('FORBIDDEN', {
      message: `${actor.name} may not list events in team ${namespace}.`,
      fix: `Ask an administrator of team ${namespace} for the role viewer.`,
    })
  }
  const list =
    <E extends { metadata: object }>(
      apiVersion: string,
      show: (event: ResourceEvent) => E,
      table: Presentation<E>['table'],
    ): RouteHandlerMethod =>
    async (request, reply) => {
      const { namespace } = request.params as ResourceParams
      if (flag(request.query as Query, 'watch')) throw fail('METHOD_NOT_ALLOWED', { message: 'Events cannot be watched.', fix: 'List them.' })
      const { fields = [] } = selection(request.query as Query)
      const { filter, rest } = eventFilter(fields)
      const place = namespaceWanted(namespace, fields)
      permit(request.actor, place)
      const found = (await events.list(request.actor, place, filter)).map(show)
      const wanted = rest.length === 0 ? found : found.filter((event) => matches(event as unknown as Partial<Resource>, { fields: rest }))
      return responder.list(request, reply, { apiVersion, kind: 'Event', table }, wanted, {})
    }
  const old = list('v1', eventOf, eventTable)
  const recent = list('events.k8s.io/v1', newEventOf, newEventTable)
  for (const place of ['', '/namespaces/:namespace']) {
    addMethods(app, `/api/v1${place}/events`, { GET: old })
    addMethods(app, `/apis/events.k8s.io/v1${place}/events`, { GET: recent })
  }
}

/** Remarks on cluster kinds are kept without a namespace and shown in `default`. */
function namespaceWanted(namespace: string | undefined, fields: FieldRequirement[]): string | undefined {
  const involved = fields.find(({ path, operator }) => path === 'involvedObject.namespace' && operator === '=')?.value
  if (namespace === undefined) return involved || undefined
  return namespace === clusterEventNamespace && involved === '' ? '' : namespace
}

interface Review {
  apiVersion?: string
  kind?: string
  metadata?: object
  spec?: AccessReview & { namespace?: string }
}

function addReviews(app: FastifyInstance, { kinds, authorize, responder }: CoreRoutesDeps): void {
  const review = (group: string, kind: string, judge: (actor: Actor, spec: NonNullable<Review['spec']>) => object): RouteHandlerMethod => {
    return async (request, reply) => {
      const body = (request.body ?? {}) as Review
      if (typeof body !== 'object' || Array.isArray(body) || (body.kind !== undefined && body.kind !== kind))
        throw fail('BAD_REQUEST', { message: `This path takes a ${kind}.` })
      const { spec = {} } = body
      const status = judge(request.actor, spec)
      return responder.plain(request, reply.code(201), {
        kind,
        apiVersion: `${group}/v1`,
        metadata: { creationTimestamp: null, ...body.metadata },
        ...(body.spec ? { spec } : {}),
        status,
      })
    }
  }
  const add = (group: string, kind: string, judge: Parameters<typeof review>[2]): void =>
    addMethods(app, `/apis/${group}/v1/${kind.toLowerCase()}s`, { POST: review(group, kind, judge) })

  add('authorization.k8s.io', 'SelfSubjectAccessReview', (actor, spec) => reviewAccess(actor, spec, kinds, authorize))
  add('authorization.k8s.io', 'SelfSubjectRulesReview', (actor, { namespace = '' }) => ({
    resourceRules: rulesFor(actor, namespace, kinds, authorize),
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/api', '/apis', '/healthz', '/livez', '/openapi', '/readyz', '/version'] }],
    incomplete: false,
  }))
  add('authentication.k8s.io', 'SelfSubjectReview', (actor) => ({ userInfo: userInfo(actor) }))
}
