/** Prometheus' query API over the metrics of the teams that the caller may read: Grafana, promtool and the portal ask here. */
import { setImmediate } from 'node:timers/promises'
import { Readable } from 'node:stream'
import { fail } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { deadline } from '../../../kernel/deadline.ts'
import { readableTeams } from '../../../kernel/resources/index.ts'
import type { Matcher, Selection, Series, SeriesSource } from '../metrics/series.ts'
import { metricName, type Labels } from '../promql/labels.ts'
import { splitMatchers } from '../promql/matchers.ts'
import type { QueryRequest } from '../promql/query.ts'
import { answerParts, refusalOf } from './answers.ts'
import { federated, lookBackMs } from './federate.ts'
import type { Gate } from './gate.ts'
import { withOwn } from './own.ts'
import { all, durationParameter, formOf, one, parametersOf, timeParameter, type Parameters } from './parameters.ts'

export const queryTimeoutMs = 30_000
/** How far back series and labels are looked for when no start is given. */
export const browsedMs = 3600_000
/** An answer is written in pieces of so many characters, and others have their turn in between. */
const pieceLength = 64 * 1024
/** What clients are told that is answered here: functions and semantics are those of this version. */
const speaks = '2.42.0'

export interface QueryRoutesDeps {
  source: SeriesSource
  gate: Gate
  clock: Clock
  /** Of Pavior. */
  version: string
}

const base = '/prometheus/api/v1'

export function queryRoutes(deps: QueryRoutesDeps): Routes {
  return (server: FastifyInstance) => {
    server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, parsed) => parsed(null, formOf(body as string)))
    server.setErrorHandler((error, _request, reply) => {
      const refusal = refusalOf(error)
      if (!refusal) throw error
      return reply.code(refusal.http).send(refusal.body)
    })
    const both = (path: string, answer: (asked: Asked) => Promise<unknown>): void => {
      const handle = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => answer(askedIn(request, reply))
      server.get(`${base}/${path}`, handle)
      server.post(`${base}/${path}`, handle)
    }
    addQueries(both, deps)
    addBrowsing(both, deps)
    server.get('/prometheus/federate', async (request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await federate(askedIn(request, reply), deps)))
    server.get(`${base}/status/buildinfo`, async () => ({ status: 'success', data: { version: speaks, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '', application: `Pavior ${deps.version}` } }))
  }
}

type Both = (path: string, answer: (asked: Asked) => Promise<unknown>) => void

interface Asked {
  parameters: Parameters
  /** Undefined: all. */
  teams: readonly string[] | undefined
  /** A token of one app sees the series of this one only. */
  app: string | undefined
  /** Ends when the caller is gone, or waits no longer. */
  signal: AbortSignal
  reply: FastifyReply
  name: string
}

function askedIn(request: FastifyRequest, reply: FastifyReply): Asked {
  const parameters = parametersOf(request.query, request.body)
  const timeoutMs = Math.min(durationParameter(parameters, 'timeout') ?? queryTimeoutMs, queryTimeoutMs)
  const gone = new AbortController()
  reply.raw.on('close', () => gone.abort())
  const { name = '' } = request.params as { name?: string }
  return { parameters, teams: teamsOf(request.actor, one(parameters, 'team')), app: request.actor.app, signal: deadline(Math.max(1, timeoutMs), gone.signal).signal, reply, name }
}

/** Whatever is asked for, only of this app. */
function within(source: SeriesSource, app: string | undefined): SeriesSource {
  if (app === undefined) return source
  const only = (selection: Selection): Selection => ({ ...selection, matchers: [...selection.matchers, { name: 'app', op: '=', value: app }] })
  return { ...source, select: (selection, signal) => source.select(only(selection), signal), series: (selection, signal) => source.series(only(selection), signal) }
}

/** `team` asks for one of those that the caller may read. */
function teamsOf(actor: Actor, team: string | undefined): readonly string[] | undefined {
  const readable = readableTeams(actor)
  if (team === undefined) return readable && withOwn(readable)
  return readable === undefined || readable.includes(team) ? withOwn([team]) : []
}

