/** What machines ask about the server itself: version, health, readiness, metrics. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'
import { flag, type Query } from './query.ts'

export interface Health {
  /** Every check by name, with what is wrong in one sentence, or undefined. */
  checks: { name: string; problem: string | undefined }[]
}

export interface VersionInfo {
  /** Of Pavior, for example 0.1.0. */
  version: string
  /** Git commit, when known. */
  commit?: string
}

export interface SystemRoutesDeps {
  version: VersionInfo
  health: () => Health
  ready: () => Health
  metrics: Registry
  tls?: { cert: string }
}

/** The Kubernetes version whose API conventions are followed; clients switch features on by it. */
const conventions = { major: '1', minor: '32' }

export function addSystemRoutes(app: FastifyInstance, { version, health, ready, metrics, tls }: SystemRoutesDeps): void {
  const config = { public: true, unlimited: true }
  const document = {
    ...conventions,
    gitVersion: `v${conventions.major}.${conventions.minor}.0+pavior.${version.version}`,
    gitCommit: version.commit ?? '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: `node ${process.version}`,
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    version: version.version,
    pavior: version.version,
    ...(version.commit ? { commit: version.commit } : {}),
    node: process.version,
  }
  app.get('/version', { config }, (_request, reply) => reply.type('application/json').send(JSON.stringify(document)))
  for (const url of ['/healthz', '/livez']) app.get(url, { config }, (request, reply) => sendHealth(request, reply, url.slice(1), health()))
  app.get('/readyz', { config }, (request, reply) => sendHealth(request, reply, 'readyz', ready()))
  // What `pavior kubeconfig` tells kubectl to trust; nothing about it is secret.
  if (tls)
    app.get('/v1/certificate', { config }, (_request, reply) =>
      reply.type('application/json').send(JSON.stringify({ certificate: tls.cert })),
    )
  app.get('/metrics', { config }, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
}

function sendHealth(request: FastifyRequest, reply: FastifyReply, name: string, { checks }: Health): FastifyReply {
  const failed = checks.filter(({ problem }) => problem !== undefined)
  reply
    .code(failed.length === 0 ? 200 : 503)
    .header('cache-control', 'no-store')
    .type('text/plain; charset=utf-8')
  if (failed.length === 0 && !flag(request.query as Query, 'verbose')) return reply.send('ok')
  const lines = checks.map(({ name: check, problem }) => (problem === undefined ? `[+]${check} ok` : `[-]${check} failed: ${problem}`))
  return reply.send([...lines, `${name} check ${failed.length === 0 ? 'passed' : 'failed'}`, ''].join('\n'))
}
