/** Gathers what is known about one request. */
import { fail, type DeploymentSpec, type DeploymentStatus, type ReleaseSpec, type Resource, type Span, type Trace, type Why } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { readableTeams, type Resources } from '../../../kernel/resources/index.ts'
import type { RequestLogs } from '../ports.ts'
import { findingsOf, timesOf } from './plan.ts'
import { readRequest, readTrace, shownOf } from './store.ts'

const traceIdPattern = /^[0-9a-f]{32}$/
/** What is usual is taken from so much time before a request. */
const usualOverMs = 600_000
/** Lines are looked for around a request: clocks differ, and some come late. */
const aroundMs = 5000
const mostLines = 100

export interface WhyDeps {
  database: Database
  resources: Pick<Resources, 'get' | 'listAll'>
  logs: RequestLogs
  /** 95th percentile of what an app took, in milliseconds; undefined when it had too few requests. */
  usual: (of: { team: string; app: string; environment: string; from: Date; until: Date }) => Promise<number | undefined>
}

/** By the id of a request or of a trace. Throws NOT_FOUND. */
export async function why(deps: WhyDeps, actor: Actor, id: string): Promise<Why> {
  const teams = readableTeams(actor)
  const asked = await readRequest(deps.database, id, teams)
  const trace = asked ? await traceOf(deps.database, asked.traceId, teams) : traceIdPattern.test(id) ? await traceOf(deps.database, id, teams) : undefined
  const root = asked ?? (trace && rootOf(trace.spans))
  if (!trace || !root) throw notKept(id)
  const [logs, release, usualMs] = await Promise.all([logsOf(deps, root, trace), releaseOf(deps, actor, root), deps.usual({ ...root, from: new Date(root.atMs - usualOverMs), until: new Date(root.atMs) })])
  const times = timesOf(root, trace.spans)
  return { requestId: root.request?.requestId ?? '', traceId: root.traceId, findings: findingsOf({ root, spans: trace.spans, times, logs, release, usualMs }), span: root, times, trace, logs, ...(release ? { release } : {}) }
}

function notKept(id: string): Error {
  return fail('NOT_FOUND', {
    message: `Nothing is known of a request ${id.slice(0, 128)}.`,
    why: 'Every request that failed or was slow is kept, and of the others the first few of each instance in a second, for some minutes; a share of them for days.',
    fix: 'Compare the id with the field x-request-id of the answer. Lines that an app logged about it are found by: pavior logs --grep <id>',
  })
}

/** As far as the teams see it. Throws nothing for an unknown one: it has no spans. */
export async function traceOf(database: Database, traceId: string, teams: readonly string[] | undefined): Promise<Trace> {
  const { spans, cut } = shownOf(await readTrace(database, traceId))
  const seen = teams === undefined ? spans : spans.filter(({ team }) => teams.includes(team))
  return { traceId, spans: seen, hidden: spans.length - seen.length, cut }
}

/** The request that began it, as far as that is known: the earliest that the router saw, otherwise the earliest of all. */
function rootOf(spans: readonly Span[]): Span | undefined {
  return spans.find(({ request }) => request !== undefined) ?? spans[0]
}

async function logsOf({ logs }: WhyDeps, root: Span, { spans }: Trace): Promise<Why['logs']> {
  const until = Math.max(...spans.map(({ atMs, durationMs }) => atMs + durationMs))
  const apps = [...new Set(spans.filter(({ team }) => team === root.team).map(({ app }) => app))]
  return logs.of({ team: root.team, apps, requestId: root.request?.requestId ?? '', traceId: root.traceId, from: new Date(root.atMs - aroundMs), until: new Date(until + aroundMs), limit: mostLines })
}

async function releaseOf({ resources }: WhyDeps, actor: Actor, { team, app, environment, release, atMs }: Span): Promise<Why['release']> {
  if (release === undefined) return undefined
  const found = await resources.get<Resource<ReleaseSpec>>(actor, { kind: 'Release', namespace: team, name: `${app}-v${release}` })
  if (!found) return undefined
  const { version, artifact, reason, build, revision } = found.spec
  const deployment = await deploymentOf({ resources }, actor, { team, app, environment, release, atMs })
  const [commit, branch, message, author] = [revision?.commit, revision?.branch, revision?.message, revision?.author]
  return {
    version, artifact, ...defined({ reason, build, commit, branch, message, author }),
    ...(deployment ? { deployment: deployment.metadata.name, ...defined({ deployedAt: deployment.status?.startedAt, deployedBy: author }) } : {}),
  }
}

/** The last one that began to bring the release there before the request. */
async function deploymentOf({ resources }: Pick<WhyDeps, 'resources'>, actor: Actor, { team, app, environment, release, atMs }: { team: string; app: string; environment: string; release: number; atMs: number }): Promise<Resource<DeploymentSpec, DeploymentStatus> | undefined> {
  const all = await resources.listAll<Resource<DeploymentSpec, DeploymentStatus>>(actor, 'Deployment', team, { fields: [{ path: 'spec.app', operator: '=', value: app }] })
  return all
    .filter(({ spec, status }) => spec.environment === environment && spec.release === release && status?.startedAt !== undefined && Date.parse(status.startedAt) <= atMs)
    .toSorted((one, other) => Date.parse(other.status!.startedAt!) - Date.parse(one.status!.startedAt!))[0]
}

function defined<T extends Record<string, string | undefined>>(given: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: string }
}
