/** Shifts of a schedule over a time, for people and for calendars. */
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { calendarOf } from './calendar.ts'
import { shiftsOf } from './plan.ts'
import { shown, type OnCallSchedule } from './reconcile.ts'

const dayMs = 24 * 3600_000
const usualDays = 28
const longestDays = 100
/** What a calendar shows of the past. */
const calendarPastDays = 7
const longestTurnDays = 60

interface Params {
  team: string
  name: string
}

export function onCallRoutes({ resources, clock }: { resources: Resources; clock: Clock }): Routes {
  return (server: FastifyInstance) => {
    server.get<{ Params: Params; Querystring: { from?: string; days?: string; layer?: string } }>('/v1/teams/:team/oncall/:name/shifts', async ({ actor, params, query }) => {
      const { spec } = await resources.mustGet<OnCallSchedule>(actor, keyOf(params))
      const from = query.from === undefined ? clock.now().getTime() : Date.parse(query.from)
      const days = Number(query.days ?? usualDays)
      if (Number.isNaN(from) || !(days > 0 && days <= longestDays)) throw fail('BAD_REQUEST', { message: `Shifts are told of at most ${longestDays} days, from a time such as 2026-01-31T12:00:00Z.` })
      const asked = query.layer === undefined ? spec : layerOf(spec, query.layer)
      return { items: shiftsOf(asked, from, from + days * dayMs).map((shift) => ({ ...shown(shift), ...(shift.user === undefined ? { nobody: true } : {}) })) }
    })

    server.get<{ Params: Params }>('/v1/teams/:team/oncall/:name/calendar.ics', async ({ actor, params }, reply) => {
      const { spec } = await resources.mustGet<OnCallSchedule>(actor, keyOf(params))
      const now = clock.now()
      const since = now.getTime() - calendarPastDays * dayMs
      // From longer ago, so that a turn has the beginning that it had yesterday.
      const shifts = shiftsOf(spec, since - longestTurnDays * dayMs, now.getTime() + longestDays * dayMs).filter(({ untilMs }) => untilMs > since)
      return reply.type('text/calendar; charset=utf-8').send(calendarOf(params, shifts, now))
    })
  }
}

/** One layer alone, as if there were no others and nobody stood in. */
function layerOf({ overrides: _, ...spec }: OnCallSchedule['spec'], name: string): OnCallSchedule['spec'] {
  const layers = spec.layers.filter((layer) => layer.name === name)
  if (layers.length === 0) throw fail('BAD_REQUEST', { message: `The schedule has no layer "${name}".` })
  return { ...spec, layers }
}

function keyOf({ team, name }: Params): { kind: string; namespace: string; name: string } {
  return { kind: 'OnCallSchedule', namespace: team, name }
}
