/** Counts how builds and deployments ended, and how long they took: once each, on one replica, because the queue gives them out. */
import type { Resource } from '@pavior/contract'
import { Counter, Histogram, type Registry } from 'prom-client'
import { systemActor } from '../../../kernel/actor.ts'
import { done, resourceKeyText, splitKey, type Interest, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'

const actor = systemActor('outcomes')
const secondsBuckets = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]

type Ending = Resource<{ app: string; environment?: string }, { phase?: string; finishedAt?: string }>

/** How each of them may end. */
const endings: Record<string, readonly string[]> = {
  Build: ['Succeeded', 'Failed', 'Canceled'],
  Deployment: ['Succeeded', 'Failed', 'RolledBack', 'Superseded', 'Canceled'],
}

function hasEnded(object: Resource | undefined): boolean {
  return object !== undefined && endings[object.kind]!.includes((object as Ending).status?.phase ?? '')
}

export function createOutcomes({ resources, registry }: { resources: Resources; registry: Registry }): Reconciler {
  const counts = new Map(Object.keys(endings).map((kind) => [kind, countersOf(kind, registry)]))
  const ended = (kind: string): Interest => ({ kind, keys: (object, previous) => (hasEnded(object) && previous && !hasEnded(previous) ? [`${kind}/${resourceKeyText(object)}`] : []) })
  return {
    name: 'outcomes',
    concurrency: 1,
    interests: Object.keys(endings).map(ended),
    reconcile: async (text) => {
      const { namespace: kind, name: rest } = splitKey(text)
      const found = await resources.get<Ending>(actor, { kind, ...splitKey(rest) })
      if (found && hasEnded(found)) counts.get(kind)!(found)
      return done
    },
  }
}

function countersOf(kind: string, registry: Registry): (ended: Ending) => void {
  const word = kind.toLowerCase()
  const total = new Counter({ name: `pavior_${word}s_total`, help: `${kind}s of an app that ended, by how.`, labelNames: ['team', 'app', 'environment', 'outcome'] as const, registers: [registry] })
  const seconds = new Histogram({ name: `pavior_${word}_duration_seconds`, help: `From when a ${word} was asked for until it ended, of all teams, by how.`, labelNames: ['outcome'] as const, buckets: secondsBuckets, registers: [registry] })
  // A counter that begins with its first event has not risen.
  for (const outcome of endings[kind]!) seconds.zero({ outcome })
  return ({ metadata, spec, status }) => {
    const outcome = status!.phase!
    const took = (Date.parse(status?.finishedAt ?? '') - Date.parse(metadata.creationTimestamp)) / 1000
    total.inc({ team: metadata.namespace!, app: spec.app, environment: spec.environment ?? '', outcome })
    if (took >= 0) seconds.observe({ outcome }, took)
  }
}
