/** Everything of one app in one environment, read in one go: what the reconcilers of this room decide on. */
import type {
  AppSpec,
  AppStatus,
  BuildSpec,
  BuildStatus,
  DeploymentSpec,
  DeploymentStatus,
  InstanceSetSpec,
  InstanceSetStatus,
  ReleaseSpec,
  ReleaseStatus,
  Resource,
  RouteSpec,
  RouteStatus,
} from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Tx } from '../../kernel/db/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { numberOf } from './names.ts'
import { finalPhases } from './observed.ts'
import { builtFrom, type Built } from './snapshot.ts'

export type App = Resource<AppSpec, AppStatus>
export type Release = Resource<ReleaseSpec, ReleaseStatus>
export type InstanceSet = Resource<InstanceSetSpec, InstanceSetStatus>
export type Route = Resource<RouteSpec, RouteStatus>
export type Deployment = Resource<DeploymentSpec, DeploymentStatus>

export const actor = systemActor('release')

export interface AppContext {
  app: App | undefined
  /** In order of their numbers. */
  deployments: Deployment[]
  sets: InstanceSet[]
  routes: Route[]
}

export async function byApp<R extends Resource>(resources: Resources, kind: string, team: string, app: string): Promise<R[]> {
  const { items } = await resources.list<R>(actor, kind, team, { fields: [{ path: 'spec.app', operator: '=', value: app }], limit: 0 })
  return items
}

export async function readContext(resources: Resources, team: string, app: string): Promise<AppContext> {
  const [found, deployments, sets, routes] = await Promise.all([
    resources.get<App>(actor, { kind: 'App', namespace: team, name: app }),
    byApp<Deployment>(resources, 'Deployment', team, app),
    byApp<InstanceSet>(resources, 'InstanceSet', team, app),
    byApp<Route>(resources, 'Route', team, app),
  ])
  return {
    app: found?.metadata.deletionTimestamp ? undefined : found,
    deployments: deployments.toSorted((one, other) => numberOf(one) - numberOf(other)),
    sets,
    routes,
  }
}

/** What a release was made of; undefined when its build is gone. */
export async function builtOf(resources: Resources, team: string, { spec }: Release): Promise<Built | undefined> {
  if (spec.build === undefined) return undefined
  const build = await resources.get<Resource<BuildSpec, BuildStatus>>(actor, { kind: 'Build', namespace: team, name: spec.build })
  return build?.status ? { ...builtFrom(spec.build, build.spec.revision, build.status), artifact: spec.artifact } : undefined
}

/** Name of a build that is later than this one and became a release of the same environment before it did. */
export async function overtakenBy(resources: Resources, team: string, build: Resource<BuildSpec, BuildStatus>, tx?: Tx): Promise<string | undefined> {
  const { app, environment } = build.spec
  const fields = [{ path: 'spec.app', operator: '=' as const, value: app }]
  const releases = (await resources.list<Release>(actor, 'Release', team, { fields, limit: 0 }, tx)).items
  const released = new Set(releases.filter(({ spec }) => spec.environment === environment).map(({ spec }) => spec.build))
  const builds = (await resources.list(actor, 'Build', team, { fields, limit: 0 }, tx)).items
  return builds.find((other) => released.has(other.metadata.name) && numberOf(other) > numberOf(build))?.metadata.name
}

export function isActive({ status }: Deployment): boolean {
  return !finalPhases.has(status?.phase ?? 'Pending')
}

/** The newest deployment that all traffic went to and stayed with: its release is what serves. */
export function servingDeployment(deployments: Deployment[], environment: string): Deployment | undefined {
  return deployments.findLast((one) => one.spec.environment === environment && serves(one))
}

export function serves({ status }: Deployment): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Watching'
}
