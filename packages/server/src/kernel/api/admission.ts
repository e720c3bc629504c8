/** The door of every request: who sends it, and whether that one sends too much. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { hasCode } from '../errors.ts'
import { ConcurrencyLimiter, RateLimiter, tooMany, type ApiLimits } from './limits.ts'
import type { OpenStreams } from './open-streams.ts'
import { flag, type Query } from './query.ts'
import type { Authenticate } from './types.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Not counted against the caller's limits. */
    unlimited?: boolean
  }
}

export function addAdmission(
  app: FastifyInstance,
  { authenticate, limits, clock, streams }: { authenticate: Authenticate; limits: ApiLimits; clock: Clock; streams: OpenStreams | undefined },
): void {
  const rates = new RateLimiter(limits.requestsPerSecond, limits.requestBurst, clock)
  const failures = new RateLimiter(limits.failedSignInsPerSecond, limits.failedSignInBurst, clock)
  const requests = new ConcurrencyLimiter(limits.concurrentRequests)
  const watches = new ConcurrencyLimiter(limits.concurrentWatches)

  const identify = async (request: FastifyRequest): Promise<void> => {
    try {
      request.actor = { ...(await authenticate(request)), requestId: request.id, address: request.ip, ...reasonOf(request) }
    } catch (error) {
      const guessed = hasCode(error, 'UNAUTHENTICATED') && request.headers.authorization !== undefined
      const wait = guessed ? failures.take(request.ip) : undefined
      if (wait !== undefined) throw tooMany('Too many requests with tokens that are not valid came from this address.', wait)
      throw error
    }
  }

  app.decorateRequest('actor')
  app.addHook('onRequest', async (request, reply) => {
    const { config } = request.routeOptions
    if (request.is404 || config.unlimited) return
    if (!config.public) await identify(request)
    const caller = request.actor?.name ?? request.ip
    const wait = rates.take(caller)
    if (wait !== undefined) throw tooMany(`${caller} sends more than ${limits.requestsPerSecond} requests a second.`, wait)
    const leave = (isWatch(request) ? watches : requests).enter(caller)
    if (!leave) throw tooMany(`${caller} has too many requests running at once.`, 1)
    const forget = request.actor ? streams?.add(request, reply) : undefined
    reply.raw.once('close', () => {
      leave()
      forget?.()
    })
  })
}

const longestReason = 500

/** Why somebody does it, from the header `Pavior-Reason`. */
function reasonOf({ headers }: FastifyRequest): { reason?: string } {
  const given = headers['pavior-reason']
  if (typeof given !== 'string' || given.trim() === '') return {}
  return { reason: decodeHeader(given).trim().slice(0, longestReason) }
}

/** Headers carry only ASCII, so other letters come percent-encoded. */
function decodeHeader(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function isWatch({ method, query }: FastifyRequest): boolean {
  return method === 'GET' && flag(query as Query, 'watch')
}
