/** Traffic of an app as series, once or as it grows, and totals for lists. */
import { fail, type Traffic } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { sendLatest, type OnMore } from '../../../kernel/api/lines.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { readableTeams, type Resources } from '../../../kernel/resources/index.ts'
import { stepFor, trafficOf } from './plan.ts'
import { readTotals, readTraffic, type TrafficQuery } from './store.ts'

const defaultRangeMs = 3600_000
const longestRangeMs = 31 * 24 * 3600_000
const defaultPoints = 180
const mostPoints = 2000
const defaultTotalsMs = 3600_000

interface Params {
  team: string
  app: string
}

interface Search {
  environment?: string
  from?: string
  until?: string
  /** Length of the range, instead of its beginning. */
  minutes?: string
  points?: string
  follow?: string
}

export interface TelemetryRoutesDeps {
  database: Database
  resources: Resources
  defaultEnvironment: (team: string) => string
  onMore: OnMore
  clock: Clock
}

export function telemetryRoutes({ database, resources, defaultEnvironment, onMore, clock }: TelemetryRoutesDeps): Routes {
  const read = async (query: TrafficQuery, points: number): Promise<Traffic> => {
    const [fromMs, untilMs] = [query.from.getTime(), query.until.getTime()]
    return trafficOf(await readTraffic(database, query), { fromMs, untilMs, stepSeconds: stepFor(fromMs, untilMs, points) })
  }

  return (server: FastifyInstance) => {
    server.get<{ Params: Params; Querystring: Search }>('/v1/teams/:team/apps/:app/traffic', async ({ actor, params, query: search }, reply) => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      const range = rangeOf(search, clock.now())
      const points = pointsOf(search.points)
      const ask = (): Promise<Traffic> => {
        // A range without an end goes on to now, and its beginning with it.
        const { from, until } = search.until === undefined ? { from: new Date(clock.now().getTime() - range.lengthMs), until: clock.now() } : range
        return read({ ...params, environment: search.environment ?? defaultEnvironment(params.team), from, until }, points)
      }
      return search.follow === '1' ? sendLatest(reply, ask, onMore) : ask()
    })

    server.get<{ Querystring: { minutes?: string; follow?: string } }>('/v1/traffic', async ({ actor, query }, reply) => {
      const minutes = Number(query.minutes ?? defaultTotalsMs / 60_000)
      if (!(minutes > 0 && minutes <= longestRangeMs / 60_000)) throw fail('BAD_REQUEST', { message: `"${query.minutes}" is not a number of minutes.` })
      const ask = async (): Promise<object> => ({ items: await readTotals(database, readableTeams(actor), new Date(clock.now().getTime() - minutes * 60_000)) })
      return query.follow === '1' ? sendLatest(reply, ask, onMore) : ask()
    })
  }
}

function rangeOf({ from, until, minutes }: Search, now: Date): { from: Date; until: Date; lengthMs: number } {
  const end = until === undefined ? now : timeOf(until)
  const begin = from === undefined ? new Date(end.getTime() - (minutes === undefined ? defaultRangeMs : Number(minutes) * 60_000)) : timeOf(from)
  const lengthMs = end.getTime() - begin.getTime()
  if (!(lengthMs > 0 && lengthMs <= longestRangeMs)) throw fail('BAD_REQUEST', { message: 'The range must be longer than nothing and not longer than 31 days.' })
  return { from: begin, until: end, lengthMs }
}

function timeOf(text: string): Date {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw fail('BAD_REQUEST', { message: `"${text}" is not a time.`, fix: 'Give an ISO 8601 time, for example 2026-01-31T12:00:00Z.' })
  return new Date(ms)
}

function pointsOf(text: string | undefined): number {
  const points = Number(text ?? defaultPoints)
  if (!Number.isInteger(points) || points < 1 || points > mostPoints) throw fail('BAD_REQUEST', { message: `"${text}" is not a number of points from 1 to ${mostPoints}.` })
  return points
}