function addQueries(both: Both, { source, gate, clock }: QueryRoutesDeps): void {
  const answer = async ({ parameters, teams, app, signal, reply }: Asked, times: Pick<QueryRequest, 'startMs' | 'endMs' | 'stepMs'>): Promise<unknown> => {
    const text = one(parameters, 'query')
    if (text === undefined) throw fail('QUERY_INVALID', { message: 'invalid parameter "query": it is missing.', fix: 'Give an expression, for example query=up.' })
    // Most servers are never asked: the grammar is loaded by the first who does.
    const { answerQuery } = await import('../promql/query.ts')
    const result = await gate.through(() => answerQuery({ source: within(source, app), now: () => performance.now(), pause: setImmediate }, { text, teams, signal, ...times }), signal)
    return reply.type('application/json').send(Readable.from(pieces(answerParts(result, times.stepMs !== undefined)), { objectMode: false }))
  }
  both('query', (asked) => {
    const atMs = timeParameter(asked.parameters, 'time', clock.now().getTime())
    return answer(asked, { startMs: atMs, endMs: atMs, stepMs: undefined })
  })
  both('query_range', (asked) => {
    const [startMs, endMs, stepMs] = [timeParameter(asked.parameters, 'start'), timeParameter(asked.parameters, 'end'), durationParameter(asked.parameters, 'step')]
    if (stepMs === undefined) throw fail('QUERY_INVALID', { message: 'invalid parameter "step": it is missing.', fix: 'Give seconds, or a duration such as 15s.' })
    return answer(asked, { startMs, endMs, stepMs })
  })
}

async function* pieces(parts: Iterable<string>): AsyncGenerator<string> {
  let piece = ''
  for (const part of parts) {
    piece += part
    if (piece.length < pieceLength) continue
    yield piece
    piece = ''
    await setImmediate()
  }
  yield piece
}

function addBrowsing(both: Both, { source, gate, clock }: QueryRoutesDeps): void {
  const found = async (asked: Asked, isRequired: boolean): Promise<Labels[]> => {
    const { parseSelector } = await import('../promql/parse.ts')
    const selectors = all(asked.parameters, 'match[]').map(parseSelector)
    if (selectors.length === 0 && isRequired) throw fail('QUERY_INVALID', { message: 'no match[] parameter provided', fix: 'Give a selector, for example match[]=up.' })
    return gate.through(() => seriesOf(source, asked, selectors.length === 0 ? [[]] : selectors, clock), asked.signal)
  }
  both('series', async (asked) => ({ status: 'success', data: await found(asked, true) }))
  both('labels', async (asked) => ({ status: 'success', data: [...new Set((await found(asked, false)).flatMap(Object.keys))].sort() }))
  both('label/:name/values', async (asked) => {
    if (!/^[a-zA-Z_][\w]*$/.test(asked.name)) throw fail('QUERY_INVALID', { message: `invalid label name: "${asked.name.slice(0, 100)}"` })
    return { status: 'success', data: [...new Set((await found(asked, false)).flatMap((labels) => labels[asked.name] ?? []))].sort() }
  })
  both('metadata', async ({ parameters, teams }) => {
    const [metric, limit] = [one(parameters, 'metric'), Number(one(parameters, 'limit') ?? Infinity)]
    const known = [...(await source.metadata(teams))].filter(([name]) => metric === undefined || name === metric)
    return { status: 'success', data: Object.fromEntries(known.slice(0, limit > 0 ? limit : undefined).map(([name, each]) => [name, [each]])) }
  })
}

async function federate(asked: Asked, { source, gate, clock }: QueryRoutesDeps): Promise<string> {
  const { parseSelector } = await import('../promql/parse.ts')
  const selectors = all(asked.parameters, 'match[]').map(parseSelector)
  if (selectors.length === 0) throw fail('QUERY_INVALID', { message: 'no match[] parameter provided', fix: 'Give a selector, for example match[]={app="shop"}.' })
  const untilMs = clock.now().getTime()
  return gate.through(async () => {
    const found = new Map<string, Series>()
    for (const matchers of selectors) {
      const { asked: selection, fits } = splitMatchers(matchers)
      for (const series of await within(source, asked.app).select({ teams: asked.teams, matchers: selection, fromMs: untilMs - lookBackMs, untilMs }, asked.signal)) if (fits(series.labels)) found.set(keyOf(series.labels), series)
    }
    return federated([...found.values()], await source.metadata(asked.teams))
  }, asked.signal)
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** Each series once, in order, whichever selectors it fits. */
async function seriesOf(source: SeriesSource, { parameters, teams, app, signal }: Asked, selectors: Matcher[][], clock: Clock): Promise<Labels[]> {
  const window: Pick<Selection, 'fromMs' | 'untilMs'> = { fromMs: timeParameter(parameters, 'start', clock.now().getTime() - browsedMs), untilMs: timeParameter(parameters, 'end', clock.now().getTime()) }
  const known = new Map<string, Labels>()
  for (const matchers of selectors) {
    const { asked, fits } = splitMatchers(matchers)
    for (const labels of await within(source, app).series({ teams, matchers: asked, ...window }, signal)) if (fits(labels)) known.set(keyOf(labels), labels)
  }
  return [...known].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, { [metricName]: name, ...rest }]) => (name === undefined ? rest : { [metricName]: name, ...rest }))
}
