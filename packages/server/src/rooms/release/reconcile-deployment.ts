/** Carries one Deployment on by what `planRollout` decides, until there is nothing to do but wait. */
import type { DeploymentStatus, ReleaseSpec, Resource, RouteSpec, SloSpec, SloStatus, TaskStatus } from '@pavior/contract'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, itself, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { withTransition } from '../../kernel/conditions.ts'
import { wantedRoutes, type HostPolicy } from './hosts.ts'
import { pinOut } from './commands.ts'
import { actor, byApp, isActive, type App, type Deployment, type InstanceSet, type Release } from './context.ts'
import { deployment as deploymentKind } from './kinds.ts'
import { isPreview, labels, ownedBy, previewLabel, releaseName, routeName, setName } from './names.ts'
import { observe, taskId, type ObserveDeps, type Situation } from './observe.ts'
import { finalPhases, type Action, type Backends } from './observed.ts'
import { nextSteps, planRollout } from './plan.ts'
import type { Prober } from './ports.ts'
import { sleepAfterMsOf } from './previews/sleep.ts'
import { bytesOf, commandOf, instanceEnv, releaseProcess, wantedSets } from './snapshot.ts'
import { trialReplicas } from './strategy.ts'
import { trialStrategy } from './trial.ts'

const deployments = 'deployments'
const defaultRequestTimeoutSeconds = 60
const releaseTaskTimeoutMs = 1_200_000
const releaseTaskMemory = '1Gi'
const releaseTaskPids = 512
const cancelGraceMs = 10_000
/** Waiting is for changes of resources; this is only a safety net. */
const lookAgainMs = 15_000
const taskLookAgainMs = 2000
/** Between two looks of the judge; what the router counts comes every few seconds. */
const judgeAgainMs = 1000

export interface DeploymentDeps extends ObserveDeps {
  prober: Prober
  hostPolicy: (team: string) => HostPolicy
  routerUrl: (host: string) => string
  events: EventRecorder
  /** Asks a reconciler for a run. */
  request: (entries: { controller: string; key: string }[]) => Promise<void>
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

const everyTeam = '*'

/** Deployments that are held hear at once when a freeze, a budget or what their environment asks for changes. */
export function createGateWatch({ resources, request }: DeploymentDeps): Reconciler {
  const team = ({ metadata }: Resource): string[] => [metadata.namespace!]
  return {
    name: 'deployment-gates',
    concurrency: 2,
    interests: [{ kind: 'Freeze', keys: team }, { kind: 'Environment', keys: team }, { kind: 'PlatformFreeze', keys: () => [everyTeam] }, { kind: 'Slo', keys: (object, previous) => (gateOf(object) === gateOf(previous) ? [] : team(object)) }],
    reconcile: async (key) => {
      for (const phase of ['Waiting', 'Shifting']) {
        const held = await resources.listAll<Deployment>(actor, 'Deployment', key === everyTeam ? undefined : key, { fields: [{ path: 'status.phase', operator: '=', value: phase }] })
        await request(held.map(({ metadata }) => ({ controller: deployments, key: `${metadata.namespace}/${metadata.name}` })))
      }
      return done
    },
  }
}

/** What of an objective a gate goes by. */
function gateOf(slo: Resource | undefined): string {
  const { budgetPolicy, draft, app, environment } = (slo?.spec ?? {}) as Partial<SloSpec>
  const gone = slo === undefined || slo.metadata.deletionTimestamp !== undefined
  return JSON.stringify([gone, (slo?.status as SloStatus | undefined)?.state === 'Exhausted', budgetPolicy?.onExhausted, draft === true, app, environment])
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
      case 'scaleSet':
        await scaleSet(deps, situation, action.name, action.replicas)
        break
      case 'writeRoutes':
        await writeRoutes(deps, situation.team, situation.context.app!, situation.deployment.spec.environment, situation.deployment.metadata.name, action.backends, testersOf(situation, action.testersTo))
        break
      case 'probe':
        await probe(deps, situation, action.set, action.requests)
        break
      case 'note':
        await note(deps, situation, { ...(action.trial ? { trial: action.trial } : {}), ...(action.gates ? { waitingFor: action.gates } : {}) })
        break
      case 'phase':
        await changePhase(deps, situation, action)
        break
      case 'wait':
        return after(situation.observed.phase === 'Releasing' ? taskLookAgainMs : action.soon ? judgeAgainMs : lookAgainMs)
    }
  }
  return undefined
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
    secrets: spec.secrets ?? [],
    environment,
    mounts: spec.mounts ?? [],
    image: spec.image,
    limits: { memoryBytes: bytesOf(process.memory ?? releaseTaskMemory), cpu: process.cpu ?? 1, pids: process.pids ?? releaseTaskPids },
    timeoutMs: releaseTaskTimeoutMs,
  })
}

async function createSets({ resources }: DeploymentDeps, { deployment, release, context, team, environment: declared, observed }: Situation, names: string[]): Promise<void> {
  const { app, environment } = deployment.spec
  const { name } = deployment.metadata
  const { spec } = context.app!
  const trial = observed.phase === 'Starting' ? trialStrategy(observed) : undefined
  const wanted = wantedSets({ team, app, environment, release: release!.spec, scale: spec.scale?.[environment] ?? {}, restartToken: spec.restart?.[environment], sleepAfterMs: sleepAfterMsOf(declared) })
  for (const set of wanted) {
    if (!names.includes(setName(name, set.process))) continue
    const metadata = {
      name: setName(name, set.process),
      labels: { [labels.app]: app, [labels.environment]: environment, [labels.deployment]: name, [labels.process]: set.process, ...previewLabel(isPreview(deployment)) },
      ownerReferences: ownedBy(context.app!),
      finalizers: ['pavior.dev/instances'],
    }
    const replicas = trial ? trialReplicas(set.spec.replicas, trial, 0) : set.spec.replicas
    await resources.create(actor, 'InstanceSet', team, { metadata, spec: { ...set.spec, replicas } }).catch(ignore('ALREADY_EXISTS'))
  }
}

