/** Traces of an app, one of them whole, and everything about one request. */
import { fail, type TraceSummary } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { readableTeams, type Resources } from '../../../kernel/resources/index.ts'
import { findTraces } from './store.ts'
import { traceOf, why, type WhyDeps } from './why.ts'

const usualMinutes = 30
const longestDays = 60
const usualLimit = 50
const largestLimit = 500
const longestName = 200
const longestId = 128

interface Search {
  environment?: string
  release?: string
  from?: string
  until?: string
  least?: string
  failed?: string
  name?: string
  limit?: string
}

export function traceRoutes(deps: WhyDeps & { resources: Resources; clock: Clock }): Routes {
  const { database, resources, clock } = deps
  return (server: FastifyInstance) => {
    server.get<{ Params: { team: string; app: string }; Querystring: Search }>('/v1/teams/:team/apps/:app/traces', async ({ actor, params, query }): Promise<{ items: TraceSummary[] }> => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      return { items: await findTraces(database, { ...params, ...searchOf(query, clock.now()) }, readableTeams(actor)) }
    })

    server.get<{ Params: { id: string } }>('/v1/traces/:id', async ({ actor, params }) => {
      const trace = await traceOf(database, params.id.toLowerCase().slice(0, longestId), readableTeams(actor))
      if (trace.spans.length === 0) throw fail('NOT_FOUND', { message: `There is no trace ${params.id.slice(0, longestId)}.`, why: 'Traces without an error that were not slow are kept for some minutes only, but for a share of them.' })
      return trace
    })

    server.get<{ Params: { id: string } }>('/v1/why/:id', async ({ actor, params }) => why(deps, actor, params.id.slice(0, longestId)))
  }
}

function searchOf({ environment, release, from, until, least, failed, name, limit }: Search, now: Date): Omit<Parameters<typeof findTraces>[1], 'team' | 'app'> {
  const end = timeOf('until', until, now)
  const begin = timeOf('from', from, new Date(end.getTime() - usualMinutes * 60_000))
  if (!(begin < end) || end.getTime() - begin.getTime() > longestDays * 86_400_000) throw fail('BAD_REQUEST', { message: `The time to look at has to begin before it ends, and to be no longer than ${longestDays} days.` })
  return {
    from: begin,
    until: end,
    limit: Math.min(largestLimit, numberOf('limit', limit) ?? usualLimit),
    ...(environment === undefined ? {} : { environment }),
    ...(release === undefined ? {} : { release: numberOf('release', release)! }),
    ...(least === undefined ? {} : { leastMs: numberOf('least', least)! }),
    ...(failed === undefined ? {} : { failed: failed !== '0' && failed !== 'false' }),
    ...(name === undefined ? {} : { name: name.slice(0, longestName) }),
  }
}

function timeOf(parameter: string, given: string | undefined, usual: Date): Date {
  if (given === undefined) return usual
  const at = new Date(given)
  if (Number.isNaN(at.getTime())) throw fail('BAD_REQUEST', { message: `${parameter} is no time such as 2026-01-31T12:00:00Z.` })
  return at
}

function numberOf(parameter: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (!/^[0-9]{1,9}$/.test(given)) throw fail('BAD_REQUEST', { message: `${parameter} is no whole number.` })
  return Number(given)
}
