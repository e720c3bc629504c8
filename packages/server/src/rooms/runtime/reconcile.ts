/**
 * Two reconcilers. `runtime-desired` gives the agent everything that is wanted, whole, whenever any of it changes.
 * `instance-sets` writes what the agent observes into the status of one set, and lets a deleted set go when its last instance is gone.
 */
import type { Resource } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { after, done, resourceKeyText, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { desiredRoutes, desiredSet, statusOf, type InstanceSet, type Route } from './plan.ts'
import type { RuntimeDriver } from './ports.ts'
import { nextGeneration } from './store.ts'

const actor = systemActor('runtime')
export const instancesFinalizer = 'pavior.dev/instances'
const everything = 'everything'
const routedTimeoutMs = 5000
const routedRetryMs = 500

export interface RuntimeReconcilersDeps {
  database: Database
  resources: Resources
  driver: RuntimeDriver
  clock: Clock
  /** Host directory of an artifact. */
  directoryOf: (digest: string) => string
}

export async function listAll<R extends Resource>(resources: Resources, kind: string): Promise<R[]> {
  const items: R[] = []
  let token: string | undefined
  do {
    const page = await resources.list<R>(actor, kind, undefined, { limit: 1000, continue: token })
    items.push(...page.items)
    token = page.continue
  } while (token)
  return items
}

export function createDesiredReconciler({ database, resources, driver, directoryOf }: RuntimeReconcilersDeps): Reconciler {
  return {
    name: 'runtime-desired',
    concurrency: 1,
    interests: [
      { kind: 'InstanceSet', keys: (object, previous) => (specChanged(object, previous) ? [everything] : []) },
      { kind: 'Route', keys: (object, previous) => (specChanged(object, previous) ? [everything] : []) },
    ],
    reconcile: async () => {
      const generation = await nextGeneration(database, driver.observed()?.generation ?? 0)
      const sets = (await listAll<InstanceSet>(resources, 'InstanceSet')).filter(({ metadata }) => !metadata.deletionTimestamp)
      const routes = (await listAll<Route>(resources, 'Route')).filter(({ metadata }) => !metadata.deletionTimestamp)
      const uids = new Map(sets.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.uid]))
      await driver.apply({
        generation,
        sets: sets.map((set) => desiredSet(set, directoryOf)),
        routes: routes.flatMap((route) => desiredRoutes(route, (team, name) => uids.get(`${team}/${name}`))),
      })
      if (!(await routed(driver, generation))) return after(routedRetryMs)
      await confirmRoutes(resources, routes)
      return done
    },
  }
}

/** Resolves with whether every router worker serves this generation. */
function routed(driver: RuntimeDriver, generation: number): Promise<boolean> {
  const deadline = Date.now() + routedTimeoutMs
  return new Promise((resolve) => {
    const check = (): void => {
      if ((driver.observed()?.routedGeneration ?? -1) >= generation) resolve(true)
      else if (Date.now() > deadline) resolve(false)
      else setTimeout(check, 5)
    }
    check()
  })
}

async function confirmRoutes(resources: Resources, routes: Route[]): Promise<void> {
  for (const route of routes) {
    const { generation } = route.metadata
    if (route.status?.observedGeneration === generation) continue
    await resources
      .mutate<Route>(actor, { kind: 'Route', namespace: route.metadata.namespace!, name: route.metadata.name }, (current) => ({ ...current!, status: { ...current!.status, observedGeneration: generation } }), { subresource: 'status' })
      .catch(ignoreGone)
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
      await resources.mutate<InstanceSet>(actor, key, (current) => ({ ...current!, status }), { subresource: 'status' }).catch(ignoreGone)
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
    .catch(ignoreGone)
  return done
}

function specChanged(object: Resource, previous: Resource | undefined): boolean {
  return previous === undefined || object.metadata.generation !== previous.metadata.generation || object.metadata.deletionTimestamp !== undefined
}

function ignoreGone(error: { code?: string }): void {
  if (error.code !== 'NOT_FOUND') throw error
}
