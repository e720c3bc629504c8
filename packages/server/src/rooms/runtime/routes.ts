/** What runs, with its live figures, and its log. */
import { setTimeout } from 'node:timers/promises'
import type { DeploymentSpec, DeploymentStatus, InstanceStatus, LogLine, Resource } from '@pavior/contract'
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../kernel/actor.ts'
import { sendLines, type WriteLine } from '../../kernel/api/lines.ts'
import { flag } from '../../kernel/api/query.ts'
import type { Routes } from '../../kernel/api/types.ts'
import { hasCode } from '../../kernel/errors.ts'
import type { Mirror } from '../../kernel/resources/mirror.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { InstanceSet } from './plan.ts'
import type { LogQuery, RuntimeDriver } from './ports.ts'

const largestTail = 10_000
const defaultTail = 100
/** New instances of the app are looked for this often while following. */
const followCheckMs = 1000
/** CPU and memory of instances are told this often while somebody looks. */
const figuresEveryMs = 2000

export interface InstanceRow extends InstanceStatus {
  process: string
  release: number
  environment: string
}

/** Whose log to read. */
type LogSource = Pick<InstanceRow, 'id' | 'process' | 'release' | 'environment'>

interface LogRow {
  time: string
  instance: string
  process: string
  release: number
  line: string
}

interface AppParams {
  team: string
  app: string
}

interface LogSearch {
  follow?: string
  process?: string
  instance?: string
  environment?: string
  release?: string
  since?: string
  tail?: string
}

export function runtimeRoutes({ resources, driver, sets }: { resources: Resources; driver: RuntimeDriver; sets: Mirror<InstanceSet> }): Routes {
  const instancesOf = ({ team, app }: AppParams, observed = driver.observed()): InstanceRow[] => {
    const own = new Map([...sets.values()].filter(({ metadata, spec }) => metadata.namespace === team && spec.app === app).map((set) => [set.metadata.uid, set]))
    return (observed?.instances ?? []).flatMap((instance) => {
      const set = own.get(instance.set)
      return set ? [{ ...instance, process: set.spec.process, release: set.spec.release, environment: set.spec.environment }] : []
    })
  }
  const mustSee = (actor: Actor, { team, app }: AppParams): Promise<unknown> => resources.mustGet(actor, { kind: 'App', namespace: team, name: app })

  return (server: FastifyInstance) => {
    server.get<{ Params: AppParams; Querystring: { follow?: string } }>('/v1/teams/:team/apps/:app/instances', async ({ actor, params, query }, reply) => {
      await mustSee(actor, params)
      const read = async (): Promise<{ at: string; items: InstanceRow[] }> => ({ at: new Date().toISOString(), items: instancesOf(params, await driver.current()) })
      if (!flag({ ...query }, 'follow')) return { items: (await read()).items }
      return sendLines(reply, async (write, signal) => {
        while (!signal.aborted) {
          await write(await read())
          await setTimeout(figuresEveryMs, undefined, { signal }).catch(() => {})
        }
      })
    })

    for (const verb of ['sleep', 'wake'] as const) {
      server.post<{ Params: AppParams & { environment: string } }>(`/v1/teams/:team/apps/:app/environments/:environment/${verb}`, async ({ actor, params }) => {
        const { team, app, environment } = params
        // For those who may deploy.
        await resources.mutate(actor, { kind: 'App', namespace: team, name: app }, (current) => current!, { dryRun: true })
        const set = [...sets.values()].find(({ metadata, spec }) => metadata.namespace === team && spec.app === app && spec.environment === environment && !metadata.deletionTimestamp)
        if (!set) throw fail('NOT_FOUND', { message: `Nothing of ${app} runs in ${environment}.`, fix: 'Deploy it there first.' })
        await driver[verb](set.metadata.uid)
        return { app, environment, asleep: verb === 'sleep' }
      })
    }

    server.get<{ Params: AppParams; Querystring: LogSearch }>('/v1/teams/:team/apps/:app/logs', async (request, reply) => {
      await mustSee(request.actor, request.params)
      const search = request.query
      const query = logQuery(search)
      const gone = await failedInstances(resources, request.actor, request.params)
      const wanted = (): LogSource[] => [...instancesOf(request.params), ...gone].filter((row) => isWanted(row, search))
      return sendLines(reply, (write, signal) => merge(driver, wanted, query, write, signal))
    })
  }
}

