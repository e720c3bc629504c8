/** Reads everything that drift of an app is seen in. */
import type { AppDrift, ConfigRepoStatus, EnvironmentDrift, EnvironmentSpec, InstanceStatus, Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { actor as system, isActive, readContext, servingDeployment, type App, type AppContext, type Release } from './context.ts'
import { driftOf, repositoryDrift } from './drift.ts'
import { wantedRoutes, type HostPolicy } from './hosts.ts'
import { isPreview, releaseName, routeName, setName } from './names.ts'
import type { Observations } from './ports.ts'
import { configAnnotation } from './snapshot.ts'

export interface DriftDeps {
  resources: Resources
  observations: Observations
  hostPolicy: (team: string) => HostPolicy
}

/** Set by repositories that declare resources. */
const repoLabel = 'pavior.dev/config-repo'

export async function readDrift(deps: DriftDeps, by: Actor, team: string, name: string): Promise<AppDrift> {
  const { resources, observations } = deps
  const app = await resources.mustGet<App>(by, { kind: 'App', namespace: team, name })
  const [context, running, declared] = await Promise.all([readContext(resources, team, name), observations.instances(), declaredIn(resources, team, app)])
  const environments = [...new Set(context.deployments.map(({ spec }) => spec.environment))].toSorted()
  const found = await Promise.all(environments.map((environment) => driftIn(deps, team, app, context, environment, running)))
  const all = found.filter((one) => one !== undefined)
  if (declared.length === 0 || all.length === 0) return { app: name, environments: all }
  return { app: name, environments: all.map((one, index) => (index === 0 ? { ...one, differences: [...one.differences, ...declared] } : one)) }
}

async function declaredIn(resources: Resources, team: string, { metadata }: App): Promise<ReturnType<typeof repositoryDrift>> {
  const name = metadata.labels?.[repoLabel]
  const repo = name === undefined ? undefined : await resources.get<Resource<object, ConfigRepoStatus>>(system, { kind: 'ConfigRepo', namespace: team, name })
  return repo ? repositoryDrift(name!, repo.status?.drift ?? [], metadata.name) : []
}

async function driftIn({ resources, hostPolicy }: DriftDeps, team: string, app: App, { deployments, sets, routes }: AppContext, environment: string, instances: InstanceStatus[]): Promise<EnvironmentDrift | undefined> {
  const { name } = app.metadata
  const serving = servingDeployment(deployments, environment)
  const newest = deployments.findLast(({ spec }) => spec.environment === environment)!
  if (!serving) return undefined
  const [release, declared] = await Promise.all([
    resources.get<Release>(system, { kind: 'Release', namespace: team, name: releaseName(name, serving.spec.release) }),
    resources.get<Resource<EnvironmentSpec>>(system, { kind: 'Environment', namespace: team, name: environment }),
  ])
  if (!release) return undefined
  const own = <T extends { spec: { environment: string }; metadata: { deletionTimestamp?: string } }>(all: T[]): T[] => all.filter(({ spec, metadata }) => spec.environment === environment && !metadata.deletionTimestamp)
  const differences = driftOf({
    team, app: name, environment, spec: app.spec, declared: declared?.spec, release: release.spec,
    configAtDeployment: newest.metadata.annotations?.[configAnnotation],
    preview: isPreview(newest),
    setName: (process) => setName(serving.metadata.name, process),
    sets: own(sets),
    routes: own(routes),
    wanted: wantedRoutes(name, team, environment, app.spec, hostPolicy(team)).map((route) => ({ name: routeName(name, environment, route.suffix), route })),
    instances,
  })
  return { environment, release: serving.spec.release, ...(isActive(newest) ? { changing: newest.metadata.name } : {}), differences }
}