async function scaleSet({ resources }: DeploymentDeps, { team }: Situation, name: string, replicas: number): Promise<void> {
  await resources.mutate<InstanceSet>(actor, { kind: 'InstanceSet', namespace: team, name }, (current) => ({ ...current!, spec: { ...current!.spec, replicas } })).catch(ignore('NOT_FOUND'))
}

function testersOf({ observed }: Situation, set: string | undefined): RouteSpec['testers'] {
  const { testers } = observed.strategy
  return set === undefined || testers === undefined ? undefined : { ...testers, instanceSet: set }
}

/** Too little traffic to judge by: the platform asks the new instances for their health path itself. */
async function probe(deps: DeploymentDeps, situation: Situation, name: string, requests: number): Promise<void> {
  const set = situation.context.sets.find(({ metadata }) => metadata.name === name)
  if (!set) return
  const synthetic = await deps.prober.ask(set.metadata.uid, set.spec.health?.path ?? '/', requests)
  await note(deps, situation, { trial: { ...situation.observed.trial!, synthetic } })
}

async function note({ resources }: DeploymentDeps, { deployment, team }: Situation, more: Partial<DeploymentStatus>): Promise<void> {
  await resources
    .mutate<Deployment>(actor, { kind: 'Deployment', namespace: team, name: deployment.metadata.name }, (current) => ({ ...current!, status: { ...current!.status, ...more } }), { subresource: 'status' })
    .catch(ignore('NOT_FOUND'))
}

async function deleteSets({ resources }: DeploymentDeps, { team }: Situation, names: string[]): Promise<void> {
  for (const name of names) await resources.delete(actor, { kind: 'InstanceSet', namespace: team, name }).catch(ignore('NOT_FOUND'))
}

/** Leads every route of the app and environment alike; makes missing ones and removes those that are declared no longer. */
export async function writeRoutes({ resources, hostPolicy }: Pick<DeploymentDeps, 'resources' | 'hostPolicy'>, team: string, app: App, environment: string, deployment: string, backends: Backends, testers?: RouteSpec['testers']): Promise<void> {
  const name = app.metadata.name
  const wanted = wantedRoutes(name, team, environment, app.spec, hostPolicy(team))
  const requestTimeoutMs = (app.spec.requestTimeoutSeconds ?? defaultRequestTimeoutSeconds) * 1000
  for (const { suffix, hosts, path } of wanted) {
    const metadata = {
      name: routeName(name, environment, suffix),
      labels: { [labels.app]: name, [labels.environment]: environment, [labels.deployment]: deployment },
      ownerReferences: ownedBy(app),
    }
    const spec = { app: name, environment, hosts, path, requestTimeoutMs, backends, ...(testers === undefined ? {} : { testers }) }
    await resources.mutate(actor, { kind: 'Route', namespace: team, name: metadata.name }, (current) => (current ? { ...current, metadata: { ...current.metadata, labels: metadata.labels }, spec } : { metadata, spec }), { upsert: true })
  }
  const { items } = await resources.list(actor, 'Route', team, { labels: [{ key: labels.app, operator: 'In', values: [name] }, { key: labels.environment, operator: 'In', values: [environment] }] })
  for (const route of items) {
    if (wanted.some(({ suffix }) => routeName(name, environment, suffix) === route.metadata.name)) continue
    await resources.delete(actor, { kind: 'Route', namespace: team, name: route.metadata.name }).catch(ignore('NOT_FOUND'))
  }
}

/** A release that did not stand its trial is not tried again until something new is pushed. */
async function pinBack(resources: Resources, { team, release: bad, deployment, observed }: Situation, reason: string): Promise<void> {
  const { app, environment } = deployment.spec
  const good = observed.serving === undefined ? undefined : await resources.get<Release>(actor, { kind: 'Release', namespace: team, name: releaseName(app, observed.serving) })
  if (bad && good) await pinOut(resources, team, app, environment, { good, bad, reason })
}

async function changePhase({ resources, hostPolicy, routerUrl, events, clock }: DeploymentDeps, situation: Situation, action: Action & { type: 'phase' }): Promise<void> {
  const { deployment, team, context, observed } = situation
  const now = clock.now().toISOString()
  const { app, environment } = deployment.spec
  const before = deployment.status ?? {}
  const final = finalPhases.has(action.phase)
  if (action.phase === 'RolledBack') await pinBack(resources, situation, action.problem?.message ?? action.message)
  const host = wantedRoutes(app, team, environment, {}, hostPolicy(team))[0]!.hosts[0]!
  const status: DeploymentStatus = {
    ...before,
    phase: action.phase,
    message: action.problem?.message ?? action.message,
    ...(observed.webSet === undefined ? {} : { url: routerUrl(host) }),
    ...(observed.serving === undefined || before.previousRelease !== undefined ? {} : { previousRelease: observed.serving }),
    steps: nextSteps(before.steps ?? [], observed.phase, action.phase, action.message, now),
    strategy: observed.strategy,
    ...(action.trial ? { trial: action.trial } : {}),
    ...(observed.notes.length > 0 ? { notes: observed.notes } : {}),
    // Time that it waits for people is not time that it takes.
    ...(action.phase === 'Waiting' ? { waitingFor: action.gates ?? [] } : { startedAt: before.startedAt ?? now, waitingFor: undefined }),
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
