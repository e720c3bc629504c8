/** Which reconcile requests a change makes: asked at every write, so the interests are sorted by kind once. */
import type { Resource } from '@pavior/contract'
import type { Interest, Reconciler } from './types.ts'

export function wakesOf(reconcilers: readonly Reconciler[]): (change: { object: Resource; previous: Resource | undefined }) => { controller: string; key: string }[] {
  let byKind: Map<string, { controller: string; keys: Interest['keys'] }[]> | undefined
  const sorted = (): NonNullable<typeof byKind> => {
    const map = new Map<string, { controller: string; keys: Interest['keys'] }[]>()
    for (const { name, interests } of reconcilers) {
      for (const { kind, keys } of interests) map.set(kind, [...(map.get(kind) ?? []), { controller: name, keys }])
    }
    return map
  }
  return ({ object, previous }) => {
    byKind ??= sorted()
    const wakes = new Map<string, { controller: string; key: string }>()
    for (const { controller, keys } of byKind.get(object.kind) ?? []) {
      for (const key of keys(object, previous)) wakes.set(`${controller}\n${key}`, { controller, key })
    }
    return [...wakes.values()]
  }
}
