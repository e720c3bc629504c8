/**
 * Ways in of telemetry over HTTP. Who sends, how much at once, unpacking and reading are the same for every kind of it;
 * a signal (metrics, logs, traces) only says what its messages are called and takes what is in them.
 */
import { fail, isPaviorError } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { ByteBudget } from './budget.ts'
import { ownerOf, type Owner, type OwnerDeps } from './owner.ts'
import { decode, encode, type MessageName } from './protobuf.ts'
import { unpack } from './unpack.ts'
import { resourcesOf } from './values.ts'

/** `OTEL_EXPORTER_OTLP_ENDPOINT`; SDKs put `/v1/<signal>` behind it. */
export const otlpPath = '/v1/otlp'
/** Packed; unpacked it may be larger by this factor. */
const unpackedFactor = 4
/** So many of the largest requests may be under way at once: of one sender, and of all. */
const largestOfOne = 2
const largestAtOnce = 8
const failedSignInsPerSecond = 1
const failedSignInBurst = 20

/** What one resource sent, and whose it is. `content` was read from JSON or protobuf, and may be anything. */
export interface OwnedResource {
  owner: Owner
  attributes: Map<string, string>
  content: unknown
}

/** How many were not taken, and why, in sentences. */
export interface Rejected {
  count: number
  why: string
}

export interface Signal {
  /** Its part of the path. */
  name: 'metrics' | 'logs' | 'traces'
  request: MessageName
  response: MessageName
  /** The list of resources in the request. */
  list: string
  /** The count in the answer's `partialSuccess`. */
  rejected: string
  /** Resolves when everything that was taken is on disk. Throws what the whole request is refused for. */
  take(resources: OwnedResource[]): Promise<Rejected>
}

/** What other ways in share with the signals. */
export interface IntakeTools {
  /** Options of a route. */
  config: { public: true; unlimited: true; maxBodyBytes: number }
  /** The body as it was before it was packed. */
  unpacked(request: FastifyRequest): Promise<Buffer>
  ownerOf(request: FastifyRequest, attributes: ReadonlyMap<string, string>): Promise<Owner>
}

export type WayIn = (scope: FastifyInstance, tools: IntakeTools) => void

export interface IntakeDeps extends OwnerDeps {
  signals: Signal[]
  /** Beside OTLP. */
  others: WayIn[]
  /** Largest body of one request, packed. */
  bodyBytes: number
  clock: Clock
}

/** A scope of its own, because bodies stay bytes here and tokens of apps are taken. */
export function intakeRoutes(deps: IntakeDeps): Routes {
  const { signals, others, bodyBytes } = deps
  const tools: IntakeTools = {
    // Many apps send from one address, and each has limits of its own.
    config: { public: true, unlimited: true, maxBodyBytes: bodyBytes },
    unpacked: ({ body, headers }) => unpack((body as Buffer | undefined) ?? Buffer.alloc(0), headers['content-encoding'], bodyBytes * unpackedFactor),
    ownerOf: (request, attributes) => ownerOf(request, attributes, deps),
  }
  return (server: FastifyInstance) => {
    server.register((scope, _options, done) => {
      scope.removeContentTypeParser(['application/json'])
      scope.addContentTypeParser(['application/json', 'application/x-protobuf'], { parseAs: 'buffer' }, (_request, body, next) => next(null, body))
      scope.addHook('onRequest', identifier(deps))
      scope.addHook('onRequest', budgeter(bodyBytes))
      for (const signal of signals) addSignal(scope, signal, tools)
      for (const add of others) add(scope, tools)
      done()
    })
  }
}

function addSignal(scope: FastifyInstance, signal: Signal, tools: IntakeTools): void {
  scope.post(`${otlpPath}/v1/${signal.name}`, { config: tools.config }, async (request, reply) => {
    const json = /^application\/json\b/.test(request.headers['content-type'] ?? '')
    const body = await tools.unpacked(request)
    const message = json ? parseJson(body) : await decode(signal.request, body)
    const resources = await Promise.all(
      resourcesOf(message, signal.list).map(async ({ content, attributes }) => ({ content, attributes, owner: await tools.ownerOf(request, attributes) })),
    )
    return answer(reply, json, signal, await signal.take(resources))
  })
}

async function answer(reply: FastifyReply, json: boolean, { response, rejected }: Signal, { count, why }: Rejected): Promise<FastifyReply> {
  // 64-bit numbers are text in JSON.
  if (json) return reply.type('application/json').send(count === 0 ? {} : { partialSuccess: { [rejected]: String(count), errorMessage: why } })
  return reply.type('application/x-protobuf').send(await encode(response, count === 0 ? {} : { partialSuccess: { [rejected]: count, errorMessage: why } }))
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw fail('BAD_REQUEST', { message: 'The body is not valid JSON.', why: (error as Error).message.slice(0, 200) })
  }
}

function identifier({ senders, clock }: IntakeDeps): (request: FastifyRequest) => Promise<void> {
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
