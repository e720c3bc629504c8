import type { Resource } from '@pavior/contract'
import type { KindDefinition } from '../kind.ts'

/** What a run of a reconciler came to. Throwing means: retry with back-off. */
export type Outcome = { type: 'done' } | { type: 'after'; ms: number }

export const done: Outcome = { type: 'done' }
/** Look again after this long, even if nothing happens. */
export const after = (ms: number): Outcome => ({ type: 'after', ms })

export interface Interest {
  kind: string
  /** Keys to reconcile when a resource of the kind changes. `previous` is undefined at creation. */
  keys: (object: Resource, previous: Resource | undefined) => string[]
}

export interface Reconciler {
  /** Name of the controller; also its name as an actor (`system:<name>`). */
  name: string
  /** Keys worked on at once. The same key is never worked on twice at once. */
  concurrency: number
  interests: Interest[]
  /** Level-triggered: reads everything, may run any number of times, never asks what woke it. */
  reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>
}

/** `team/name`, or `name` for cluster kinds: the usual key. */
export function resourceKeyText(resource: Resource): string {
  return resource.metadata.namespace ? `${resource.metadata.namespace}/${resource.metadata.name}` : resource.metadata.name
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** Interest in the resources of a kind themselves. */
export function itself(kind: KindDefinition): Interest {
  return { kind: kind.kind, keys: (object) => [resourceKeyText(object)] }
}
