/**
 * What follows from an App and its builds.
 *
 * `build-releases`: a build that succeeded for an environment becomes a release and a deployment.
 * `apps`: a change of configuration becomes a release, of scale or restart a change of the instance sets, of routes a
 * change of the routes; and the App's status says what serves where.
 */
import type { AppSpec, AppStatus, BuildSpec, BuildStatus, ErrorObject, Resource, SecretRef, SecretSpec, SecretStatus } from '@pavior/contract'
import { fail, isPaviorError, type PaviorError } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { hasCode, ignore } from '../../kernel/errors.ts'
import { after, done, itself, resourceKeyText, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import { withTransition } from '../../kernel/conditions.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { app as appKind } from '../catalog/index.ts'
import type { Given } from '../secrets/index.ts'
import type { HostPolicy } from './hosts.ts'
import { configurationChanged, createRelease, settingsOf, type ReleaseDeps } from './commands.ts'
import { actor, builtOf, byApp, isActive, overtakenBy, readContext, serves, servingDeployment, type App, type AppContext, type Deployment, type Release } from './context.ts'
import { isPreview, labels, refusalAnnotation, setName } from './names.ts'
import { previewSpecOf } from './previews/plan.ts'
import { writeRoutes } from './reconcile-deployment.ts'
import { onlyTo } from './trial.ts'
import { builtFrom, configAnnotation, configDigest, replicasOf, secretsAnnotation, secretsReason, secretsRollout, secretsText, webProcess } from './snapshot.ts'

type Build = Resource<BuildSpec, BuildStatus>

export interface AppReconcilersDeps {
  database: Database
  resources: Resources
  hostPolicy: (team: string) => HostPolicy
  clock: Clock
  secrets: ReleaseDeps['secrets']
  /** Asks a reconciler for a run. */
  request: (entries: { controller: string; key: string }[]) => Promise<void>
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
      const preview = isPreview(build)
      await createRelease(deps, {
        team,
        app,
        spec: preview ? previewSpecOf(settingsOf(app.spec), build.status.declared ?? {}) : withDeclaration(app.spec, build.status.declared ?? {}),
        ...(preview ? { preview: { at: deps.clock.now().toISOString() } } : {}),
        ...(build.spec.allowPinned ? { allowPinned: true } : {}),
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
        .catch((error: unknown) => noteRefusal(resources, team, name, preview && hasCode(error, 'NOT_FOUND') ? previewGone(build.spec) : error))
      return done
    },
  }
}

/** Policies and quotas that became stricter since the build ended: trying again would only refuse again. */
const refusals = new Set<string>(['ARTIFACT_SIGNATURE_INVALID', 'POLICY_DENIED', 'QUOTA_EXCEEDED', 'REVISION_PINNED_OUT', 'CANCELED'])

function previewGone({ revision }: BuildSpec): PaviorError {
  return fail('CANCELED', { message: `The preview of ${revision.branch ?? 'the branch'} was deleted before its build ended.`, fix: 'Push the branch again when it should have one.' })
}

function isRefusal(error: unknown): error is PaviorError {
  return isPaviorError(error) && refusals.has(error.code)
}

async function noteRefusal(resources: Resources, team: string, name: string, error: unknown): Promise<void> {
  if (!isRefusal(error)) throw error
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
      const secrets = await deps.secrets.givenIn(team, name, environments)
      const refused = new Map<string, ErrorObject>()
      for (const environment of environments) {
        try {
          await followApp(deps, team, context.app, context, environment, secrets.get(environment)!)
        } catch (error) {
          if (!isRefusal(error)) throw error
          refused.set(environment, error.toObject())
        }
      }
      await writeStatus(deps, team, context.app, context, environments, refused)
      return refused.size === 0 ? done : after(refusedAgainMs)
    },
  }
}

/** Rules that were changed, exceptions and ends of findings are told to nobody here. */
const refusedAgainMs = 10_000

