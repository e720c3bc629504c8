/** Questions about policies, and decisions on exceptions. */
import { fail, type Deviation, type PolicySpec, type QuotaSpec, type Resource, type TeamQuota } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { mayAct, readableTeams } from '../../kernel/resources/index.ts'
import { decide, requestedBy, type ExceptionDeps } from './exceptions.ts'
import { tryFixtures } from './fixtures.ts'
import { policyException } from './kinds.ts'
import { countFindings, listDecisions, listFindings } from './store.ts'
import type { Quotas } from './quotas/check.ts'
import type { Sweep } from './sweep.ts'

const mostRows = 1000
const system = systemActor('policy')

export interface PolicyRoutesDeps extends ExceptionDeps {
  database: Database
  sweep: Sweep
  quotas: Quotas
  clock: Clock
}

interface Filter {
  team?: string
  app?: string
  policy?: string
  kind?: string
  name?: string
}

interface ExceptionParams {
  team: string
  name: string
}

export function policyRoutes(deps: PolicyRoutesDeps): Routes {
  const { database, engine, sweep, quotas, resources } = deps
  const teamsOf = (actor: Actor): string[] | undefined => readableTeams(actor)

  return (server: FastifyInstance) => {
    server.get<{ Querystring: Filter }>('/v1/policy/findings', async ({ actor, query }) => ({ items: await listFindings(database, teamsOf(actor), query, mostRows), counts: await countFindings(database, teamsOf(actor)) }))

    server.get<{ Querystring: Filter }>('/v1/policy/decisions', async ({ actor, query }) => ({ items: await listDecisions(database, teamsOf(actor), query, mostRows) }))

    server.get('/v1/policy/deviations', async ({ actor }) => ({ items: deviationsOf(deps, teamsOf(actor)) }))

    server.post<{ Body: { name?: string; spec?: PolicySpec } | undefined }>('/v1/policy/impact', async ({ actor, body }) => {
      const { name = 'draft', spec } = body ?? {}
      if (!Array.isArray(spec?.rules) || !Array.isArray(spec.match?.kinds)) throw fail('BAD_REQUEST', { message: 'The impact of a policy needs its { "name", "spec" }.' })
      return sweep.impact(teamsOf(actor), name, spec)
    })

    server.post<{ Body: { name?: string; spec?: PolicySpec; fixtures?: unknown } | undefined }>('/v1/policy/test', async ({ body }) => {
      const { name = 'draft', spec, fixtures } = body ?? {}
      if (!Array.isArray(spec?.rules)) throw fail('BAD_REQUEST', { message: 'A test of a policy needs { "name", "spec", "fixtures" }.' })
      return { items: tryFixtures(name, spec, fixtures) }
    })

    for (const [verb, phase] of [['grant', 'Granted'], ['deny', 'Denied']] as const) {
      server.post<{ Params: ExceptionParams; Body: { note?: string } | undefined }>(`/v1/teams/:team/exceptions/:name/${verb}`, async ({ actor, params, body }) => {
        const note = body?.note
        if (note !== undefined && (typeof note !== 'string' || note.length > 1000)) throw fail('BAD_REQUEST', { message: 'note must be a text of at most 1000 characters.' })
        return decide(deps, actor, params.team, params.name, phase, note)
      })
    }

    server.get<{ Params: { team: string } }>('/v1/teams/:team/quota', async ({ actor, params: { team } }) => {
      if (readableTeams(actor)?.includes(team) === false) throw fail('FORBIDDEN', { message: `${actor.name} may not see what team ${team} uses.`, fix: `Ask an administrator of team ${team} for a role in it.` })
      await resources.mustGet(actor, { kind: 'Team', namespace: '', name: team })
      const limits = await resources.get<Resource<QuotaSpec>>(actor, { kind: 'Quota', namespace: '', name: team })
      return { team, limits: limits?.spec ?? {}, used: await quotas.useOf(team) } satisfies TeamQuota
    })

    server.get('/v1/quotas', async ({ actor }): Promise<{ items: TeamQuota[] }> => {
      const teams = (await resources.listAll(system, 'Team')).map(({ metadata }) => metadata.name).filter((team) => readableTeams(actor)?.includes(team) ?? true)
      const limits = new Map((await resources.listAll<Resource<QuotaSpec>>(system, 'Quota')).map(({ metadata, spec }) => [metadata.name, spec]))
      const items: TeamQuota[] = []
      for (const team of teams) items.push({ team, limits: limits.get(team) ?? {}, used: await quotas.useOf(team) })
      return { items }
    })

    server.get<{ Querystring: { team?: string } }>('/v1/policy/exceptions', async ({ actor, query }) => {
      const teams = teamsOf(actor)
      const items = engine.exceptions().filter(({ metadata }) => (teams === undefined || teams.includes(metadata.namespace!)) && (query.team === undefined || query.team === metadata.namespace))
      return { items: items.map((exception) => ({ ...exception, requestedBy: exception.metadata.annotations?.[requestedBy], mayDecide: mayDecide(actor, exception) })) }
    })
  }
}

function mayDecide(actor: Actor, { metadata, status }: Resource<unknown, { phase?: string }>): boolean {
  if ((status?.phase ?? 'Requested') !== 'Requested') return false
  return actor.admin || (actor.kind === 'user' && mayAct(actor, 'approve', policyException, metadata.namespace!, { name: metadata.name }) && metadata.annotations?.[requestedBy] !== actor.name)
}

const soonMs = 7 * 24 * 3600_000

/** For leadership: how many exceptions every team lives with. */
function deviationsOf({ engine, clock }: PolicyRoutesDeps, teams: string[] | undefined): Deviation[] {
  const now = clock.now().getTime()
  const byTeam = new Map<string, Deviation>()
  for (const { metadata, spec, status } of engine.exceptions()) {
    const team = metadata.namespace!
    if (teams && !teams.includes(team)) continue
    const row = byTeam.get(team) ?? { team, granted: 0, requested: 0, expired: 0, endSoon: 0, policies: [] }
    const phase = Date.parse(spec.expiresAt) <= now ? 'Expired' : status?.phase ?? 'Requested'
    if (phase === 'Granted') {
      row.granted += 1
      if (Date.parse(spec.expiresAt) - now < soonMs) row.endSoon += 1
      if (!row.policies.includes(spec.policy)) row.policies.push(spec.policy)
    }
    if (phase === 'Requested') row.requested += 1
    if (phase === 'Expired') row.expired += 1
    byTeam.set(team, row)
  }
  return [...byTeam.values()].toSorted((one, other) => other.granted - one.granted || (one.team < other.team ? -1 : 1))
}
