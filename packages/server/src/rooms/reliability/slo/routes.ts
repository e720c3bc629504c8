/** What an objective tells beyond its resource: its budget over time, who burned it, and OpenSLO in and out. */
import { fail, type SloBurns, type SloHistory } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Slo } from './evaluate.ts'
import { explain } from './explain.ts'
import { historyOf } from './history.ts'
import { exportSlos, importSlos, type Place } from './openslo.ts'
import { ruleOf } from './plan.ts'
import { badMinutes, readHours, readSums } from './store.ts'
import { defaultWindow, hourMinutes, windowMinutes, windowStart } from './window.ts'

const minuteMs = 60_000
const mostDays = 92
const importBytes = 262_144

interface Params {
  team: string
  name: string
}

export interface SloRoutesDeps {
  database: Database
  resources: Resources
  clock: Clock
}

export function sloRoutes({ database, resources, clock }: SloRoutesDeps): Routes {
  const present = (): number => Math.floor(clock.now().getTime() / minuteMs)
  return (server: FastifyInstance) => {
    server.get<{ Params: Params }>('/v1/teams/:team/slos/:name/burned', async ({ actor, params }): Promise<SloBurns> => {
      const slo = await resources.mustGet<Slo>(actor, { kind: 'Slo', namespace: params.team, name: params.name })
      if (slo.spec.composite) throw madeOfOthers(slo, 'burned')
      const { method, sliceMinutes } = ruleOf(slo.spec)
      const minutes = await badMinutes(database, slo.metadata.uid, windowStart(slo.spec.window ?? defaultWindow, present()), present() + 1)
      return explain(minutes, slo.status?.budget?.total ?? 0, { byEvents: method === 'Occurrences', sliceMinutes })
    })

    server.get<{ Params: Params; Querystring: { days?: string } }>('/v1/teams/:team/slos/:name/history', async ({ actor, params, query }): Promise<SloHistory> => {
      const slo = await resources.mustGet<Slo>(actor, { kind: 'Slo', namespace: params.team, name: params.name })
      if (slo.spec.composite) throw madeOfOthers(slo, 'history')
      const days = Number(query.days ?? Math.ceil(windowMinutes(slo.spec.window ?? defaultWindow) / 1440))
      if (!Number.isInteger(days) || days < 1 || days > mostDays) throw fail('BAD_REQUEST', { message: `"${query.days}" is not a number of days from 1 to ${mostDays}.` })
      const from = Math.floor((present() - days * 1440) / hourMinutes) * hourMinutes
      // The first steps look back a whole window too.
      const hours = await readHours(database, slo.metadata.uid, from - windowMinutes(slo.spec.window ?? defaultWindow), present() + 1)
      const begin = (await readSums(database, [slo.metadata.uid])).get(slo.metadata.uid)?.begin ?? present()
      return historyOf(slo.spec, hours, { from, until: present(), begin })
    })

    server.post<{ Params: { team: string }; Body: { text?: unknown; dryRun?: boolean } & Place }>('/v1/teams/:team/slos/import', { bodyLimit: importBytes }, async ({ actor, params, body }) => {
      if (typeof body?.text !== 'string') throw fail('BAD_REQUEST', { message: 'Give OpenSLO documents as text.' })
      const drafts = importSlos(body.text, body)
      // All or none.
      return database.transaction(async (tx) => {
        const items = []
        for (const { name, labels, spec } of drafts) {
          const key = { kind: 'Slo', namespace: params.team, name }
          items.push(await resources.mutate<Slo>(actor, key, (current) => ({ ...current, metadata: { ...(current as Slo | undefined)?.metadata, name, ...(labels ? { labels } : {}) }, spec }), { upsert: true, dryRun: body.dryRun === true, tx }))
        }
        return { items }
      })
    })

    server.get<{ Params: { team: string }; Querystring: { name?: string } }>('/v1/teams/:team/slos/export', async ({ actor, params, query }) => {
      const slos = query.name === undefined ? await resources.listAll<Slo>(actor, 'Slo', params.team) : [await resources.mustGet<Slo>(actor, { kind: 'Slo', namespace: params.team, name: query.name })]
      return exportSlos(slos)
    })
  }
}

function madeOfOthers({ metadata, spec }: Slo, what: string): Error {
  const first = spec.composite![0]!.slo
  return fail('BAD_REQUEST', { message: `${metadata.name} is made of others and counts nothing itself.`, fix: `Ask its parts, for example pavior slo ${what === 'burned' ? 'who-burned' : 'history'} ${first}.` })
}
