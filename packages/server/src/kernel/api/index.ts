/** The HTTP server: Kubernetes-style REST for every kind, what kubectl needs around it, and the routes of the rooms. */
import type { IncomingMessage, RequestListener } from 'node:http'
import { fail, type PaviorError } from '@pavior/contract'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
import type { AuditLog } from '../audit/audit.ts'
import type { Clock } from '../clock.ts'
import type { KindRegistry } from '../kind.ts'
import type { Authorize } from '../kube/reviews.ts'
import { asPaviorError, failureStatus } from '../kube/status.ts'
import type { Logger } from '../log.ts'
import type { Resources } from '../resources/types.ts'
import { addAdmission } from './admission.ts'
import { addAuditRoutes } from './audit-routes.ts'
import { addBodyParsers } from './body.ts'
import { checkingIntervalMs, createServerForBoth } from './both-protocols.ts'
import type { Certificate } from './certificate.ts'
import { addCoreRoutes, type EventReader } from './core-routes.ts'
import { addDiscoveryRoutes } from './discovery-routes.ts'
import { addLive } from './live.ts'
import { addIdempotency, type IdempotencyStore } from './idempotency.ts'
import { defaultLimits, type ApiLimits } from './limits.ts'
import { addObservation, requestIdOf } from './observe.ts'
import { createOpenStreams, type OpenStreamsDeps } from './open-streams.ts'
import { createRefusals } from './refusals.ts'
import { addResourceRoutes } from './resource-routes.ts'
import { createResponder } from './respond.ts'
import { addSystemRoutes, type Health, type VersionInfo } from './system-routes.ts'
import type { Authenticate, Routes } from './types.ts'
import { Watches } from './watch.ts'

export type { ApiLimits, Authenticate, Authorize, EventReader, Health, IdempotencyStore, Routes, VersionInfo }
export { createIdempotencyStore } from './idempotency-store.ts'
export { keptCertificate, makeCertificate, type Certificate } from './certificate.ts'

export interface ApiDeps {
  kinds: KindRegistry
  resources: Resources
  authenticate: Authenticate
  /** How to tell that somebody holds less than before; without it streams live as long as they are read. */
  rights?: OpenStreamsDeps
  /** Whether the cookie that came with an upgrade was sent by a page of ours; nobody's when absent. */
  sameOrigin?: (request: IncomingMessage) => boolean
  /** Of the rooms; each in a scope of its own, so that it may bring parsers and hooks. */
  routes: Routes[]
  events: EventReader
  audit: AuditLog
  /** For the access reviews; `resources` itself enforces. */
  authorize: Authorize
  idempotency: IdempotencyStore
  limits?: Partial<ApiLimits>
  /** Answers HTTPS with this certificate on the same port, beside plain HTTP. */
  tls?: Certificate
  version: VersionInfo
  metrics: Registry
  health: () => Health
  ready: () => Health
  log: Logger
  clock: Clock
}

const longestParameter = 300

/** Ready to `listen`. `close()` ends watches, lets requests in flight finish within `drainTimeoutMs`, then closes every connection. */
export function createApi(deps: ApiDeps): FastifyInstance {
  const { kinds, resources, clock, log } = deps
  const limits: ApiLimits = { ...defaultLimits, ...deps.limits }
  const app = Fastify({
    logger: false,
    genReqId: requestIdOf,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: checkingIntervalMs(limits) },
    routerOptions: { maxParamLength: longestParameter, ignoreDuplicateSlashes: true },
    forceCloseConnections: 'idle',
    ...(deps.tls ? { serverFactory: ((handler: RequestListener) => createServerForBoth(handler, deps.tls!, limits)) as never } : {}),
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => sendError(error, request, reply as FastifyReply, log),
  })
  const responder = createResponder(clock)
  const watches = new Watches(clock, log, limits.watchTimeoutMs)

  const refusals = createRefusals(deps.audit, clock, log)
  app.setErrorHandler(async (error, request, reply) => {
    await refusals(fromFastify(error), request)
    sendError(error, request, reply, log)
    return reply
  })
  app.setNotFoundHandler((request) => {
    throw fail('NOT_FOUND', {
      message: `There is nothing at ${request.method} ${request.url.split('?', 1)[0]!.slice(0, 200)}.`,
      fix: 'GET /apis lists what there is.',
    })
  })
  app.addHook('onRoute', (route) => {
    const most = route.config?.maxBodyBytes
    if (most !== undefined) route.bodyLimit = most
  })
  addObservation(app, { metrics: deps.metrics, log, watches })
  const streams = deps.rights && createOpenStreams(deps.rights)
  addAdmission(app, { authenticate: deps.authenticate, limits, clock, streams })
  app.addHook('preClose', async () => streams?.close())
  addBodyParsers(app, limits)
  addIdempotency(app, deps.idempotency)

  addSystemRoutes(app, deps)
  addDiscoveryRoutes(app, { kinds, responder, version: deps.version.version })
  addCoreRoutes(app, { kinds, resources, events: deps.events, authorize: deps.authorize, responder, watches })
  addAuditRoutes(app, { audit: deps.audit, kinds })
  for (const kind of kinds.all) addResourceRoutes(app, kind, { resources, responder, watches, clock })
  for (const routes of deps.routes) {
    app.register((scope, _options, done) => {
      routes(scope)
      done()
    })
  }
  addLive(app, { sameOrigin: deps.sameOrigin ?? (() => false), log })
  addGracefulClose(app, watches, limits)
  return app
}

function addGracefulClose(app: FastifyInstance, watches: Watches, { drainTimeoutMs }: ApiLimits): void {
  app.addHook('preClose', async () => {
    watches.close()
    const timer = setTimeout(() => app.server.closeAllConnections(), drainTimeoutMs)
    app.server.once('close', () => clearTimeout(timer))
    timer.unref()
  })
}

/** Every error leaves as a Status; faults of ours are logged with their stack and shown without. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const known = asPaviorError(fromFastify(error), request.id)
  if (known.code === 'INTERNAL')
    log.error(
      { err: known.cause ?? known, requestId: request.id, method: request.method, route: request.routeOptions?.url },
      'a request failed',
    )
  const status = failureStatus(known)
  const { retryAfterSeconds } = status.details ?? {}
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds))
  // Git sends a token only as the password of Basic; browsers would ask for one, so nothing else is told so.
  if (known.code === 'UNAUTHENTICATED')
    reply.header('www-authenticate', `${request.url.startsWith('/git/') ? 'Basic' : 'Bearer'} realm="pavior"`)
  void reply.code(status.code).type('application/json').send(JSON.stringify(status))
}

/** Refusals of the HTTP layer in our own words. */
function fromFastify(error: unknown): unknown {
  const { code, message, statusCode } = error as FastifyError
  if ((error as PaviorError).name === 'PaviorError') return error
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return fail('TOO_LARGE', { message: 'The request body is larger than the limit.', fix: 'Send less.' })
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || code === 'FST_ERR_CTP_EMPTY_TYPE')
    return fail('UNSUPPORTED_MEDIA', {
      message: 'The content type of the body is not accepted here.',
      fix: 'Send application/json or application/yaml.',
    })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return fail('BAD_REQUEST', { message: `The request could not be understood: ${message}.` })
  return error
}
