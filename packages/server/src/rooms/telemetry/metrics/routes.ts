/** Ways in over HTTP, and what an app uses of its limits. */
import { fail, isPaviorError, type TelemetryUse } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Instances, Sender, Senders } from '../ports.ts'
import { ByteBudget } from './budget.ts'
import type { Drops } from './drops.ts'
import type { Ingest } from './ingest.ts'
import type { OwnLabels } from './names.ts'
import { convertResource, resourcesOf } from './otlp.ts'
import { dropReasons, type DropReason } from './plan.ts'
import { decode, encode } from './protobuf.ts'
import type { SeriesRegistry } from './registry.ts'
import { convertWrite } from './remote-write.ts'
import { readDropped } from './store.ts'
import { unpack } from './unpack.ts'

/** `OTEL_EXPORTER_OTLP_ENDPOINT`; SDKs put `/v1/metrics` behind it. */
export const otlpPath = '/v1/otlp'
const writePath = '/v1/prom/write'
/** Packed; unpacked it may be larger by this factor. */
const unpackedFactor = 4
/** So many of the largest requests may be under way at once: of one sender, and of all. */
const largestOfOne = 2
const largestAtOnce = 8
const failedSignInsPerSecond = 1
const failedSignInBurst = 20

export interface MetricRoutesDeps {
  database: Database
  resources: Resources
  senders: Senders
  instances: Instances
  ingest: Ingest
  registry: SeriesRegistry
  drops: Drops
  limits: { bodyBytes: number; appSeries: number; appPointsPerSecond: number; dropDays: number }
  clock: Clock
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends telemetry: an app, or somebody for an app. */
    telemetrySender?: Sender | { actor: Actor }
  }
}

export function metricRoutes(deps: MetricRoutesDeps): Routes {
  const { database, resources, registry, drops, limits } = deps
  return (server: FastifyInstance) => {
    server.register((scope, _options, done) => {
      addIntake(scope, deps)
      done()
    })
    server.get<{ Params: { team: string; app: string } }>('/v1/teams/:team/apps/:app/telemetry', async ({ actor, params }): Promise<TelemetryUse> => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      await drops.settled()
      const dropped = await readDropped(database, params.team, params.app, limits.dropDays)
      return {
        app: params.app,
        metrics: { series: { used: await registry.used(params), limit: limits.appSeries }, pointsPerSecond: { limit: limits.appPointsPerSecond } },
        dropped: dropped.map(({ reason, points, lastAt }) => ({ reason, meaning: dropReasons[reason as DropReason] ?? '', points, lastAt: lastAt.toISOString() })),
        droppedDays: limits.dropDays,
      }
    })
  }
}

/** A scope of its own, because bodies stay bytes here and tokens of apps are taken. */
function addIntake(scope: FastifyInstance, deps: MetricRoutesDeps): void {
  const { ingest, limits } = deps
  scope.removeContentTypeParser(['application/json'])
  scope.addContentTypeParser(['application/json', 'application/x-protobuf'], { parseAs: 'buffer' }, (_request, body, next) => next(null, body))
  scope.addHook('onRequest', identifier(deps))
  scope.addHook('onRequest', budgeter(limits.bodyBytes))
  const unpacked = ({ body, headers }: FastifyRequest): Promise<Buffer> => unpack((body as Buffer | undefined) ?? Buffer.alloc(0), headers['content-encoding'], limits.bodyBytes * unpackedFactor)
  // Many apps send from one address, and each has limits of its own.
  const config = { public: true, unlimited: true, maxBodyBytes: limits.bodyBytes }

  scope.post(`${otlpPath}/v1/metrics`, { config }, async (request, reply) => {
    const json = /^application\/json\b/.test(request.headers['content-type'] ?? '')
    const body = await unpacked(request)
    const message = json ? parseJson(body) : await decode('ExportMetricsServiceRequest', body)
    const lost = await takeAll(request, message, deps)
    return answer(reply, json, lost)
  })

  scope.post(writePath, { config }, async (request, reply) => {
    const message = await decode('WriteRequest', await unpacked(request))
    const own = await ownerOf(request, new Map(), deps)
    const { incoming, metadata } = convertWrite(message, own)
    const { dropped } = await ingest.take({ team: own.team, app: own.app }, incoming, metadata)
    // What is dropped by rule would be dropped again: the sender must not repeat it, and is told.
    if (dropped.size > 0) throw fail('BAD_REQUEST', { message: explain(dropped) })
    return reply.code(204).send()
  })
}

function identifier({ senders, clock }: MetricRoutesDeps): (request: FastifyRequest) => Promise<void> {
  const failures = new RateLimiter(failedSignInsPerSecond, failedSignInBurst, clock)
  return async (request) => {
    try {
      request.telemetrySender = (await senders.ofToken(request.headers.authorization)) ?? { actor: await senders.authenticate(request) }
    } catch (error) {
      const wait = isPaviorError(error) && error.code === 'UNAUTHENTICATED' ? failures.take(request.ip) : undefined
      if (wait !== undefined) throw tooMany('Too many requests with tokens that are not valid came from this address.', wait)
      throw error
    }
  }
}

