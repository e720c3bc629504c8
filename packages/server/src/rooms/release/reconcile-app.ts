/**
 * What follows from an App and its builds.
 *
 * `build-releases`: a build that succeeded for an environment becomes a release and a deployment.
 * `apps`: a change of configuration becomes a release, of scale or restart a change of the instance sets, of routes a
 * change of the routes; and the App's status says what serves where.
 */
import type { AppSpec, AppStatus, BuildSpec, BuildStatus, Resource } from '@pavior/contract'
import { fail, isPaviorError } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import { done, itself, resourceKeyText, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import { withTransition } from '../../kernel/conditions.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { app as appKind } from '../catalog/index.ts'
import type { HostPolicy } from './hosts.ts'
import { configurationChanged, createRelease, settingsOf } from './commands.ts'
import { actor, builtOf, byApp, isActive, overtakenBy, readContext, serves, servingDeployment, type App, type AppContext, type Deployment, type Release } from './context.ts'
import { labels, refusalAnnotation, setName } from './names.ts'
import { writeRoutes } from './reconcile-deployment.ts'
import { onlyTo } from './trial.ts'
import { builtFrom, configAnnotation, configDigest, replicasOf, webProcess } from './snapshot.ts'

type Build = Resource<BuildSpec, BuildStatus>

export interface AppReconcilersDeps {
  database: Database
  resources: Resources
  hostPolicy: (team: string) => HostPolicy
  clock: Clock
}

export function createBuildReleases(deps: AppReconcilersDeps): Reconciler {
  const { resources } = deps
  return {
    name: 'build-releases',
    concurrency: 4,
    interests: [{ kind: 'Build', keys: (object) => ((object as Build).status?.phase === 'Succeeded' && (object as Build).spec.environment ? [resourceKeyText(object)] : []) }],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      const build = await resources.get<Build>(actor, { kind: 'Build', namespace: team, name })
      if (build?.status?.phase !== 'Succeeded' || !build.spec.environment || build.metadata.annotations?.[refusalAnnotation]) return done
      const app = await resources.get<App>(actor, { kind: 'App', namespace: team, name: build.spec.app })
      if (!app || app.metadata.deletionTimestamp) return done
      const made = await resources.list(actor, 'Release', team, { fields: [{ path: 'spec.build', operator: '=', value: name }], limit: 1 })
      if (made.items.length > 0) return done
      await createRelease(deps, {
        team,
        app,
        spec: withDeclaration(app.spec, build.status.declared ?? {}),
        environment: build.spec.environment,
        built: builtFrom(name, build.spec.revision, build.status),
        reason: reasonOf(build.spec),
        ...(build.spec.strategy === undefined ? {} : { wish: { strategy: build.spec.strategy } }),
        // Two builds that end at the same moment become releases in their order, or only the later does.
        still: async (tx) => {
          const later = await overtakenBy(resources, team, build, tx)
          if (later !== undefined) throw fail('SUPERSEDED', `The later build ${later} was released before ${name}.`)
        },
      })
        .catch(ignore('SUPERSEDED'))
        .catch((error: unknown) => noteRefusal(resources, team, name, error))
      return done
    },
  }
}

/** Policies and quotas that became stricter since the build ended: trying again would only refuse again. */
const refusals = new Set<string>(['ARTIFACT_SIGNATURE_INVALID', 'POLICY_DENIED', 'QUOTA_EXCEEDED'])

async function noteRefusal(resources: Resources, team: string, name: string, error: unknown): Promise<void> {
  if (!isPaviorError(error) || !refusals.has(error.code)) throw error
  const refusal = JSON.stringify(error.toObject())
  await resources
    .mutate<Build>(actor, { kind: 'Build', namespace: team, name }, (current) => ({ ...current!, metadata: { ...current!.metadata, annotations: { ...current!.metadata.annotations, [refusalAnnotation]: refusal } } }))
    .catch(ignore('NOT_FOUND'))
}

function reasonOf({ revision }: BuildSpec): string {
  return revision.type === 'git' ? `push ${revision.commit?.slice(0, 10)}${revision.message ? ` ${revision.message}` : ''}`.slice(0, 500) : 'upload'
}

/** What the manifest declares replaces what an earlier manifest declared; configuration, scale and restarts are not its own. */
function withDeclaration(spec: AppSpec, declared: Partial<AppSpec>): AppSpec {
  return { ...(spec.description && { description: spec.description }), ...settingsOf(spec), ...declared }
}

export function createAppReconciler(deps: AppReconcilersDeps): Reconciler {
  const { resources } = deps
  return {
    name: 'apps',
    concurrency: 4,
    interests: [
      itself(appKind),
      { kind: 'Deployment', keys: ({ metadata, spec }) => [`${metadata.namespace}/${(spec as Deployment['spec']).app}`] },
      { kind: 'InstanceSet', keys: ({ metadata, spec }, previous) => (previous === undefined ? [] : [`${metadata.namespace}/${(spec as { app: string }).app}`]) },
    ],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      const context = await readContext(resources, team, name)
      if (!context.app) return done
      const environments = [...new Set(context.deployments.map(({ spec }) => spec.environment))]
      for (const environment of environments) await followApp(deps, team, context.app, context, environment)
      await writeStatus(deps, team, context.app, context, environments)
      return done
    },
  }
}

