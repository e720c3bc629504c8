/** Request ids, access log, latency metrics. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Logger } from '../log.ts'
import type { Watches } from './watch.ts'

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The caller's `X-Request-Id` when it is a plain word, otherwise a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

export function addObservation(
  app: FastifyInstance,
  { metrics, log, watches }: { metrics: Registry; log: Logger; watches: Watches },
): void {
  const seconds = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of requests by method, route and status class. Watches count until their first answer.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: secondsBuckets,
    registers: [metrics],
  })
  const watching: Gauge = new Gauge({
    name: 'pavior_api_watches',
    help: 'Watches that are open.',
    registers: [metrics],
    collect: () => watching.set(watches.count),
  })

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply
    const route = request.routeOptions.url ?? 'none'
    const elapsedMs = reply.elapsedTime
    seconds.observe({ method: request.method, route, status: `${Math.floor(statusCode / 100)}xx` }, elapsedMs / 1000)
    // Reads that went well are many and say little.
    const level =
      statusCode >= 500 ? 'error' : statusCode >= 400 || (request.method !== 'GET' && request.method !== 'HEAD') ? 'info' : 'debug'
    if (log.isLevelEnabled(level)) {
      const { actor } = request
      log[level](
        {
          requestId: request.id,
          method: request.method,
          path: pathOf(request.url),
          status: statusCode,
          ms: Math.round(elapsedMs * 10) / 10,
          ...(actor ? { actor: actor.name } : {}),
          remote: request.ip,
        },
        'request',
      )
    }
    done()
  })
}

/** Queries may hold keys of sign-in links, so the log has none. */
function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}
