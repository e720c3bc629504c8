/** Metrics that are kept elsewhere: asked in the name of a team, for queries, objectives and alerts. */
import { fail, isPaviorError } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { systemActor, type Actor } from '../../../kernel/actor.ts'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { WriteNote } from '../../../kernel/audit/notes.ts'
import { authorize } from '../../../kernel/resources/authorize.ts'
import { readableTeams } from '../../../kernel/resources/index.ts'
import { refusalOf } from '../query/answers.ts'
import { formOf, one, parametersOf } from '../query/parameters.ts'
import type { QueryResult } from '../query/reads.ts'
import { createAsk, type AskDeps, type MetricSource } from './ask.ts'
import { metricSource } from './kinds.ts'
import { handedOn, resultsIn } from './plan.ts'

export { metricSource } from './kinds.ts'

const system = systemActor('metric-sources')
/** Whoever decides every few seconds waits no longer, and is told at once for a while of one that does not answer. */
const patienceMs = 5000
const failingMs = 30_000
const testsPerSecond = 1 / 5
const testBurst = 5
const base = '/prometheus/sources/:source/api/v1'
const paths = ['query', 'query_range', 'series', 'labels', 'metadata'] as const

export interface Sources {
  routes: Routes
  /** Values of one moment. Throws as `Ask` does, and NOT_FOUND. */
  query(team: string, source: string, text: string, at: Date): Promise<QueryResult[]>
}

export function createSources(deps: AskDeps & { audit: WriteNote }): Sources {
  const { resources, clock, audit } = deps
  const ask = createAsk(deps)
  const failing = new Map<string, { untilMs: number; error: unknown }>()
  const tests = new RateLimiter(testsPerSecond, testBurst, clock)

  const query: Sources['query'] = async (team, name, text, at) => {
    const source = await resources.get<MetricSource>(system, { kind: 'MetricSource', namespace: team, name })
    if (!source) throw fail('NOT_FOUND', { message: `There is no MetricSource ${name} in team ${team}.` })
    const key = `${source.metadata.uid}/${source.metadata.generation}`
    const before = failing.get(key)
    if (before && performance.now() < before.untilMs) throw before.error
    try {
      const { body } = await ask(source, { path: 'query', parameters: new URLSearchParams({ query: text, time: String(at.getTime() / 1000) }), mostMs: patienceMs })
      failing.delete(key)
      return resultsIn(name, body)
    } catch (error) {
      if (isPaviorError(error) && error.code === 'SOURCE_FAILED') failing.set(key, { untilMs: performance.now() + failingMs, error })
      throw error
    }
  }

  const routes: Routes = (server: FastifyInstance) => {
    server.register((scope, _options, done) => {
      scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, parsed) => parsed(null, formOf(body as string)))
      scope.setErrorHandler((error, _request, reply) => {
        const refusal = refusalOf(error)
        if (!refusal) throw error
        return reply.code(refusal.http).send(refusal.body)
      })
      const answer = (path: string, behind: (request: FastifyRequest) => string) => async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
        const parameters = parametersOf(request.query, request.body)
        const source = await sourceFor(request.actor, (request.params as { source: string }).source, one(parameters, 'team'))
        const gone = new AbortController()
        reply.raw.on('close', () => gone.abort())
        const { body } = await ask(source, { path: behind(request), parameters: handedOn(path, parameters) }, gone.signal)
        return reply.type('application/json').send(body)
      }
      for (const path of paths) {
        const handle = answer(path, () => path)
        scope.get(`${base}/${path}`, handle)
        scope.post(`${base}/${path}`, handle)
      }
      scope.get(`${base}/label/:label/values`, answer('values', ({ params }) => {
        const { label } = params as { label: string }
        if (!/^[a-zA-Z_]\w{0,199}$/.test(label)) throw fail('QUERY_INVALID', { message: `invalid label name: "${label.slice(0, 100)}"` })
        return `label/${label}/values`
      }))
      done()
    })
    server.post<{ Params: { team: string; name: string } }>('/v1/teams/:team/metricsources/:name/test', async ({ actor, params: { team, name }, id: requestId, ip }) => {
      const found = await resources.mustGet<MetricSource>(actor, { kind: 'MetricSource', namespace: team, name })
      authorize(actor, 'update', metricSource, team, { name, spec: found.spec, next: found.spec })
      const waitSeconds = tests.take(`${team}/${name}`)
      if (waitSeconds !== undefined) throw tooMany(`${name} was tried a moment ago.`, waitSeconds)
      await audit({ actor: actor.name, verb: 'test', kind: 'MetricSource', namespace: team, name, uid: found.metadata.uid, requestId, address: ip, token: actor.token })
      const began = performance.now()
      resultsIn(name, (await ask(found, { path: 'query', parameters: new URLSearchParams({ query: '1' }), afresh: true })).body)
      return { works: true, answer: `It answered in ${Math.round(performance.now() - began)} ms.` }
    })
  }

  /** `team` may be left out where the name says enough. */
  const sourceFor = async (actor: Actor, name: string, team: string | undefined): Promise<MetricSource> => {
    if (actor.app !== undefined) throw fail('FORBIDDEN', { message: 'A token of one app does not reach what a MetricSource shows of others.' })
    if (team !== undefined) return resources.mustGet<MetricSource>(actor, { kind: 'MetricSource', namespace: team, name })
    const { items } = await resources.list<MetricSource>(system, 'MetricSource', undefined, { fields: [{ path: 'metadata.name', operator: '=', value: name }], limit: 100 })
    const readable = readableTeams(actor)
    const [first, ...others] = items.filter(({ metadata }) => readable === undefined || readable.includes(metadata.namespace!))
    if (!first) throw fail('NOT_FOUND', { message: `There is no MetricSource ${name}.` })
    if (others.length > 0) throw fail('QUERY_INVALID', { message: `Several teams have a MetricSource ${name}.`, fix: 'Say which by the parameter team.' })
    return first
  }
  return { routes, query }
}
