/** Carries one Deployment on by what `planRollout` decides, until there is nothing to do but wait. */
import type { DeploymentStatus, ReleaseSpec, TaskStatus } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, itself, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import { withTransition } from '../../kernel/conditions.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { wantedRoutes, type HostPolicy } from './hosts.ts'
import type { ArtifactTasks } from './ports.ts'
import { actor, byApp, isActive, readContext, servingDeployment, type App, type AppContext, type Deployment, type Release } from './context.ts'
import { deployment as deploymentKind } from './kinds.ts'
import { labels, numberOf, ownedBy, releaseName, routeName, setName } from './names.ts'
import { finalPhases, nextSteps, planRollout, type Action, type Observed, type Phase } from './plan.ts'
import { bytesOf, commandOf, instanceEnv, releaseProcess, wantedSets, webProcess } from './snapshot.ts'

const deployments = 'deployments'
const defaultTimeoutSeconds = 1800
const defaultRequestTimeoutSeconds = 60
const releaseTaskTimeoutMs = 1_200_000
const releaseTaskMemory = '1Gi'
const releaseTaskPids = 512
const cancelGraceMs = 10_000
/** Waiting is for changes of resources; this is only a safety net. */
const lookAgainMs = 15_000
const taskLookAgainMs = 2000

export interface DeploymentDeps {
  resources: Resources
  tasks: ArtifactTasks
  hostPolicy: (team: string) => HostPolicy
  routerUrl: (host: string) => string
  events: EventRecorder
  /** Asks a reconciler for a run. */
  request: (entries: { controller: string; key: string }[]) => Promise<void>
  clock: Clock
}

interface Situation {
  deployment: Deployment
  release: Release | undefined
  context: AppContext
  team: string
  observed: Observed
}

export function createDeploymentReconciler(deps: DeploymentDeps): Reconciler {
  return {
    name: deployments,
    concurrency: 8,
    interests: [
      itself(deploymentKind),
      { kind: 'InstanceSet', keys: ({ metadata }) => deploymentOf(metadata) },
      { kind: 'Route', keys: ({ metadata }) => deploymentOf(metadata) },
    ],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      for (;;) {
        const situation = await observe(deps, team, name)
        if (!situation) return done
        const actions = planRollout(situation.observed, deps.clock.now())
        if (actions.length === 0) return done
        const outcome = await carryOut(deps, situation, actions)
        if (outcome) return outcome
      }
    },
  }
}

/** Whoever waits for its turn, or has lost it, hears of a deployment that begins or ends. */
export function createNeighbours({ resources, request }: DeploymentDeps): Reconciler {
  return {
    name: 'deployment-neighbours',
    concurrency: 4,
    interests: [
      {
        kind: 'Deployment',
        keys: (object, previous) => (previous === undefined || object.metadata.deletionTimestamp || !isActive(object as Deployment) ? [`${object.metadata.namespace}/${(object as Deployment).spec.app}`] : []),
      },
    ],
    reconcile: async (key) => {
      const { namespace: team, name: app } = splitKey(key)
      const waiting = (await byApp<Deployment>(resources, 'Deployment', team, app)).filter(isActive)
      await request(waiting.map(({ metadata }) => ({ controller: deployments, key: `${team}/${metadata.name}` })))
      return done
    },
  }
}

/** Ends the release process of a deployment that is deleted while it runs. */
export function createReleaseReaper({ tasks }: DeploymentDeps): Reconciler {
  return {
    name: 'release-reaper',
    concurrency: 2,
    interests: [{ kind: 'Deployment', keys: (object) => (object.metadata.deletionTimestamp && (object as Deployment).status?.phase === 'Releasing' ? [taskId(object as Deployment)] : []) }],
    reconcile: async (task) => {
      await tasks.cancelTask(task, cancelGraceMs)
      return done
    },
  }
}

function deploymentOf({ namespace, labels: own }: { namespace?: string; labels?: Record<string, string> }): string[] {
  const name = own?.[labels.deployment]
  return name ? [`${namespace}/${name}`] : []
}

