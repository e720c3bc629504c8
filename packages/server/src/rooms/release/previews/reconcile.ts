/**
 * `previews`: says how a preview does, renews its time and ends it. `environment-sleep`: instances follow how soon their
 * environment sleeps. `environment-ends`: what ran in an environment that is gone goes with it.
 */
import type { BuildSpec, BuildStatus, InstanceStatus, PreviewStatus, Resource } from '@pavior/contract'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, resourceKeyText, splitKey, type Outcome, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { actor, readContext, servingDeployment, type App, type AppContext, type Deployment, type InstanceSet, type Release } from '../context.ts'
import { labels } from '../names.ts'
import { finalPhases } from '../observed.ts'
import type { Observations, TrafficReadings } from '../ports.ts'
import type { Environment } from './commands.ts'
import { countUse, planLife } from './plan.ts'
import { sleepAfterMsOf } from './sleep.ts'

const lookAgainMs = 60_000
/** Counts that are older say nothing of whether somebody uses it now. */
const staleCountsMs = 60_000
/** A rollout that was under way may have written something while its environment ended. */
const reapAgainMs = 2000

export interface PreviewReconcilersDeps {
  resources: Resources
  readings: TrafficReadings
  observations: Observations
  events: EventRecorder
  clock: Clock
}

export function createPreviewReconciler(deps: PreviewReconcilersDeps): Reconciler {
  const { resources, events, clock } = deps
  return {
    name: 'previews',
    concurrency: 4,
    interests: [
      { kind: 'Environment', keys: (object) => ((object as Environment).spec.preview ? [resourceKeyText(object)] : []) },
      { kind: 'Deployment', keys: ofPreview },
      { kind: 'InstanceSet', keys: ofPreview },
    ],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      const environment = await resources.get<Environment>(actor, { kind: 'Environment', namespace: team, name })
      if (!environment?.spec.preview) return done
      const { app, branch } = environment.spec.preview
      const context = await readContext(resources, team, app)
      const now = clock.now()
      const { expired, ...life } = await lifeOf(deps, environment, context, now)
      if (expired) {
        await resources.delete(actor, { kind: 'Environment', namespace: team, name }).catch(ignore('NOT_FOUND'))
        if (context.app) await events.record(context.app, 'Normal', 'PreviewEnded', `The preview of ${branch} was deleted: nobody used it since ${life.activeAt}.`, 'release')
        return done
      }
      const preview: PreviewStatus = { ...environment.status?.preview, ...life, ...(await stateOf(deps, environment, context)) }
      await resources
        .mutate<Environment>(actor, { kind: 'Environment', namespace: team, name }, (current) => ({ ...current!, status: { ...current!.status, preview: { ...preview, pushedAt: current!.status?.preview?.pushedAt } } }), { subresource: 'status' })
        .catch(ignore('NOT_FOUND'))
      return after(Math.max(1000, Math.min(lookAgainMs, Date.parse(life.expiresAt) - now.getTime())))
    },
  }
}

function ofPreview({ metadata, spec }: Resource): string[] {
  return metadata.labels?.[labels.preview] ? [`${metadata.namespace}/${(spec as { environment: string }).environment}`] : []
}

async function lifeOf({ readings }: PreviewReconcilersDeps, { metadata, spec, status = {} }: Environment, { deployments }: AppContext, now: Date): Promise<ReturnType<typeof planLife>> {
  const known = status.preview?.activeAt ?? metadata.creationTimestamp
  const [since] = await readings.since({ team: metadata.namespace!, app: spec.preview!.app, environment: metadata.name }, [new Date(known)])
  const newest = deployments.findLast((one) => one.spec.environment === metadata.name)
  return planLife(
    {
      spec: spec.preview!,
      status: status.preview ?? {},
      createdAt: metadata.creationTimestamp,
      requests: [...since!.values()].reduce((sum, { requests }) => sum + requests, 0),
      deployedAt: newest && (newest.status?.finishedAt ?? newest.metadata.creationTimestamp),
      countsKnown: now.getTime() - readings.takenAt().getTime() < staleCountsMs,
    },
    now,
  )
}

async function stateOf({ observations }: PreviewReconcilersDeps, { metadata, status }: Environment, { deployments, sets }: AppContext): Promise<PreviewStatus> {
  const serving = servingDeployment(deployments, metadata.name)
  const newest = deployments.findLast(({ spec }) => spec.environment === metadata.name)
  const own = sets.filter(({ spec }) => spec.environment === metadata.name)
  const instances = await instancesOf(observations, own)
  const pushedAt = status?.preview?.pushedAt
  const spinUpMs = serving?.status?.finishedAt && pushedAt ? Date.parse(serving.status.finishedAt) - Date.parse(pushedAt) : undefined
  return {
    ...(serving?.status?.url === undefined ? {} : { url: serving.status.url }),
    ...(serving === undefined ? {} : { release: serving.spec.release }),
    ...(newest === undefined ? {} : { phase: newest.status?.phase ?? 'Pending' }),
    ...(spinUpMs !== undefined && spinUpMs > 0 ? { spinUpMs } : {}),
    asleep: instances.length > 0 && instances.every(({ asleepSince }) => asleepSince !== undefined),
    ...countUse(status?.preview ?? {}, instances),
  }
}

