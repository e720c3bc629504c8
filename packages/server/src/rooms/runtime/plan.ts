/** Pure: from resources to the agent's desired state, and from what the agent observes to a status. */
import type {
  Condition,
  DesiredRoute,
  DesiredSet,
  Image,
  InstanceSetSpec,
  InstanceSetStatus,
  InstanceStatus,
  Resource,
  RouteSpec,
  RouteStatus,
  Workload,
  WorkloadImage,
} from '@pavior/contract'
import { withTransition } from '../../kernel/conditions.ts'

export type InstanceSet = Resource<InstanceSetSpec, InstanceSetStatus>
export type Route = Resource<RouteSpec, RouteStatus>

const defaultProbe = { intervalMs: 10_000, timeoutMs: 2000, failureThreshold: 3 }
/** A process that does not listen counts as healthy after this long without exiting. */
const workerMinReadyMs = 1000

/** Begins the variables that say where telemetry goes, and with which token. */
const exporterPrefix = 'OTEL_EXPORTER_OTLP_'

/**
 * What something gets to prove who it is, beside its secrets. What the app sets itself stands; if it sends its telemetry
 * elsewhere, our token does not go there.
 */
export function withIdentity(secrets: Workload['secrets'], variables: Record<string, string>, env: Record<string, string> = {}): Workload['secrets'] {
  if (secrets === 'kept') return secrets
  const set = new Set([...Object.keys(env), ...Object.keys(secrets?.env ?? {}), ...Object.keys(secrets?.files ?? {})])
  const elsewhere = [...set].some((name) => name.startsWith(exporterPrefix))
  const given = Object.entries(variables).filter(([name]) => !name.startsWith('OTEL_') || !(set.has(name) || (elsewhere && name.startsWith(exporterPrefix))))
  return { files: {}, ...secrets, env: { ...Object.fromEntries(given), ...secrets?.env } }
}

/** A running copy of a process, with what is known of it from its set. */
export interface RunningInstance {
  id: string
  team: string
  app: string
  environment: string
  release: number
  process: string
  port?: number
  healthy: boolean
  startedAt?: string
  asleep: boolean
  metrics?: InstanceSetSpec['metrics']
  restarts: number
  /** How often it ended because it reached its memory limit. */
  outOfMemoryKills: number
  cpuSeconds?: number
  memoryBytes?: number
}

export function runningInstances(sets: Iterable<InstanceSet>, instances: readonly InstanceStatus[]): RunningInstance[] {
  const byUid = new Map([...sets].map((set) => [set.metadata.uid, set]))
  return instances.flatMap(({ id, set: uid, state, port, startedAt, restarts, outOfMemoryKills = 0, asleepSince, cpuSeconds, memoryBytes }) => {
    const set = byUid.get(uid)
    if (!set || state === 'stopped') return []
    const { app, environment, release, process, metrics } = set.spec
    return [{ id, team: set.metadata.namespace!, app, environment, release, process, healthy: state === 'healthy', asleep: asleepSince !== undefined, restarts, outOfMemoryKills, ...defined({ port, startedAt, metrics, cpuSeconds, memoryBytes }) }]
  })
}

