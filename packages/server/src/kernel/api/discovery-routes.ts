/** Discovery and OpenAPI documents, made once. */
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { KindRegistry } from '../kind.ts'
import { aggregated, coreVersions, groupDocument, groupList, groups, resourceList } from '../kube/discovery.ts'
import { createOpenApi, protobufTypeV2 } from '../kube/openapi.ts'
import { mediaRanges } from './negotiation.ts'
import { addMethods } from './resource-routes.ts'
import type { Responder } from './respond.ts'

export function addDiscoveryRoutes(
  app: FastifyInstance,
  { kinds, responder, version }: { kinds: KindRegistry; responder: Responder; version: string },
): void {
  const document = (url: string, value: unknown): void =>
    addMethods(app, url, { GET: (request, reply) => responder.plain(request, reply, value) })

  addMethods(app, '/api', {
    GET: (request, reply) =>
      sendAggregated(request, reply, (form) => aggregated([''], kinds, form)) ??
      responder.plain(request, reply, coreVersions(String(request.headers.host ?? ''))),
  })
  addMethods(app, '/apis', {
    GET: (request, reply) =>
      sendAggregated(request, reply, (form) => aggregated(groups, kinds, form)) ?? responder.plain(request, reply, groupList()),
  })
  document('/api/v1', resourceList('', kinds))
  for (const group of groups) {
    document(`/apis/${group}`, groupDocument(group))
    document(`/apis/${group}/v1`, resourceList(group, kinds))
  }
  addOpenApi(app, kinds, version)
}

/** Newer clients ask for everything in one answer; undefined when this one does not. */
function sendAggregated(request: FastifyRequest, reply: FastifyReply, make: (version: string) => object): FastifyReply | undefined {
  const best = mediaRanges(request.headers.accept ?? '').find(
    ({ type, parameters }) => type === 'application/json' && (parameters.as === undefined || parameters.as === 'APIGroupDiscoveryList'),
  )
  if (best?.parameters.as === undefined || best.parameters.g !== 'apidiscovery.k8s.io') return undefined
  const { v = 'v2' } = best.parameters
  if (v !== 'v2' && v !== 'v2beta1') return undefined
  return reply.type(`application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`).send(JSON.stringify(make(v)))
}

function addOpenApi(app: FastifyInstance, kinds: KindRegistry, version: string): void {
  const openApi = createOpenApi(kinds, version)
  addMethods(app, '/openapi/v2', {
    GET: (request, reply) => {
      const protobuf = mediaRanges(request.headers.accept ?? '').find(
        ({ type }) => type === 'application/json' || type.startsWith('application/com.github.proto-openapi.spec.v2'),
      )
      // The client's own spelling of the type, with an @, is none that it accepts as an answer.
      if (protobuf && protobuf.type !== 'application/json') return reply.type(protobufTypeV2).send(openApi.v2Protobuf())
      return reply.type('application/json').send(openApi.v2Json())
    },
  })
  addMethods(app, '/openapi/v3', { GET: (_request, reply) => reply.type('application/json').send(openApi.v3Index()) })
  addMethods(app, '/openapi/v3/*', {
    GET: (request, reply) => {
      const path = (request.params as { '*': string })['*']
      const found = openApi.v3Document(path)
      if (!found) throw fail('NOT_FOUND', { message: `There is no OpenAPI document of "${path.slice(0, 100)}".` })
      return reply.type('application/json').header('cache-control', 'public, max-age=3600').send(found)
    },
  })
}