/** Only when nothing is on its way: a deployment under way takes the App as it is when it makes its sets. */
async function followApp(deps: AppReconcilersDeps, team: string, app: App, context: AppContext, environment: string): Promise<void> {
  const serving = servingDeployment(context.deployments, environment)
  const newest = context.deployments.findLast(({ spec }) => spec.environment === environment)
  if (!serving || !newest) return
  // A trial may take long, and what serves beside it must be scaled all the same.
  if (isActive(newest) && newest.status?.phase !== 'Shifting') return
  const releases = await byApp<Release>(deps.resources, 'Release', team, app.metadata.name)
  const release = releases.find(({ spec }) => spec.version === serving.spec.release)
  if (!release) return
  if (isActive(newest)) return followScale(deps, team, app, context, environment, serving, release)
  // Compared with what the App asked for at the newest deployment, not with the release: after a rollback that is old on purpose.
  if (newest.metadata.annotations?.[configAnnotation] !== configDigest(app.spec, environment) && (await releaseChange(deps, team, app, environment, release))) return
  await followScale(deps, team, app, context, environment, serving, release)
  if (release.spec.processes[webProcess]) {
    await writeRoutes(deps, team, app, environment, serving.metadata.name, onlyTo(setName(serving.metadata.name, webProcess)))
    return
  }
  // Nothing listens any more: no such host is a clearer answer than one that leads nowhere.
  for (const { metadata } of context.routes.filter(({ spec }) => spec.environment === environment)) {
    await deps.resources.delete(actor, { kind: 'Route', namespace: team, name: metadata.name }).catch(ignore('NOT_FOUND'))
  }
}

/** The serving artifact with the configuration as it is now; false when its build is gone. */
async function releaseChange(deps: AppReconcilersDeps, team: string, app: App, environment: string, release: Release): Promise<boolean> {
  const built = await builtOf(deps.resources, team, release)
  if (!built) return false
  await createRelease(deps, { team, app, spec: app.spec, environment, built, reason: configurationChanged })
  return true
}

async function followScale({ resources }: AppReconcilersDeps, team: string, app: App, { sets }: AppContext, environment: string, serving: Deployment, release: Release): Promise<void> {
  const scale = app.spec.scale?.[environment] ?? {}
  const restartToken = app.spec.restart?.[environment]
  for (const set of sets) {
    if (set.metadata.labels?.[labels.deployment] !== serving.metadata.name || set.metadata.deletionTimestamp) continue
    const process = { ...release.spec.processes[set.spec.process], ...(app.spec.processes?.[set.spec.process]?.replicas === undefined ? {} : { replicas: app.spec.processes[set.spec.process]!.replicas }) }
    const replicas = replicasOf(process, set.spec.process, scale)
    if (set.spec.replicas === replicas && set.spec.restartToken === restartToken) continue
    await resources
      .mutate<typeof set>(actor, { kind: 'InstanceSet', namespace: team, name: set.metadata.name }, (current) => ({
        ...current!,
        spec: { ...current!.spec, replicas, ...(restartToken === undefined ? {} : { restartToken }) },
      }))
      .catch(ignore('NOT_FOUND'))
  }
}

async function writeStatus({ resources, clock }: AppReconcilersDeps, team: string, app: App, { deployments, sets }: AppContext, environments: string[]): Promise<void> {
  const now = clock.now().toISOString()
  const states = environments.map((environment) => {
    const own = deployments.filter(({ spec }) => spec.environment === environment)
    const serving = servingDeployment(deployments, environment)
    const newest = own.at(-1)!
    return [
      environment,
      {
        ...(serving?.status?.url === undefined ? {} : { url: serving.status.url }),
        ...(serving === undefined ? {} : { release: serving.spec.release }),
        deployment: newest.metadata.name,
        phase: newest.status?.phase ?? 'Pending',
      },
    ] as const
  })
  const unhealthy = sets.filter(({ metadata, spec, status }) => !metadata.deletionTimestamp && isServing(deployments, metadata.labels?.[labels.deployment]) && (status?.ready ?? 0) < spec.replicas)
  const serves = states.length > 0 && states.every(([, { release }]) => release !== undefined)
  const ready = serves && unhealthy.length === 0
  const problem = unhealthy.find(({ status }) => status?.problem)?.status?.problem
  const message = ready ? 'Every process has its instances.' : (problem?.message ?? (serves ? `${unhealthy[0]!.spec.process} has ${unhealthy[0]!.status?.ready ?? 0} of ${unhealthy[0]!.spec.replicas} healthy instances.` : 'Nothing has been deployed successfully yet.'))
  const status: AppStatus = {
    environments: Object.fromEntries(states),
    ...(problem ? { problem } : {}),
    conditions: [withTransition({ type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'Healthy' : (problem?.code ?? 'NotReady'), message, observedGeneration: app.metadata.generation }, app.status?.conditions, now)],
    observedGeneration: app.metadata.generation,
  }
  await resources.mutate<App>(actor, { kind: 'App', namespace: team, name: app.metadata.name }, (current) => ({ ...current!, status }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
}

function isServing(deployments: Deployment[], name: string | undefined): boolean {
  return deployments.some((one) => one.metadata.name === name && serves(one))
}

/** Every team begins with the environment that deploys go to. */
export function createEnvironments({ resources }: AppReconcilersDeps): Reconciler {
  return {
    name: 'team-environments',
    concurrency: 2,
    interests: [{ kind: 'Team', keys: (object, previous) => (previous === undefined ? [object.metadata.name] : []) }],
    reconcile: async (name) => {
      const team = await resources.get(actor, { kind: 'Team', namespace: '', name })
      if (!team || team.metadata.deletionTimestamp) return done
      const { defaultEnvironment = 'production' } = team.spec as { defaultEnvironment?: string }
      await resources
        .create(actor, 'Environment', name, {
          metadata: { name: defaultEnvironment, ownerReferences: [{ apiVersion: team.apiVersion, kind: 'Team', name, uid: team.metadata.uid, controller: true }] },
          spec: { tier: 'production', description: 'Where deploys go when no other environment is named.' },
        })
        .catch(ignore('ALREADY_EXISTS'))
      return done
    },
  }
}
