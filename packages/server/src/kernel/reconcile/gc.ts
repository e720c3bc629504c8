/** Garbage collection: what is owned goes with its owner. Background, foreground and orphan, as in Kubernetes. */
import type { Resource } from '@pavior/contract'
import { systemActor } from '../actor.ts'
import type { Database } from '../db/index.ts'
import { ignore } from '../errors.ts'
import type { KindRegistry } from '../kind.ts'
import { foregroundFinalizer, orphanFinalizer } from '../resources/states.ts'
import type { Resources } from '../resources/index.ts'
import { readDependents, uidExists } from '../store/store.ts'
import { after, done, type Outcome, type Reconciler } from './types.ts'

const actor = systemActor('garbage-collector')
const foregroundCheckMs = 1000

export function createGarbageCollector({ database, resources, kinds }: { database: Database; resources: Resources; kinds: KindRegistry }): Reconciler {
  return {
    name: 'garbage-collector',
    concurrency: 4,
    // The key names an owner. A dependant wakes its owner's key too: at its birth the owner may be gone already, at its end the owner may wait for it.
    interests: kinds.all.map(({ kind }) => ({
      kind,
      keys: (object, previous) => [
        ...(object.metadata.deletionTimestamp ? [ownKey(object)] : []),
        ...(previous === undefined || object.metadata.deletionTimestamp ? ownersOf(object) : []),
      ],
    })),
    reconcile: async (key) => {
      const [uid, kind, namespace, name] = key.split('|') as [string, string, string, string]
      const owner = kinds.find(kind) && (await resources.get(actor, { kind, namespace, name }))
      if (owner?.metadata.uid === uid && owner.metadata.deletionTimestamp) return collectHeld(owner, uid)
      if (await uidExists(database, uid)) return done
      return collect(uid)
    },
  }

  function ownersOf({ metadata }: Resource): string[] {
    return (metadata.ownerReferences ?? []).map(({ uid, kind, name }) => {
      const namespace = kinds.find(kind)?.scope === 'Cluster' ? '' : (metadata.namespace ?? '')
      return `${uid}|${kind}|${namespace}|${name}`
    })
  }

  /** The owner waits for us: delete or release its dependants, then take our finalizer off. */
  async function collectHeld(owner: Resource, uid: string): Promise<Outcome> {
    const held = owner.metadata.finalizers ?? []
    const dependents = await readDependents(database, uid)
    if (held.includes(orphanFinalizer)) {
      for (const dependent of dependents) await release(dependent, uid)
      await dropFinalizer(owner, orphanFinalizer)
      return done
    }
    if (!held.includes(foregroundFinalizer)) return done
    if (dependents.length === 0) {
      await dropFinalizer(owner, foregroundFinalizer)
      return done
    }
    for (const dependent of dependents) await remove(dependent, 'Foreground')
    return after(foregroundCheckMs)
  }

  async function collect(uid: string): Promise<Outcome> {
    const dependents = await readDependents(database, uid)
    for (const dependent of dependents) {
      const others = (dependent.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid)
      const alive = await Promise.all(others.map((owner) => uidExists(database, owner.uid)))
      if (alive.some(Boolean)) await release(dependent, uid)
      else await remove(dependent, 'Background')
    }
    return dependents.length > 0 ? after(foregroundCheckMs) : done
  }

  async function remove(dependent: Resource, propagationPolicy: 'Foreground' | 'Background'): Promise<void> {
    if (dependent.metadata.deletionTimestamp) return
    await resources.delete(actor, keyOf(dependent), { propagationPolicy, preconditions: { uid: dependent.metadata.uid } }).catch(ignore('NOT_FOUND'))
  }

  async function release(dependent: Resource, uid: string): Promise<void> {
    await resources
      .mutate(actor, keyOf(dependent), (current) => {
        const { ownerReferences = [], ...metadata } = current!.metadata
        return { ...current!, metadata: { ...metadata, ownerReferences: ownerReferences.filter((owner) => owner.uid !== uid) } }
      })
      .catch(ignore('NOT_FOUND'))
  }

  async function dropFinalizer(owner: Resource, finalizer: string): Promise<void> {
    await resources
      .mutate(actor, keyOf(owner), (current) => ({
        ...current!,
        metadata: { ...current!.metadata, finalizers: (current!.metadata.finalizers ?? []).filter((name) => name !== finalizer) },
      }))
      .catch(ignore('NOT_FOUND'))
  }
}

function ownKey({ kind, metadata }: Resource): string {
  return `${metadata.uid}|${kind}|${metadata.namespace ?? ''}|${metadata.name}`
}

function keyOf({ kind, metadata }: Resource): { kind: string; namespace: string; name: string } {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name }
}