async function instancesOf(observations: Observations, sets: InstanceSet[]): Promise<InstanceStatus[]> {
  const uids = new Set(sets.map(({ metadata }) => metadata.uid))
  return (await observations.instances()).filter(({ set }) => uids.has(set))
}

export function createSleepFollower({ resources }: PreviewReconcilersDeps): Reconciler {
  return {
    name: 'environment-sleep',
    concurrency: 2,
    interests: [{ kind: 'Environment', keys: (object, previous) => (previous && sleepAfterMsOf((object as Environment).spec) !== sleepAfterMsOf((previous as Environment).spec) ? [resourceKeyText(object)] : []) }],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      const environment = await resources.get<Environment>(actor, { kind: 'Environment', namespace: team, name })
      if (!environment) return done
      const sleepAfterMs = sleepAfterMsOf(environment.spec)
      for (const { metadata } of await ofEnvironment<InstanceSet>(resources, 'InstanceSet', team, name)) {
        await resources
          .mutate<InstanceSet>(actor, { kind: 'InstanceSet', namespace: team, name: metadata.name }, (current) => {
            const { sleepAfterMs: _, ...spec } = current!.spec
            return { ...current!, spec: { ...spec, ...(sleepAfterMs === undefined ? {} : { sleepAfterMs }) } }
          })
          .catch(ignore('NOT_FOUND'))
      }
      return done
    },
  }
}

async function ofEnvironment<R>(resources: Resources, kind: string, team: string, environment: string): Promise<R[]> {
  return resources.listAll<R>(actor, kind, team, { labels: [{ key: labels.environment, operator: 'In', values: [environment] }] })
}

/** Deployments first, so that none makes anything new; then what they made; looked at again until nothing is left. */
export function createEnvironmentReaper({ resources }: PreviewReconcilersDeps): Reconciler {
  return {
    name: 'environment-ends',
    concurrency: 2,
    interests: [{ kind: 'Environment', keys: (object) => (object.metadata.deletionTimestamp ? [resourceKeyText(object)] : []) }],
    reconcile: async (key): Promise<Outcome> => {
      const { namespace: team, name } = splitKey(key)
      if (await resources.get(actor, { kind: 'Environment', namespace: team, name })) return done
      const removed = [await stopBuilds(resources, team, name), await removeAll(resources, team, name), await forgetSettings(resources, team, name)]
      return removed.some(Boolean) ? after(reapAgainMs) : done
    },
  }
}

async function stopBuilds(resources: Resources, team: string, environment: string): Promise<boolean> {
  const builds = (await ofEnvironment<Resource<BuildSpec, BuildStatus>>(resources, 'Build', team, environment)).filter(({ spec, status }) => !spec.canceled && !finalPhases.has(status?.phase ?? ''))
  for (const { metadata } of builds) {
    await resources.mutate<Resource<BuildSpec>>(actor, { kind: 'Build', namespace: team, name: metadata.name }, (current) => ({ ...current!, spec: { ...current!.spec, canceled: true } })).catch(ignore('NOT_FOUND'))
  }
  return builds.length > 0
}

/** Releases of a preview go too: each would keep its artifact. Those of other environments are the history of the app. */
async function removeAll(resources: Resources, team: string, environment: string): Promise<boolean> {
  let any = false
  for (const kind of ['Deployment', 'Route', 'InstanceSet', 'Release']) {
    const found = (await ofEnvironment<Deployment | Release>(resources, kind, team, environment)).filter(({ metadata }) => !metadata.deletionTimestamp && (kind !== 'Release' || metadata.labels?.[labels.preview]))
    for (const { metadata } of found) await resources.delete(actor, { kind, namespace: team, name: metadata.name }).catch(ignore('NOT_FOUND'))
    any ||= found.length > 0
  }
  return any
}

/** Configuration, scale and restarts of an environment stand in the Apps. */
async function forgetSettings(resources: Resources, team: string, environment: string): Promise<boolean> {
  const has = ({ spec }: App): boolean => [spec.config, spec.scale, spec.restart, spec.pinned].some((map) => map?.[environment] !== undefined)
  const apps = (await resources.listAll<App>(actor, 'App', team)).filter(has)
  const without = <T>(map: Record<string, T> | undefined): Record<string, T> | undefined => map && Object.fromEntries(Object.entries(map).filter(([name]) => name !== environment))
  for (const { metadata } of apps) {
    await resources
      .mutate<App>(actor, { kind: 'App', namespace: team, name: metadata.name }, (current) => {
        const { config, scale, restart, pinned, ...spec } = current!.spec
        const kept = { config: without(config), scale: without(scale), restart: without(restart), pinned: without(pinned) }
        return { ...current!, spec: { ...spec, ...Object.fromEntries(Object.entries(kept).filter(([, map]) => map !== undefined)) } }
      })
      .catch(ignore('NOT_FOUND'))
  }
  return apps.length > 0
}