/** Only when nothing is on its way: a deployment under way takes the App as it is when it makes its sets. */
async function followApp(deps: AppReconcilersDeps, team: string, declared: App, context: AppContext, environment: string, { refs: secrets, mark }: Given): Promise<void> {
  const serving = servingDeployment(context.deployments, environment)
  const newest = context.deployments.findLast(({ spec }) => spec.environment === environment)
  if (!serving || !newest) return
  const secretsChanged = (newest.metadata.annotations?.[secretsAnnotation] ?? '') !== mark
  const overtakes = secretsChanged && isActive(newest) && mayBeOvertaken(newest)
  // A trial or a watch may take long, and what serves must be scaled all the same.
  const watched = newest.status?.phase === 'Watching'
  if (isActive(newest) && newest.status?.phase !== 'Shifting' && !watched && !overtakes) return
  const releases = await byApp<Release>(deps.resources, 'Release', team, declared.metadata.name)
  const releaseOf = (one: Deployment): Release | undefined => releases.find(({ spec }) => spec.version === one.spec.release)
  const release = releaseOf(serving)
  if (!release) return
  const app = isPreview(newest) ? await asPreview(deps, team, declared, release) : declared
  if (overtakes) return secretsChange(deps, team, app, environment, releaseOf(newest) ?? release, secrets, isPreview(newest))
  // Compared with what the App asked for at the newest deployment, not with the release: after a rollback that is old on purpose.
  const configured = newest.metadata.annotations?.[configAnnotation] !== configDigest(app.spec, environment)
  // What is watched has all traffic, so what comes next need not wait for the end of the watch.
  if (configured && (watched || !isActive(newest)) && (await releaseChange(deps, team, app, environment, release, isPreview(newest)))) return
  if (isActive(newest)) {
    await followScale(deps, team, app, context, environment, serving, release)
    // What a release that is watched may have to go back to is as strong.
    const before = servingDeployment(context.deployments.filter((one) => one !== newest), environment)
    const earlier = before && serving === newest ? releaseOf(before) : undefined
    if (before && earlier) await followScale(deps, team, app, context, environment, before, earlier)
    return
  }
  const settled = !context.deployments.some((one) => one.spec.environment === environment && isActive(one))
  if (settled && secretsChanged && secretsText(release.spec.secrets) !== secretsText(secrets)) return secretsChange(deps, team, app, environment, release, secrets, isPreview(newest))
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

/** The App as the branch of the preview declares it. */
async function asPreview({ resources }: AppReconcilersDeps, team: string, app: App, { spec }: Release): Promise<App> {
  const build = spec.build === undefined ? undefined : await resources.get<Build>(actor, { kind: 'Build', namespace: team, name: spec.build })
  return { ...app, spec: previewSpecOf(settingsOf(app.spec), build?.status?.declared ?? {}) }
}

/** The serving artifact with the configuration as it is now; false when its build is gone. */
async function releaseChange(deps: AppReconcilersDeps, team: string, app: App, environment: string, release: Release, preview: boolean): Promise<boolean> {
  const built = await builtOf(deps.resources, team, release)
  if (!built) return false
  await createRelease(deps, { team, app, spec: app.spec, environment, built, reason: configurationChanged, ...(preview ? { preview: { at: deps.clock.now().toISOString() } } : {}) })
  return true
}

/**
 * A secret need not wait for what was made for a secret alone, nor for a watch. The next release is made from what that one
 * brings: what serves may be older for a moment.
 */
function mayBeOvertaken({ spec, status }: Deployment): boolean {
  return spec.reason?.startsWith('secret ') === true || status?.phase === 'Watching'
}

/** The serving release with the secrets of now: one instance first. */
async function secretsChange(deps: AppReconcilersDeps, team: string, app: App, environment: string, { spec: release }: Release, secrets: SecretRef[], preview: boolean): Promise<void> {
  const replicas = replicasOf(release.processes[webProcess] ?? {}, webProcess, app.spec.scale?.[environment] ?? {})
  const built = { artifact: release.artifact, env: {}, processes: {}, mounts: [], bin: [], ...(release.build === undefined ? {} : { build: release.build }) }
  await createRelease(deps, { team, app, spec: app.spec, environment, built, copyOf: release, reason: secretsReason(release.secrets, secrets), wish: { strategy: 'canary', rollout: secretsRollout(replicas) }, ...(preview ? { preview: { at: deps.clock.now().toISOString() } } : {}) })
}

/** A secret that changes may be in every app of its team. */
export function createSecretWatch({ resources, request }: AppReconcilersDeps): Reconciler {
  return {
    name: 'secret-releases',
    concurrency: 2,
    interests: [
      {
        kind: 'Secret',
        keys: (object, previous) => (inForceText(object) === inForceText(previous) ? [] : [`${object.metadata.namespace}/${(object as Resource<SecretSpec>).spec.app ?? everyApp}`]),
      },
    ],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      const names = name === everyApp ? (await resources.listAll<App>(actor, 'App', team)).map(({ metadata }) => metadata.name) : [name]
      await request(names.map((app) => ({ controller: 'apps', key: `${team}/${app}` })))
      return done
    },
  }
}

const everyApp = '*'

function inForceText(object: Resource | undefined): string {
  const { spec, status, metadata } = (object ?? {}) as Partial<Resource<SecretSpec, SecretStatus>>
  return JSON.stringify([spec, status?.version, metadata?.deletionTimestamp])
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

async function writeStatus({ resources, clock }: AppReconcilersDeps, team: string, app: App, { deployments, sets }: AppContext, environments: string[], refused: ReadonlyMap<string, ErrorObject>): Promise<void> {
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
        ...(isPreview(newest) ? { preview: true } : {}),
        ...(refused.has(environment) ? { refused: refused.get(environment)! } : {}),
      },
    ] as const
  })
  // How a branch does says nothing of the app.
  const lasting = states.filter(([, { preview }]) => !preview)
  const unhealthy = sets.filter(({ metadata, spec, status }) => !metadata.deletionTimestamp && !isPreview({ metadata }) && isServing(deployments, metadata.labels?.[labels.deployment]) && (status?.ready ?? 0) < spec.replicas)
  const serves = lasting.length > 0 && lasting.every(([, { release }]) => release !== undefined)
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
