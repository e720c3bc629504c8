/** Everything that one look at a rollout needs: the deployment, what is around it, and what was counted. */
import { isDeepStrictEqual } from 'node:util'
import { frozenBy, type EnvironmentSpec, type ErrorObject, type FreezeSpec, type Frozen, type ReleaseSpec, type Resource, type SloSpec, type SloStatus } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { actor, isActive, readContext, servingDeployment, type AppContext, type Deployment, type InstanceSet, type Release } from './context.ts'
import { openIncidents } from './incidents.ts'
import { gatesOf, type Budget, type Gates } from './gates.ts'
import type { Sample } from './judge.ts'
import type { Measure } from './measure.ts'
import { labels, numberOf, releaseName, setName } from './names.ts'
import type { Observed, Readings, Trial } from './observed.ts'
import type { ArtifactTasks, Observations, TrafficReadings } from './ports.ts'
import { releaseProcess, replicasOf, webProcess } from './snapshot.ts'
import { resolveStrategy } from './strategy.ts'

const defaultTimeoutSeconds = 1800
/** Traffic over these tells whether a step can see enough requests; the short one knows of load that has just begun. */
const rateWindowsMs = [300_000, 10_000]
/** Counts that nobody has asked for any longer than this say nothing of what goes on now. */
const staleMs = 4000
const readingPhases = new Set(['Shifting', 'Switching', 'Watching'])
const gatedPhases = new Set(['Pending', 'Waiting'])
const freezablePhases = new Set([...gatedPhases, 'Shifting'])

export interface ObserveDeps {
  resources: Resources
  tasks: ArtifactTasks
  readings: TrafficReadings
  observations: Observations
  measure: Measure
  clock: Clock
}

export interface Situation {
  deployment: Deployment
  release: Release | undefined
  context: AppContext
  team: string
  /** Where it goes; undefined when nobody declared it. */
  environment: EnvironmentSpec | undefined
  observed: Observed
}

export function taskId({ metadata }: Deployment): string {
  return `release-${metadata.uid}`
}

export async function observe(deps: ObserveDeps, team: string, name: string): Promise<Situation | undefined> {
  const { resources, tasks } = deps
  const deployment = await resources.get<Deployment>(actor, { kind: 'Deployment', namespace: team, name })
  if (!deployment) return undefined
  const { app, environment, release: version, timeoutSeconds = defaultTimeoutSeconds } = deployment.spec
  const [context, release, declared] = await Promise.all([
    readContext(resources, team, app),
    resources.get<Release>(actor, { kind: 'Release', namespace: team, name: releaseName(app, version) }),
    resources.get<Resource<EnvironmentSpec>>(actor, { kind: 'Environment', namespace: team, name: environment }),
  ])
  const phase = deployment.status?.phase ?? 'Pending'
  const siblings = context.deployments.filter(({ spec, metadata }) => spec.environment === environment && metadata.name !== name)
  const number = numberOf(deployment)
  const processes = Object.keys(release?.spec.processes ?? {}).filter((process) => process !== releaseProcess)
  const webSet = processes.includes(webProcess) ? setName(name, webProcess) : undefined
  const sets = context.sets.filter(({ spec }) => spec.environment === environment)
  const stable = servingDeployment(siblings, environment)
  const stableSet = sets.find(({ metadata }) => stable && metadata.name === setName(stable.metadata.name, webProcess) && !metadata.deletionTimestamp)
  const { trial } = deployment.status ?? {}
  const strategy = deployment.status?.strategy ?? resolveStrategy(deployment.spec, declared?.spec)
  const freezes = freezablePhases.has(phase) ? await freezesOf(resources, team) : []
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
    webReplicas: webSet === undefined ? 0 : replicasOf(release!.spec.processes[webProcess]!, webProcess, context.app?.spec.scale?.[environment] ?? {}),
    stableSet: stableSet?.metadata.name,
    stableReady: (stableSet?.status?.ready ?? 0) > 0,
    ...routesState(context, environment),
    strategy,
    ...(gatedPhases.has(phase) ? await gates(deps, deployment, declared?.spec, release?.spec, stable, context, freezes) : { gates: [], notes: [], refusal: undefined }),
    waitingFor: deployment.status?.waitingFor ?? [],
    trial,
    readings: stable && readingPhases.has(phase) ? await read(deps, team, deployment, stable.spec.release, trial) : undefined,
    saturation: readingPhases.has(phase) ? await saturationOf(deps, sets.find(({ metadata }) => metadata.name === webSet)) : undefined,
    measured: trial?.since !== undefined && stable && release && readingPhases.has(phase) ? await deps.measure(strategy.judge, { team, app, environment, release: version, stable: stable.spec.release, cpu: cpuOf(sets, webSet) }) : undefined,
    paused: deployment.spec.paused === true,
    frozen: deployment.spec.rollbackTo || deployment.spec.override ? undefined : textOf(frozenBy(freezes, { environment, tier: declared?.spec.tier ?? 'production' }, deps.clock.now())),
    resumedStep: deployment.spec.resumedStep ?? -1,
    promoted: deployment.spec.promoted === true,
    problem: deployment.status?.problem as ErrorObject | undefined,
    startedAt: deployment.status?.startedAt,
    timeoutMs: timeoutSeconds * 1000,
    serving: stable?.spec.release,
  }
  return { deployment, release, context, team, environment: declared?.spec, observed }
}