/** Instances of rollouts that failed are gone, but their logs say why. */
async function failedInstances(resources: Resources, actor: Actor, { team, app }: AppParams): Promise<LogSource[]> {
  const { items } = await resources.list<Resource<DeploymentSpec, DeploymentStatus>>(actor, 'Deployment', team, { fields: [{ path: 'spec.app', operator: '=', value: app }], limit: 0 })
  return items.flatMap(({ spec, status }) => {
    const { instance, process } = (status?.problem?.facts ?? {}) as { instance?: string; process?: string }
    return instance === undefined ? [] : [{ id: instance, process: process ?? 'web', release: spec.release, environment: spec.environment }]
  })
}

function isWanted(row: LogSource, { process, instance, environment, release }: LogSearch): boolean {
  return (release === undefined || `v${row.release}` === `v${release.replace(/^v/, '')}`) && (process === undefined || row.process === process) && (instance === undefined || row.id === instance) && (environment === undefined || row.environment === environment)
}

export function logQuery({ follow, since, tail }: { follow?: string; since?: string; tail?: string }): LogQuery {
  if (since !== undefined && Number.isNaN(Date.parse(since))) throw fail('BAD_REQUEST', { message: `"${since}" is not a time.`, fix: 'Give an ISO 8601 time, for example 2026-01-31T12:00:00Z.' })
  const lines = tail === undefined ? (since === undefined ? defaultTail : undefined) : Number(tail)
  if (lines !== undefined && (!Number.isInteger(lines) || lines < 0)) throw fail('BAD_REQUEST', { message: `"${tail}" is not a number of lines.` })
  return { follow: flag({ follow }, 'follow'), ...(since === undefined ? {} : { since }), ...(lines === undefined ? {} : { tail: Math.min(lines, largestTail) }) }
}

/** Lines of all instances: what is there sorted by time, then, when following, as they come, from new instances too. */
async function merge(driver: RuntimeDriver, wanted: () => LogSource[], query: LogQuery, write: WriteLine, signal: AbortSignal): Promise<void> {
  const offsets = new Map<string, number>()
  const past: { row: LogSource; line: LogLine }[] = []
  for (const row of wanted()) {
    try {
      for await (const line of driver.logs(row.id, { ...query, follow: false }, signal)) {
        past.push({ row, line })
        offsets.set(row.id, line.next)
      }
    } catch (error) {
      // Gone meanwhile, or too long ago.
      if (!hasCode(error, 'NOT_FOUND')) throw error
    }
  }
  past.sort((one, other) => (one.line.time < other.line.time ? -1 : one.line.time > other.line.time ? 1 : 0))
  for (const { row, line } of query.tail === undefined ? past : past.slice(-query.tail)) await write(logRow(row, line))
  if (query.follow) await followAll(driver, wanted, offsets, write, signal)
}

async function followAll(driver: RuntimeDriver, wanted: () => LogSource[], offsets: Map<string, number>, write: WriteLine, signal: AbortSignal): Promise<void> {
  const followed = new Set<string>()
  const one = async (row: LogSource): Promise<void> => {
    for await (const line of driver.logs(row.id, { follow: true, offset: offsets.get(row.id) ?? 0 }, signal)) await write(logRow(row, line))
  }
  while (!signal.aborted) {
    for (const row of wanted().filter(({ id }) => !followed.has(id))) {
      followed.add(row.id)
      one(row).catch(() => {})
    }
    await setTimeout(followCheckMs, undefined, { signal }).catch(() => {})
  }
}

function logRow({ id, process, release }: LogSource, { time, line }: LogLine): LogRow {
  return { time, instance: id, process, release, line }
}