async function observe({ resources, tasks }: DeploymentDeps, team: string, name: string): Promise<Situation | undefined> {
  const deployment = await resources.get<Deployment>(actor, { kind: 'Deployment', namespace: team, name })
  if (!deployment) return undefined
  const { app, environment, release: version, timeoutSeconds = defaultTimeoutSeconds } = deployment.spec
  const [context, release] = await Promise.all([
    readContext(resources, team, app),
    resources.get<Release>(actor, { kind: 'Release', namespace: team, name: releaseName(app, version) }),
  ])
  const phase = deployment.status?.phase ?? 'Pending'
  const siblings = context.deployments.filter(({ spec, metadata }) => spec.environment === environment && metadata.name !== name)
  const number = numberOf(deployment)
  const processes = Object.keys(release?.spec.processes ?? {}).filter((process) => process !== releaseProcess)
  const webSet = processes.includes(webProcess) ? setName(name, webProcess) : undefined
  const sets = context.sets.filter(({ spec }) => spec.environment === environment)
  const observed: Observed = {
    phase,
    name,
    app,
    release: version,
    canceled: deployment.spec.canceled === true,
    appGone: context.app === undefined,
    releaseGone: release === undefined,
    newer: siblings.find((sibling) => numberOf(sibling) > number)?.metadata.name,
    olderActive: siblings.find((sibling) => numberOf(sibling) < number && isActive(sibling))?.metadata.name,
    releaseTask: release?.spec.processes[releaseProcess] ? ((phase === 'Releasing' && (await tasks.task(taskId(deployment)))) || 'wanted') : undefined,
    wanted: processes.map((process) => setName(name, process)),
    own: sets.filter(({ metadata }) => metadata.labels?.[labels.deployment] === name),
    others: sets.filter(({ metadata }) => metadata.labels?.[labels.deployment] !== name),
    webSet,
    routes: routesState(context, environment, webSet),
    startedAt: deployment.status?.startedAt,
    timeoutMs: timeoutSeconds * 1000,
    serving: servingDeployment(context.deployments, environment)?.spec.release,
  }
  return { deployment, release, context, team, observed }
}

function routesState({ routes }: AppContext, environment: string, webSet: string | undefined): Observed['routes'] {
  const own = routes.filter(({ spec, metadata }) => spec.environment === environment && !metadata.deletionTimestamp)
  if (own.length === 0 || !own.every(({ spec }) => spec.backends.length === 1 && spec.backends[0]!.instanceSet === webSet)) return 'elsewhere'
  return own.every(({ status, metadata }) => status?.observedGeneration === metadata.generation) ? 'served' : 'written'
}

/** Undefined: look again at once. */
async function carryOut(deps: DeploymentDeps, situation: Situation, actions: Action[]): Promise<Outcome | undefined> {
  for (const action of actions) {
    switch (action.type) {
      case 'startReleaseTask':
        await startReleaseTask(deps, situation)
        break
      case 'cancelReleaseTask':
        await deps.tasks.cancelTask(taskId(situation.deployment), cancelGraceMs)
        break
      case 'createSets':
        await createSets(deps, situation, action.names)
        break
      case 'deleteSets':
        await deleteSets(deps, situation, action.names)
        break
      case 'writeRoutes':
        await writeRoutes(deps, situation.team, situation.context.app!, situation.deployment.spec.environment, situation.deployment.metadata.name, situation.observed.webSet!)
        break
      case 'phase':
        await changePhase(deps, situation, action)
        break
      case 'wait':
        return after(situation.observed.phase === 'Releasing' ? taskLookAgainMs : lookAgainMs)
    }
  }
  return undefined
}

export function taskId({ metadata }: Deployment): string {
  return `release-${metadata.uid}`
}

async function startReleaseTask({ tasks }: DeploymentDeps, { deployment, release, team }: Situation): Promise<TaskStatus> {
  const { app, environment } = deployment.spec
  const spec: ReleaseSpec = release!.spec
  const process = spec.processes[releaseProcess]!
  return tasks.run(taskId(deployment), {
    team,
    app,
    artifact: spec.artifact,
    command: commandOf(process.command!, spec),
    env: instanceEnv({ team, app, environment, release: spec }, releaseProcess),
    mounts: spec.mounts ?? [],
    image: spec.image,
    limits: { memoryBytes: bytesOf(process.memory ?? releaseTaskMemory), cpu: process.cpu ?? 1, pids: process.pids ?? releaseTaskPids },
    timeoutMs: releaseTaskTimeoutMs,
  })
}