/** Before anything of a body is read: what comes from a busy sender has to come again. */
function budgeter(bodyBytes: number): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const budget = new ByteBudget(bodyBytes * largestOfOne, bodyBytes * largestAtOnce)
  return async ({ telemetrySender: sender, headers }, reply) => {
    const named = Number(headers['content-length'] ?? bodyBytes)
    const leave = budget.enter('actor' in sender! ? sender.actor.name : `${sender!.team}/${sender!.app}`, Math.min(Number.isNaN(named) ? bodyBytes : named, bodyBytes))
    if (!leave) throw tooMany('More telemetry is on its way than can be read at this moment.', 1)
    reply.raw.once('close', leave)
  }
}

type Owned = OwnLabels & { team: string; app: string }

/** Whose points these are: of the app whose token it is, otherwise of the app that headers or the resource name, where the sender may write it. */
async function ownerOf({ telemetrySender, headers }: FastifyRequest, attributes: ReadonlyMap<string, string>, { senders, resources, instances }: MetricRoutesDeps): Promise<Owned> {
  const instance = attributes.get('service.instance.id')
  if (telemetrySender && !('actor' in telemetrySender)) return { ...telemetrySender, ...labelsOfInstance(instances, telemetrySender, instance) }
  const { actor } = telemetrySender!
  const named = (header: string, attribute: string): string | undefined => {
    const given = headers[header]
    return typeof given === 'string' && given !== '' ? given : attributes.get(attribute)
  }
  const [team, app, environment] = [named('pavior-team', 'service.namespace'), named('pavior-app', 'service.name'), named('pavior-environment', 'deployment.environment.name')]
  if (!team || !app) throw fail('BAD_REQUEST', { message: 'It is not said which app the points are of.', fix: 'Send the headers Pavior-Team and Pavior-App, or the resource attributes service.namespace and service.name.' })
  if (!senders.mayWrite(actor, team, app)) throw fail('FORBIDDEN', { message: `${actor.name} may not send telemetry for ${team}/${app}.` })
  await resources.mustGet(actor, { kind: 'App', namespace: team, name: app })
  const sender = { team, app, environment: environment ?? senders.defaultEnvironment(team) }
  return { ...sender, ...labelsOfInstance(instances, sender, instance) }
}

/** An instance that says its name is believed when one of this name runs there. */
function labelsOfInstance(instances: Instances, { team, app, environment }: Sender, id: string | undefined): OwnLabels {
  const found = id === undefined ? undefined : instances.known().find((one) => one.id === id && one.team === team && one.app === app && one.environment === environment)
  return found ? { instance: found.id, release: String(found.release) } : {}
}

/** Takes every resource for its owner. Returns what was dropped, by reason. */
async function takeAll(request: FastifyRequest, message: unknown, deps: MetricRoutesDeps): Promise<Map<DropReason, number>> {
  const lost = new Map<DropReason, number>()
  const count = (reason: DropReason, points: number): void => void (points > 0 && lost.set(reason, (lost.get(reason) ?? 0) + points))
  const converted = await Promise.all(
    resourcesOf(message).map(async (resource) => {
      const own = await ownerOf(request, resource.attributes, deps)
      return { owner: { team: own.team, app: own.app }, ...convertResource(resource, own) }
    }),
  )
  await Promise.all(
    converted.map(async ({ owner, incoming, metadata, unsupported }) => {
      const { dropped } = await deps.ingest.take(owner, incoming, metadata)
      for (const [reason, points] of dropped) count(reason, points)
      count('unsupported', unsupported)
      if (unsupported > 0) deps.drops.count(owner, new Map([['unsupported', unsupported]]))
    }),
  )
  return lost
}

function explain(dropped: ReadonlyMap<DropReason, number>): string {
  return [...dropped].map(([reason, points]) => `${points} points were dropped (${reason}): ${dropReasons[reason]}`).join(' ')
}

async function answer(reply: FastifyReply, json: boolean, lost: ReadonlyMap<DropReason, number>): Promise<FastifyReply> {
  const rejected = [...lost.values()].reduce((sum, points) => sum + points, 0)
  const partial = { rejectedDataPoints: rejected, errorMessage: explain(lost) }
  if (json) return reply.type('application/json').send(rejected === 0 ? {} : { partialSuccess: { ...partial, rejectedDataPoints: String(rejected) } })
  return reply.type('application/x-protobuf').send(await encode('ExportMetricsServiceResponse', rejected === 0 ? {} : { partialSuccess: partial }))
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw fail('BAD_REQUEST', { message: 'The body is not valid JSON.', why: (error as Error).message.slice(0, 200) })
  }
}
