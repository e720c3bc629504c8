/** The REST API of every kind: `/apis/pavior.dev/v1/[namespaces/{team}/]{plural}[/{name}[/status]]`. */
import { apiVersion, fail, type Resource } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods, RouteHandlerMethod } from 'fastify'
import type { Clock } from '../clock.ts'
import type { KindDefinition } from '../kind.ts'
import { successStatus } from '../kube/status.ts'
import { tableForm } from '../kube/table.ts'
import type { ResourceKey, Resources } from '../resources/types.ts'
import { flag, parameter, selection, wholeNumber, type Query } from './query.ts'
import { addWarnings, type Presentation, type Responder } from './respond.ts'
import { createResourceWrites, type ResourceWrites } from './resource-writes.ts'
import { same, type Watches } from './watch.ts'

const resourceRoot = '/apis/pavior.dev/v1'

export interface ResourceRoutesDeps {
  resources: Resources
  responder: Responder
  watches: Watches
  clock: Clock
}

export interface ResourceParams {
  namespace?: string
  name?: string
}

/** Without a limit everything is wanted; beyond this a continue token is given nevertheless. */
const everything = 0

export function addResourceRoutes(app: FastifyInstance, kind: KindDefinition, deps: ResourceRoutesDeps): void {
  const presentation: Presentation<Resource> = { apiVersion, kind: kind.kind, table: tableForm(kind) }
  const reads = createReads(kind, presentation, deps)
  const writes = createResourceWrites(kind, deps)
  const answers = createWriteAnswers(presentation, writes, deps.responder)
  const namespaced = kind.scope === 'Namespaced'
  const collection = namespaced ? `${resourceRoot}/namespaces/:namespace/${kind.plural}` : `${resourceRoot}/${kind.plural}`

  if (namespaced) addMethods(app, `${resourceRoot}/${kind.plural}`, { GET: reads.list })
  addMethods(app, collection, { GET: reads.list, POST: answers.create, DELETE: answers.deleteCollection })
  addMethods(app, `${collection}/:name`, {
    GET: reads.get,
    PUT: answers.replace(undefined),
    PATCH: answers.patch(undefined),
    DELETE: answers.delete,
  })
  if (kind.status)
    addMethods(app, `${collection}/:name/status`, { GET: reads.get, PUT: answers.replace('status'), PATCH: answers.patch('status') })
}

type Methods = Partial<Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', RouteHandlerMethod>>

/** Registers the handlers of one path; every other method is answered with what the path allows. */
export function addMethods(app: FastifyInstance, url: string, methods: Methods): void {
  const offered = Object.keys(methods) as HTTPMethods[]
  const allow = [...offered, ...(methods.GET ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  for (const [method, handler] of Object.entries(methods)) app.route({ method: method as HTTPMethods, url, handler })
  app.route({ method: 'OPTIONS', url, handler: (_request, reply) => void reply.header('allow', allow).code(204).send() })
  const others = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter((method) => !offered.includes(method))
  if (others.length === 0) return
  app.route({
    method: others,
    url,
    exposeHeadRoute: false,
    handler: (request, reply) => {
      reply.header('allow', allow)
      throw fail('METHOD_NOT_ALLOWED', {
        message: `${request.method} is not possible on ${request.url.split('?', 1)[0]}.`,
        fix: `Use one of ${allow}.`,
      })
    },
  })
}

interface Reads {
  get: RouteHandlerMethod
  list: RouteHandlerMethod
}

function createReads(
  kind: KindDefinition,
  presentation: Presentation<Resource>,
  { resources, responder, watches }: ResourceRoutesDeps,
): Reads {
  const keyOf = (request: FastifyRequest): ResourceKey => {
    const { namespace = '', name = '' } = request.params as ResourceParams
    return { kind: kind.kind, namespace, name }
  }

  const watch = (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { actor } = request
    const { namespace } = request.params as ResourceParams
    const wanted = selection(request.query as Query)
    return watches.serve(request, reply, {
      presentation,
      show: same,
      open: (options) => resources.watch(actor, kind.kind, namespace, { ...wanted, ...options }),
      currentVersion: async () => (await resources.list(actor, kind.kind, namespace, { limit: 1 })).resourceVersion,
    })
  }

  return {
    get: async (request, reply) => responder.object(request, reply, presentation, await resources.mustGet(request.actor, keyOf(request))),
    list: async (request, reply) => {
      const query = request.query as Query
      if (request.method !== 'HEAD' && flag(query, 'watch')) return watch(request, reply)
      const { namespace } = request.params as ResourceParams
      const options = { ...selection(query), limit: wholeNumber(query, 'limit') ?? everything, continue: parameter(query, 'continue'), count: flag(query, 'count') }
      const found = await resources.list(request.actor, kind.kind, namespace, options)
      if (
        parameter(query, 'resourceVersionMatch') === 'Exact' &&
        found.resourceVersion !== parameter(query, 'resourceVersion') &&
        !options.continue
      ) {
        throw fail('EXPIRED', { message: 'Lists of former versions are not kept.', fix: 'List without resourceVersionMatch=Exact.' })
      }
      const { items, ...metadata } = found
      return responder.list(request, reply, presentation, items, metadata)
    },
  }
}

interface WriteAnswers {
  create: RouteHandlerMethod
  replace: (subresource: 'status' | undefined) => RouteHandlerMethod
  patch: (subresource: 'status' | undefined) => RouteHandlerMethod
  delete: RouteHandlerMethod
  deleteCollection: RouteHandlerMethod
}

function createWriteAnswers(presentation: Presentation<Resource>, writes: ResourceWrites, responder: Responder): WriteAnswers {
  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    { resource, created, warnings }: Awaited<ReturnType<ResourceWrites['create']>>,
  ): FastifyReply => {
    addWarnings(reply, warnings)
    return responder.object(request, reply.code(created ? 201 : 200), presentation, resource)
  }
  return {
    create: async (request, reply) => answer(request, reply, await writes.create(request)),
    replace: (subresource) => async (request, reply) => answer(request, reply, await writes.replace(request, subresource)),
    patch: (subresource) => async (request, reply) => answer(request, reply, await writes.patch(request, subresource)),
    delete: async (request, reply) => {
      const { resource, gone } = await writes.delete(request)
      if (!gone) return responder.object(request, reply, presentation, resource)
      const { name, uid } = resource.metadata
      return responder.plain(request, reply, successStatus({ name, group: 'pavior.dev', kind: resource.kind, uid }))
    },
    deleteCollection: async (request, reply) => {
      const deleted = await writes.deleteCollection(request)
      return responder.list(request, reply, presentation, deleted, {})
    },
  }
}
