/** Dashboards beyond their resources: those that every team has, answers of their panels, figures, Grafana in and out. */
import { fail, type AskedQueries, type DashboardImport, type DashboardSpec, type Resource } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import { sendLatest, sendLines } from '../../../kernel/api/lines.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { readableTeams, type Resources } from '../../../kernel/resources/index.ts'
import { within } from '../query/routes.ts'
import { answerAll, readAsked, type AnswerDeps } from './answers.ts'
import { queryCauses } from './check.ts'
import { toGrafana } from './grafana-export.ts'
import { fromGrafana } from './grafana-import.ts'
import { ready } from './ready.ts'
import { onChanges, readFigures } from './resources.ts'

const askedBytes = 256 * 1024
const importBytes = 2 * 1024 * 1024
const usualMinutes = 60
const mostMinutes = 400 * 1440

type Dashboard = Resource<DashboardSpec>

export interface DashboardRoutesDeps extends AnswerDeps {
  resources: Resources
  /** Throws QUERY_INVALID. */
  check: (query: string) => Promise<void>
  publicUrl: () => string
  clock: Clock
}

interface Imported {
  text?: unknown
  name?: unknown
  dryRun?: boolean
  /** Write over one of the same name. */
  replace?: boolean
}

export function dashboardRoutes(deps: DashboardRoutesDeps): Routes {
  const { resources, source, clock } = deps
  return (server: FastifyInstance) => {
    server.get('/v1/dashboards/library', async () => ({ items: Object.entries(ready).map(([name, spec]) => ({ name, spec })) }))

    server.post<{ Params: { team: string }; Body: Partial<AskedQueries> }>('/v1/teams/:team/queries', { bodyLimit: askedBytes }, async ({ actor, params, body }, reply) => {
      mustRead(actor, params.team)
      const asked = readAsked(body)
      return sendLines(reply, (write, signal) => answerAll(asked, params.team, write, signal, { ...deps, source: within(source, actor.app) }))
    })

    server.get<{ Params: { team: string }; Querystring: { minutes?: string; from?: string; until?: string; follow?: string } }>('/v1/teams/:team/figures', async ({ actor, params: { team }, query }, reply) => {
      mustRead(actor, team)
      const times = timesOf(query)
      const ask = (): Promise<object> => readFigures(resources, actor, team, ...times(clock.now().getTime()))
      return query.follow === '1' ? sendLatest(reply, ask, onChanges(resources, actor, team)) : ask()
    })

    server.post<{ Params: { team: string }; Body: Imported | null }>('/v1/teams/:team/dashboards/import', { bodyLimit: importBytes }, async ({ actor, params, body }) => takeOver(deps, actor, params.team, body ?? {}))

    server.get<{ Params: { team: string }; Querystring: { name?: string } }>('/v1/teams/:team/dashboards/export', async ({ actor, params: { team }, query: { name = '' } }) => {
      mustRead(actor, team)
      const spec = Object.hasOwn(ready, name) ? ready[name as keyof typeof ready] : (await resources.mustGet<Dashboard>(actor, { kind: 'Dashboard', namespace: team, name })).spec
      return toGrafana(name, spec, `${deps.publicUrl()}/dashboards/${encodeURIComponent(team)}/${encodeURIComponent(name)}`)
    })
  }
}

/** Panels with queries that cannot be read are left out, and named. */
async function takeOver({ resources, check }: DashboardRoutesDeps, actor: Actor, team: string, { text, name, dryRun = false, replace = false }: Imported): Promise<DashboardImport> {
  if (typeof text !== 'string') throw fail('BAD_REQUEST', { message: 'Give the JSON of a dashboard of Grafana as text.' })
  const read = fromGrafana(text, typeof name === 'string' ? name : undefined)
  const causes = await queryCauses(read.spec, check)
  const broken = new Map(causes.map(({ field, message }) => [Number(/^spec\.panels\[(\d+)\]/.exec(field)?.[1] ?? -1), message]))
  const panels = read.spec.panels.filter((_panel, index) => !broken.has(index))
  const leftOut = [...read.leftOut, ...[...broken].filter(([index]) => index >= 0).map(([index, why]) => ({ name: read.spec.panels[index]!.title, why: `A query cannot be read. ${why}` }))]
  const imported: DashboardImport = { name: read.name, spec: { ...read.spec, panels }, leftOut }
  const key = { kind: 'Dashboard', namespace: team, name: imported.name }
  const present = await resources.get<Dashboard>(actor, key)
  if (present && !replace) throw fail('ALREADY_EXISTS', { message: `Team ${team} has a dashboard ${imported.name} already.`, fix: 'Give another name with --name, or write over it with --replace.' })
  await resources.mutate<Dashboard>(actor, key, (current) => ({ ...current, metadata: { ...current?.metadata, name: imported.name }, spec: imported.spec }), { upsert: true, dryRun })
  return imported
}

function mustRead(actor: Actor, team: string): void {
  const readable = readableTeams(actor)
  if (readable === undefined || readable.includes(team)) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not read team ${team}.` })
}

/** Of a moment: the time that is asked for, in milliseconds. */
function timesOf({ minutes, from, until }: { minutes?: string; from?: string; until?: string }): (nowMs: number) => [fromMs: number, untilMs: number] {
  if (from !== undefined && until !== undefined) {
    const [fromMs, untilMs] = [Date.parse(from), Date.parse(until)]
    if (!(untilMs > fromMs)) throw fail('BAD_REQUEST', { message: 'from and until must be times such as 2026-01-31T12:00:00Z, and from before until.' })
    return () => [fromMs, untilMs]
  }
  const length = Number(minutes ?? usualMinutes)
  if (!(length > 0 && length <= mostMinutes)) throw fail('BAD_REQUEST', { message: `"${(minutes ?? '').slice(0, 40)}" is not a number of minutes from 1 to ${mostMinutes}.` })
  return (nowMs) => [nowMs - length * 60_000, nowMs]
}