async function createSets({ resources }: DeploymentDeps, { deployment, release, context, team }: Situation, names: string[]): Promise<void> {
  const { app, environment } = deployment.spec
  const { name } = deployment.metadata
  const { spec } = context.app!
  const wanted = wantedSets({ team, app, environment, release: release!.spec, scale: spec.scale?.[environment] ?? {}, restartToken: spec.restart?.[environment] })
  for (const set of wanted) {
    if (!names.includes(setName(name, set.process))) continue
    const metadata = {
      name: setName(name, set.process),
      labels: { [labels.app]: app, [labels.environment]: environment, [labels.deployment]: name, [labels.process]: set.process },
      ownerReferences: ownedBy(context.app!),
      finalizers: ['pavior.dev/instances'],
    }
    await resources.create(actor, 'InstanceSet', team, { metadata, spec: set.spec }).catch(ignore('ALREADY_EXISTS'))
  }
}

async function deleteSets({ resources }: DeploymentDeps, { team }: Situation, names: string[]): Promise<void> {
  for (const name of names) await resources.delete(actor, { kind: 'InstanceSet', namespace: team, name }).catch(ignore('NOT_FOUND'))
}

/** Leads every route of the app and environment to one set; makes missing ones and removes those that are declared no longer. */
export async function writeRoutes({ resources, hostPolicy }: Pick<DeploymentDeps, 'resources' | 'hostPolicy'>, team: string, app: App, environment: string, deployment: string, webSet: string): Promise<void> {
  const name = app.metadata.name
  const wanted = wantedRoutes(name, team, environment, app.spec, hostPolicy(team))
  const requestTimeoutMs = (app.spec.requestTimeoutSeconds ?? defaultRequestTimeoutSeconds) * 1000
  for (const { suffix, hosts, path } of wanted) {
    const metadata = {
      name: routeName(name, environment, suffix),
      labels: { [labels.app]: name, [labels.environment]: environment, [labels.deployment]: deployment },
      ownerReferences: ownedBy(app),
    }
    const spec = { app: name, environment, hosts, path, requestTimeoutMs, backends: [{ instanceSet: webSet, weight: 100 }] }
    await resources.mutate(actor, { kind: 'Route', namespace: team, name: metadata.name }, (current) => (current ? { ...current, metadata: { ...current.metadata, labels: metadata.labels }, spec } : { metadata, spec }), { upsert: true })
  }
  const { items } = await resources.list(actor, 'Route', team, { labels: [{ key: labels.app, operator: 'In', values: [name] }, { key: labels.environment, operator: 'In', values: [environment] }] })
  for (const route of items) {
    if (wanted.some(({ suffix }) => routeName(name, environment, suffix) === route.metadata.name)) continue
    await resources.delete(actor, { kind: 'Route', namespace: team, name: route.metadata.name }).catch(ignore('NOT_FOUND'))
  }
}

async function changePhase({ resources, hostPolicy, routerUrl, events, clock }: DeploymentDeps, { deployment, team, context, observed }: Situation, action: Action & { type: 'phase' }): Promise<void> {
  const now = clock.now().toISOString()
  const { app, environment } = deployment.spec
  const before = deployment.status ?? {}
  const final = finalPhases.has(action.phase)
  const host = wantedRoutes(app, team, environment, {}, hostPolicy(team))[0]!.hosts[0]!
  const status: DeploymentStatus = {
    ...before,
    phase: action.phase,
    message: action.problem?.message ?? action.message,
    ...(observed.webSet === undefined ? {} : { url: routerUrl(host) }),
    ...(observed.serving === undefined || before.previousRelease !== undefined ? {} : { previousRelease: observed.serving }),
    steps: nextSteps(before.steps ?? [], observed.phase as Phase, action.phase, action.message, now),
    startedAt: before.startedAt ?? now,
    ...(action.problem ? { problem: action.problem } : {}),
    ...(final ? { finishedAt: now } : {}),
    conditions: [
      withTransition(
        { type: 'Complete', status: action.phase === 'Succeeded' ? 'True' : 'False', reason: action.phase, message: action.problem?.message ?? action.message, observedGeneration: deployment.metadata.generation },
        before.conditions,
        now,
      ),
    ],
    observedGeneration: deployment.metadata.generation,
  }
  await resources
    .mutate(actor, { kind: 'Deployment', namespace: team, name: deployment.metadata.name }, (current) => ({ ...current!, status }), { subresource: 'status' })
    .catch(ignore('NOT_FOUND'))
  const [type, message] = action.problem ? (['Warning', action.problem.message] as const) : (['Normal', action.message] as const)
  await events.record(deployment, type, action.phase, message, 'release')
  // On the app too: that is what people describe first.
  if (final && context.app) await events.record(context.app, type, `Deployment${action.phase}`, `${deployment.metadata.name}: ${message}`, 'release')
}
