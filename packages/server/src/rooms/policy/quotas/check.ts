/**
 * Quotas of teams. What counts is counted in the transaction of the write and after it: every writer holds the counter of
 * versions until it commits, so of two that would pass alone only one does.
 */
import { fail, type AppSpec, type BuildSpec, type BuildStatus, type DeploymentSpec, type ProcessSpec, type QuotaSpec, type QuotaUse, type ReleaseSpec, type Resource } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Admission } from '../../../kernel/resources/index.ts'
import { declaredApp } from '../facts.ts'
import { overrunsOf, overrunText, runningOf, type App, type Placed } from './plan.ts'
import { appsOf, countKind, countSince, openDeployments, releasesOf } from './store.ts'

const dayMs = 24 * 3600_000

export interface QuotaDeps {
  database: Database
  quotas: Mirror<Resource<QuotaSpec>>
  clock: Clock
}

export interface Quotas {
  admission: Admission
  /** Refuses a deploy for which the team has not enough left. */
  admitBuild(build: Resource<BuildSpec, BuildStatus>): Promise<void>
  useOf(team: string): Promise<QuotaUse>
}

export function createQuotas({ database, quotas, clock }: QuotaDeps): Quotas {
  const limitsOf = (team: string): QuotaSpec | undefined => quotas.get('', team)?.spec
  const since = (): Date => new Date(clock.now().getTime() - dayMs)

  const refuse = (team: string, limits: QuotaSpec, before: Partial<QuotaUse>, after: Partial<QuotaUse>): void => {
    const overruns = overrunsOf(limits, before, after)
    if (overruns.length === 0) return
    throw fail('QUOTA_EXCEEDED', {
      message: overruns.map((one) => overrunText(team, one)).join(' '),
      why: `The quota of team ${team} is set by the administrators of the platform.`,
      state: 'Nothing was changed.',
      more: `pavior quota show ${team}`,
      causes: overruns.map(({ name, used, limit }) => ({ field: `quota.${name}`, message: `${used} of ${limit}`, reason: 'QuotaExceeded' })),
      facts: { team, overruns },
    })
  }

  const admission: Admission = async ({ verb, kind, object, previous, actor }) => {
    const team = object.metadata.namespace ?? ''
    const limits = limitsOf(team)
    if (!limits || verb === 'delete') return
    if (verb === 'create' && (kind.kind === 'App' || kind.kind === 'Environment')) {
      const name = kind.kind === 'App' ? 'apps' : 'environments'
      return async (tx) => {
        const count = await countKind(tx, team, kind.kind)
        refuse(team, limits, { [name]: count - 1 }, { [name]: count })
      }
    }
    if (verb === 'create' && kind.kind === 'Build') {
      return async (tx) => {
        const count = await countSince(tx, team, 'Build', since())
        refuse(team, limits, { buildsPerDay: count - 1 }, { buildsPerDay: count })
      }
    }
    if (kind.kind === 'Deployment' && verb === 'create') {
      return async (tx) => {
        const placed = await placedOf(tx, team)
        const open = (await openDeployments(tx, team)) as Resource<DeploymentSpec>[]
        const others = await placedOf(tx, team, open.filter(({ metadata }) => metadata.uid !== object.metadata.uid))
        refuse(team, limits, runningOf(others), runningOf(placed))
      }
    }
    if (kind.kind === 'App' && verb === 'update' && previous && actor.kind !== 'system' && object.metadata.generation !== previous.metadata.generation) {
      return async (tx) => {
        const placed = await placedOf(tx, team)
        const before = placed.map((one) => (one.app.metadata.uid === object.metadata.uid ? { ...one, app: previous as unknown as App } : one))
        refuse(team, limits, runningOf(before), runningOf(placed))
      }
    }
    return undefined
  }

  return {
    admission,
    admitBuild: async ({ metadata, spec, status }) => {
      const team = metadata.namespace!
      const limits = limitsOf(team)
      if (!limits || spec.environment === undefined) return
      const before = await placedOf(database, team)
      const app = ((await appsOf(database, team)) as unknown as Resource<AppSpec>[]).find((one) => one.metadata.name === spec.app)
      if (!app) return
      const own: Placed = { app: declaredApp(app, status?.declared) as App, environment: spec.environment, processes: status?.processes ?? {} }
      refuse(team, limits, runningOf(before), runningOf([...before.filter((one) => one.app.metadata.name !== spec.app || one.environment !== spec.environment), own]))
    },
    useOf: async (team) => ({
      ...runningOf(await placedOf(database, team)),
      apps: await countKind(database, team, 'App'),
      environments: await countKind(database, team, 'Environment'),
      buildsPerDay: await countSince(database, team, 'Build', since()),
    }),
  }
}

/** Where every app of the team serves, or is about to. */
async function placedOf(tx: Tx, team: string, given?: Resource<DeploymentSpec>[]): Promise<Placed[]> {
  const apps = (await appsOf(tx, team)) as unknown as App[]
  const open = given ?? ((await openDeployments(tx, team)) as unknown as Resource<DeploymentSpec>[])
  const places = apps.flatMap((app) => {
    const versions = new Map(Object.entries(app.status?.environments ?? {}).flatMap(([environment, { release }]) => (release === undefined ? [] : [[environment, release] as const])))
    for (const { spec } of open) if (spec.app === app.metadata.name) versions.set(spec.environment, spec.release)
    return [...versions].map(([environment, version]) => ({ app, environment, release: `${app.metadata.name}-v${version}` }))
  })
  const releases = new Map(((await releasesOf(tx, team, places.map(({ release }) => release))) as unknown as Resource<ReleaseSpec>[]).map((one) => [one.metadata.name, one.spec.processes]))
  return places.map(({ app, environment, release }) => ({ app, environment, processes: (releases.get(release) ?? {}) as Record<string, ProcessSpec> }))
}
