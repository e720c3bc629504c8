/** What scorecards say: of one app, of all apps, over time. */
import { fail, type AppSpec, type AppStatus, type Resource, type RuleFix } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import { sendLatest } from '../../../kernel/api/lines.ts'
import { flag, type Query } from '../../../kernel/api/query.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { News } from '../../../kernel/db/index.ts'
import { readableTeams } from '../../../kernel/resources/index.ts'
import { fixRule, withFixes, type FixDeps } from '../fixes/commands.ts'
import type { Facts } from './plan.ts'
import type { ScorecardDeps } from './reconcile.ts'
import { readFacts } from './reconcile.ts'
import { resultsOfApp, resultsOfCard, trendOf } from './store.ts'

const mostApps = 1000
const defaultDays = 90
const mostDays = 366

interface AppParams {
  team: string
  app: string
}

export function scorecardRoutes(deps: ScorecardDeps, fixes: FixDeps, onMore: News['onMore']): Routes {
  const { database, resources } = deps
  const teamsOf = (actor: Actor): string[] | undefined => readableTeams(actor)

  return (server: FastifyInstance) => {
    server.get<{ Params: AppParams; Querystring: Query }>('/v1/teams/:team/apps/:app/scorecards', async ({ actor, params: { team, app }, query }, reply) => {
      await resources.mustGet(actor, { kind: 'App', namespace: team, name: app })
      const read = async (): Promise<object> => {
        const items = await resultsOfApp(database, team, app)
        return { items: await Promise.all(items.map(async (item) => ({ ...item, rules: await withFixes(fixes, team, app, item.rules) }))) }
      }
      const ofApp = (listener: () => void): (() => void) => onMore((about) => (about === undefined || about === `${team}/${app}`) && listener())
      return flag(query, 'follow') ? sendLatest(reply, read, ofApp) : read()
    })

    server.post<{ Params: AppParams & { scorecard: string; rule: string }; Querystring: { dryRun?: string } }>('/v1/teams/:team/apps/:app/scorecards/:scorecard/rules/:rule/fix', async ({ actor, params, query, signal }): Promise<RuleFix> => {
      const { team, app, scorecard } = params
      await resources.mustGet(actor, { kind: 'App', namespace: team, name: app })
      const rule = (await resultsOfApp(database, team, app)).find((one) => one.scorecard === scorecard)?.rules.find((one) => one.rule === params.rule)
      if (!rule) throw fail('NOT_FOUND', { message: `No scorecard "${scorecard}" measures "${app}" by a rule "${params.rule}".`, fix: `See them: pavior scorecard ${app}` })
      return fixRule(fixes, actor, { team, app, scorecard, rule, dryRun: query.dryRun === 'All' }, signal)
    })

    server.get<{ Params: AppParams }>('/v1/teams/:team/apps/:app/facts', async ({ actor, params }): Promise<Facts> => {
      const app = await resources.mustGet<Resource<AppSpec, AppStatus>>(actor, { kind: 'App', namespace: params.team, name: params.app })
      return readFacts(deps, app)
    })

    server.get<{ Params: { name: string } }>('/v1/scorecards/:name/results', async ({ actor, params }) => {
      await resources.mustGet(actor, { kind: 'Scorecard', namespace: '', name: params.name })
      return { items: await resultsOfCard(database, params.name, teamsOf(actor), mostApps) }
    })

    server.get<{ Params: { name: string }; Querystring: { days?: string } }>('/v1/scorecards/:name/trend', async ({ actor, params, query }) => {
      await resources.mustGet(actor, { kind: 'Scorecard', namespace: '', name: params.name })
      const days = Number(query.days ?? defaultDays)
      if (!Number.isInteger(days) || days < 1 || days > mostDays) throw fail('BAD_REQUEST', { message: `days must be a whole number from 1 to ${mostDays}.` })
      return { items: await trendOf(database, params.name, teamsOf(actor), days) }
    })
  }
}