async function gates({ resources, clock }: ObserveDeps, { metadata, spec, status }: Deployment, environment: EnvironmentSpec | undefined, release: ReleaseSpec | undefined, stable: Deployment | undefined, { deployments }: AppContext, freezes: FreezeSpec[]): Promise<Gates> {
  const artifactOf = async (one: Deployment): Promise<string | undefined> =>
    (await resources.get<Release>(actor, { kind: 'Release', namespace: metadata.namespace!, name: releaseName(spec.app, one.spec.release) }))?.spec.artifact
  const before = environment?.after === undefined ? undefined : servingDeployment(deployments, environment.after)
  return gatesOf({
    spec,
    environment,
    release,
    serving: stable && (await artifactOf(stable)),
    before: before && { artifact: (await artifactOf(before)) ?? '', since: new Date(before.status!.finishedAt ?? before.metadata.creationTimestamp) },
    approvals: status?.approvals ?? [],
    freezes,
    budgets: await budgetsOf(resources, metadata.namespace!, spec.app, spec.environment),
    incidents: await openIncidents(resources, metadata.namespace!, spec.app, spec.environment),
    now: clock.now(),
  })
}

/** Where an objective names no environment it is about this one. */
const usualEnvironment = 'production'

/** Objectives of an app in an environment, as gates look at them. */
export async function budgetsOf(resources: Resources, team: string, app: string, environment: string): Promise<Budget[]> {
  const slos = await resources.listAll<Resource<SloSpec, SloStatus>>(actor, 'Slo', team, { fields: [{ path: 'spec.app', operator: '=', value: app }] })
  return slos
    .filter(({ spec }) => (spec.environment ?? usualEnvironment) === environment)
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      onExhausted: spec.budgetPolicy?.onExhausted ?? 'warn',
      draft: spec.draft === true,
      state: status?.state === 'Exhausted' ? 'exhausted' : status?.budget ? 'left' : 'unknown',
      used: 1 - (status?.budget?.remaining ?? 1),
      since: status?.since,
    }))
}

export async function freezesOf(resources: Resources, team: string): Promise<FreezeSpec[]> {
  const [own, everywhere] = await Promise.all([resources.listAll<Resource<FreezeSpec>>(actor, 'Freeze', team), resources.listAll<Resource<FreezeSpec>>(actor, 'PlatformFreeze')])
  return [...own, ...everywhere].map(({ spec }) => spec)
}

function textOf(frozen: Frozen | undefined): string | undefined {
  return frozen && `Changes are frozen: ${frozen.reason}`
}

/** Cores that an instance may use. */
function cpuOf(sets: InstanceSet[], name: string | undefined): number {
  return sets.find(({ metadata }) => metadata.name === name)?.spec.cpu ?? 1
}

/** Memory against its limit: of the fullest instance. */
async function saturationOf({ observations }: ObserveDeps, set: InstanceSet | undefined): Promise<number | undefined> {
  if (!set) return undefined
  // An agent that does not answer has measured nothing.
  const instances = await observations.instances().catch(() => [])
  const held = instances.filter((instance) => instance.set === set.metadata.uid).flatMap(({ memoryBytes }) => memoryBytes ?? [])
  return held.length === 0 ? undefined : Math.max(...held) / set.spec.memoryBytes
}

/** Where the routes lead, when all of them lead to the same. */
function routesState({ routes }: AppContext, environment: string): Pick<Observed, 'backends' | 'testersTo' | 'routed'> {
  const own = routes.filter(({ spec, metadata }) => spec.environment === environment && !metadata.deletionTimestamp)
  const first = own[0]?.spec
  const alike = own.every(({ spec }) => isDeepStrictEqual([spec.backends, spec.testers], [first?.backends, first?.testers]))
  return {
    backends: alike ? first?.backends : undefined,
    testersTo: first?.testers?.instanceSet,
    routed: own.every(({ status, metadata }) => status?.observedGeneration === metadata.generation),
  }
}

async function read({ readings, clock }: ObserveDeps, team: string, { spec }: Deployment, stable: number, trial: Trial | undefined): Promise<Readings | undefined> {
  const now = clock.now()
  if (now.getTime() - readings.takenAt().getTime() > staleMs) return undefined
  const of = { team, app: spec.app, environment: spec.environment }
  const windows = rateWindowsMs.map((windowMs) => new Date(now.getTime() - windowMs))
  const [onTrial, ...before] = await readings.since(of, [trial?.since === undefined ? now : new Date(trial.since), ...windows])
  const since: Map<number, Sample> = trial?.since === undefined ? new Map() : onTrial!
  const rates = before.map((samples, index) => [...samples.values()].reduce((sum, { requests }) => sum + requests, 0) / (rateWindowsMs[index]! / 1000))
  const none = { requests: 0, errors: 0, p95Ms: null, p99Ms: null }
  return { canary: since.get(spec.release) ?? none, stable: since.get(stable) ?? none, perSecond: Math.max(...rates) }
}