/** Only sets whose artifact is at hand can be wanted; `directoryOf` tells where it is. */
export function desiredSet({ metadata, spec }: InstanceSet, directoryOf: (digest: string) => string, secrets?: Workload['secrets']): DesiredSet {
  const { health = {} } = spec
  return {
    id: metadata.uid,
    environment: spec.environment,
    release: spec.release,
    process: spec.process,
    replicas: spec.replicas,
    workload: {
      team: metadata.namespace!,
      app: spec.app,
      directory: directoryOf(spec.artifact),
      writable: false,
      command: spec.command,
      env: spec.env,
      ...(secrets === undefined ? {} : { secrets }),
      limits: { memoryBytes: spec.memoryBytes, cpu: spec.cpu, pids: spec.pids },
      mounts: (spec.mounts ?? []).map((path) => ({ source: path, target: path, readOnly: true })),
      ...(spec.image === undefined ? {} : { image: workloadImage(spec.image) }),
    },
    // Beside the workload: another hint is no reason to start anything again.
    ...(spec.image?.ports === undefined ? {} : { exposedPorts: spec.image.ports }),
    listens: spec.listens,
    probe: {
      ...(health.path === undefined ? {} : { path: health.path }),
      intervalMs: health.intervalSeconds === undefined ? defaultProbe.intervalMs : health.intervalSeconds * 1000,
      timeoutMs: health.timeoutSeconds === undefined ? defaultProbe.timeoutMs : health.timeoutSeconds * 1000,
      failureThreshold: health.failureThreshold ?? defaultProbe.failureThreshold,
    },
    startTimeoutMs: spec.startTimeoutMs,
    minReadyMs: workerMinReadyMs,
    stopGraceMs: spec.stopGraceMs,
    drainTimeoutMs: spec.drainTimeoutMs,
    ...(spec.restartToken === undefined ? {} : { restartToken: spec.restartToken }),
    ...(spec.sleepAfterMs === undefined ? {} : { sleepAfterMs: spec.sleepAfterMs }),
  }
}

export function workloadImage({ directory, user, home, stopSignal }: Image): WorkloadImage {
  return { directory, user, home, ...(stopSignal === undefined ? {} : { stopSignal }) }
}

/** One entry a host; backends that name no existing set are left out. */
export function desiredRoutes({ metadata, spec }: Route, uidOfSet: (team: string, name: string) => string | undefined): DesiredRoute[] {
  const backends = spec.backends.flatMap(({ instanceSet, weight }) => {
    const set = uidOfSet(metadata.namespace!, instanceSet)
    return set === undefined ? [] : [{ set, weight }]
  })
  return spec.hosts.map((host) => ({
    id: `${metadata.uid}/${host}`,
    team: metadata.namespace!,
    app: spec.app,
    environment: spec.environment,
    host,
    path: spec.path ?? '/',
    backends,
    ...testersOf(spec, (name) => uidOfSet(metadata.namespace!, name)),
    requestTimeoutMs: spec.requestTimeoutMs,
  }))
}

function testersOf({ testers }: RouteSpec, uidOf: (name: string) => string | undefined): Pick<DesiredRoute, 'testers'> {
  const set = testers && uidOf(testers.instanceSet)
  if (set === undefined) return {}
  const { instanceSet: _, ...mark } = testers!
  return { testers: { ...mark, set } }
}

export function statusOf(set: InstanceSet, instances: InstanceStatus[], now: string): InstanceSetStatus {
  const own = instances.filter((instance) => instance.set === set.metadata.uid).toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const ready = own.filter((instance) => instance.state === 'healthy').length
  const troubled = own.find((instance) => instance.problem)
  const wanted = set.spec.replicas
  const condition: Omit<Condition, 'lastTransitionTime'> = {
    type: 'Ready',
    status: ready >= wanted ? 'True' : 'False',
    reason: ready >= wanted ? 'AllHealthy' : (troubled?.problem?.code ?? 'Starting'),
    message: ready >= wanted ? `${ready} of ${wanted} instances are healthy.` : (troubled?.problem?.message ?? `${ready} of ${wanted} instances are healthy.`),
    observedGeneration: set.metadata.generation,
  }
  return {
    replicas: own.length,
    ready,
    instances: own.map(({ id, state, port, pid, startedAt, restarts, asleepSince }) => ({ name: id, state, ...defined({ port, pid, startedAt, asleepSince }), restarts })),
    crashLoop: own.some((instance) => instance.crashLoop),
    ...(troubled?.problem ? { problem: troubled.problem } : {}),
    conditions: [withTransition(condition, set.status?.conditions, now)],
    observedGeneration: set.metadata.generation,
  }
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}
