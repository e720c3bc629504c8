/**
 * Two reconcilers. `runtime-desired` gives the agent everything that is wanted, whole, whenever any of it changes.
 * `instance-sets` writes what the agent observes into the status of one set, and lets a deleted set go when its last instance is gone.
 */
import type { DesiredProbe, Resource } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { nextGeneration } from '../../kernel/db/generations.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, resourceKeyText, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { HandOut, Reader } from '../secrets/index.ts'
import { Waiters } from '../../kernel/store/waiters.ts'
import { desiredRoutes, desiredSet, statusOf, withIdentity, type InstanceSet, type Route } from './plan.ts'
import type { Identities, RuntimeDriver } from './ports.ts'

const actor = systemActor('runtime')
export const instancesFinalizer = 'pavior.dev/instances'
const everything = 'everything'
/** Asking for this gives the agent its state anew. */
export const desiredWork = { controller: 'runtime-desired', key: everything }
const routedTimeoutMs = 5000
const routedRetryMs = 500
/** Until secrets that cannot be opened are tried again. */
const sealedRetryMs = 15_000

export interface RuntimeReconcilersDeps {
  database: Database
  resources: Resources
  driver: RuntimeDriver
  clock: Clock
  /** Host directory of an artifact. */
  directoryOf: (digest: string) => string
  secrets: HandOut
  identity: Identities
  /** What is asked from outside of this server. */
  probes: () => DesiredProbe[]
}

export function createDesiredReconciler({ database, resources, driver, directoryOf, secrets, identity, probes, clock }: RuntimeReconcilersDeps): Reconciler {
  const routed = createRoutedWatch(driver, clock)
  return {
    name: desiredWork.controller,
    concurrency: 1,
    interests: [
      { kind: 'InstanceSet', keys: (object, previous) => (specChanged(object, previous) ? [everything] : []) },
      { kind: 'Route', keys: (object, previous) => (specChanged(object, previous) ? [everything] : []) },
    ],
    reconcile: async (_key, signal) => {
      const generation = await nextGeneration(database, 'runtime-generation', driver.observed()?.generation ?? 0)
      const sets = (await resources.listAll<InstanceSet>(actor, 'InstanceSet')).filter(({ metadata }) => !metadata.deletionTimestamp)
      const routes = (await resources.listAll<Route>(actor, 'Route')).filter(({ metadata }) => !metadata.deletionTimestamp)
      const uids = new Map(sets.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.uid]))
      const opened = await secrets.forSets(sets.filter(({ spec }) => spec.secrets !== undefined).map(readerOf))
      await driver.apply({
        generation,
        sets: await Promise.all(sets.map(async (set) => desiredSet(set, directoryOf, withIdentity(opened.get(set.metadata.uid), await identity({ ...readerOf(set), release: set.spec.release }), set.spec.env)))),
        routes: routes.flatMap((route) => desiredRoutes(route, (team, name) => uids.get(`${team}/${name}`))),
        probes: probes(),
      })
      if (!(await routed(generation, signal, routedTimeoutMs))) return after(routedRetryMs)
      await confirmRoutes(resources, routes)
      return [...opened.values()].includes('kept') ? after(sealedRetryMs) : done
    },
  }
}

function readerOf({ metadata, spec }: InstanceSet): Reader {
  return { id: metadata.uid, name: metadata.name, team: metadata.namespace!, app: spec.app, environment: spec.environment, refs: spec.secrets ?? [] }
}

/** Says when every router worker serves a generation, by what the driver reports. */
export function createRoutedWatch(driver: RuntimeDriver, clock: Clock): (generation: number, signal: AbortSignal, timeoutMs: number) => Promise<boolean> {
  const reports = new Waiters()
  driver.onEvent(({ type }) => {
    if (type === 'routed' || type === 'state') reports.release(everything)
  })
  return async (generation, signal, timeoutMs) => {
    const deadlineMs = clock.now().getTime() + timeoutMs
    while ((driver.observed()?.routedGeneration ?? -1) < generation) {
      const leftMs = deadlineMs - clock.now().getTime()
      if (leftMs <= 0 || signal.aborted) return false
      await reports.wait(everything, signal, leftMs)
    }
    return true
  }
}

async function confirmRoutes(resources: Resources, routes: Route[]): Promise<void> {
  for (const route of routes) {
    const { generation } = route.metadata
    if (route.status?.observedGeneration === generation) continue
    await resources
      .mutate<Route>(actor, { kind: 'Route', namespace: route.metadata.namespace!, name: route.metadata.name }, (current) => ({ ...current!, status: { ...current!.status, observedGeneration: generation } }), { subresource: 'status' })
      .catch(ignore('NOT_FOUND'))
  }
}

export function createInstanceSetReconciler({ resources, driver, clock }: RuntimeReconcilersDeps): Reconciler {
  return {
    name: 'instance-sets',
    concurrency: 8,
    interests: [{ kind: 'InstanceSet', keys: (object, previous) => (specChanged(object, previous) ? [resourceKeyText(object)] : []) }],
    reconcile: async (text) => {
      const key = { kind: 'InstanceSet', ...splitKey(text) }
      const set = await resources.get<InstanceSet>(actor, key)
      const observed = driver.observed()
      if (!set || !observed) return set ? after(routedRetryMs) : done
      if (set.metadata.deletionTimestamp) return letGo(resources, set, driver)
      const status = statusOf(set, observed.instances, clock.now().toISOString())
      await resources.mutate<InstanceSet>(actor, key, (current) => ({ ...current!, status }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
      return done
    },
  }
}

/** A deleted set stays visible until the agent has drained and stopped its instances. */
async function letGo(resources: Resources, set: InstanceSet, driver: RuntimeDriver): Promise<Outcome> {
  const left = driver.observed()!.instances.filter((instance) => instance.set === set.metadata.uid && instance.state !== 'stopped')
  if (left.length > 0) return after(routedRetryMs)
  await resources
    .mutate<InstanceSet>(actor, { kind: 'InstanceSet', namespace: set.metadata.namespace!, name: set.metadata.name }, (current) => ({
      ...current!,
      metadata: { ...current!.metadata, finalizers: (current!.metadata.finalizers ?? []).filter((name) => name !== instancesFinalizer) },
    }))
    .catch(ignore('NOT_FOUND'))
  return done
}

function specChanged(object: Resource, previous: Resource | undefined): boolean {
  return previous === undefined || object.metadata.generation !== previous.metadata.generation || object.metadata.deletionTimestamp !== undefined
}
