/** An app's log over HTTP: as lines, in pages, and counted. */
import { fail, logLevels, type LogHistogram, type LogLevel, type LogPage } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { sendLines } from '../../../kernel/api/lines.ts'
import { flag, parameter, wholeNumber, type Query } from '../../../kernel/api/query.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { InstanceLogs, LoggingInstance } from '../ports.ts'
import { readLog, type FollowDeps } from './follow.ts'
import { levelNumber, traceIdOf } from './line.ts'
import { searchOf, type LogSearch } from './reads.ts'

const defaultTail = 100
/** Also of everything since a time. */
const largestTail = 20_000
const defaultPage = 200
const largestPage = 1000
const histogramMs = 3600_000
/** Lines of a clock that is a little ahead are there too. */
const aheadMs = 120_000
/** Longer than anybody follows. */
const endlessMs = 365 * 24 * 3600_000

interface AppParams {
  team: string
  app: string
}

interface Asked {
  Params: AppParams
  Querystring: Query
}

export interface LogRoutesDeps extends FollowDeps {
  resources: Pick<Resources, 'mustGet'>
  instanceLogs: InstanceLogs
}

export function logRoutes(deps: LogRoutesDeps): Routes {
  const { resources, reads, instanceLogs, clock } = deps
  return (server: FastifyInstance) => {
    server.get<Asked>('/v1/teams/:team/apps/:app/logs', async ({ actor, params, query }, reply) => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      const search = searchIn(params, query, clock.now().getTime())
      const instances = await instanceLogs.of(actor, params)
      const limit = Math.min(wholeNumber(query, 'tail') ?? (search.fromMs > 0 ? largestTail : defaultTail), largestTail)
      const reading = { search, limit, follow: flag(query, 'follow'), instances: () => instances().filter((one) => fits(one, search)) }
      // What is followed has no end.
      if (reading.follow) search.untilMs = clock.now().getTime() + endlessMs
      return sendLines(reply, (write, signal) => readLog(deps, reading, write, signal))
    })

    server.get<Asked>('/v1/teams/:team/apps/:app/logs/page', async ({ actor, params, query }): Promise<LogPage> => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      return reads.lines(searchIn(params, query, clock.now().getTime()), Math.min(wholeNumber(query, 'limit') ?? defaultPage, largestPage), parameter(query, 'before'))
    })

    server.get<Asked>('/v1/teams/:team/apps/:app/logs/histogram', async ({ actor, params, query }): Promise<LogHistogram> => {
      await resources.mustGet(actor, { kind: 'App', namespace: params.team, name: params.app })
      const nowMs = clock.now().getTime()
      const search = searchIn(params, query, nowMs)
      if (search.pattern) throw fail('BAD_REQUEST', { message: 'Lines that match a pattern are not counted.', fix: 'Search for a plain text, or leave the histogram out.' })
      const untilMs = parameter(query, 'until') === undefined ? nowMs : search.untilMs
      const step = wholeNumber(query, 'stepSeconds')
      return reads.histogram({ ...search, untilMs, fromMs: search.fromMs || untilMs - histogramMs }, step === undefined ? undefined : step * 1000)
    })
  }
}

function fits({ id, process, environment, release }: LoggingInstance, search: LogSearch): boolean {
  return (search.release === undefined || release === search.release) && (search.process === undefined || process === search.process) && (search.instance === undefined || id === search.instance) && (search.environment === undefined || environment === search.environment)
}

/** Throws BAD_REQUEST for what cannot be understood. */
export function searchIn({ team, app }: AppParams, query: Query, nowMs: number): LogSearch {
  const given = <K extends string>(name: K): Partial<Record<K, string>> => {
    const value = parameter(query, name)
    return (value === undefined ? {} : { [name]: value }) as Partial<Record<K, string>>
  }
  const trace = parameter(query, 'traceId')
  const traceId = traceIdOf(trace)
  if (trace !== undefined && traceId === undefined) throw fail('BAD_REQUEST', { message: 'traceId must have 32 hexadecimal digits.' })
  const release = releaseIn(query)
  return {
    team,
    app,
    fromMs: timeIn(query, 'since') ?? 0,
    untilMs: timeIn(query, 'until') ?? nowMs + aheadMs,
    ...given('environment'),
    ...given('process'),
    ...given('instance'),
    ...given('requestId'),
    ...(traceId === undefined ? {} : { traceId }),
    ...(release === undefined ? {} : { release }),
    level: levelNumber(levelIn(query)),
    ...searchOf(parameter(query, 'grep')),
  }
}

function timeIn(query: Query, name: string): number | undefined {
  const text = parameter(query, name)
  const timeMs = text === undefined ? undefined : Date.parse(text)
  if (Number.isNaN(timeMs)) throw fail('BAD_REQUEST', { message: `"${text!.slice(0, 40)}" is not a time.`, fix: 'Give an ISO 8601 time, for example 2026-01-31T12:00:00Z.' })
  return timeMs
}

function levelIn(query: Query): LogLevel | undefined {
  const text = parameter(query, 'level')
  if (text !== undefined && !logLevels.includes(text as LogLevel)) throw fail('BAD_REQUEST', { message: `"${text.slice(0, 40)}" is not a level.`, fix: `Use one of: ${logLevels.join(', ')}.` })
  return text as LogLevel | undefined
}

function releaseIn(query: Query): number | undefined {
  const text = parameter(query, 'release')
  if (text === undefined) return undefined
  const number = /^v?(\d{1,9})$/.exec(text)?.[1]
  if (number === undefined) throw fail('BAD_REQUEST', { message: `"${text.slice(0, 40)}" is not a release.`, fix: 'Give its number, for example v24.' })
  return Number(number)
}
