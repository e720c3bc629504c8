/** What requests say of relations: how often, how well, and which declared ones nobody ever saw. Pure. */
import type { CallRate, CatalogEdge, CatalogOrigin, CatalogRow } from '@pavior/contract'
import type { ObservedCalls } from '../ports.ts'
import type { EntityRef } from './types.ts'

type CallCounts = Awaited<ReturnType<ObservedCalls['callsOf']>>[number]
interface AppName {
  team: string
  app: string
}

export const refOfApp = ({ team, app }: AppName): EntityRef => `component:${team}/${app}`

/** Apps of this platform among what lists show. */
export function appsAmong(rows: Pick<CatalogRow, 'kind' | 'namespace' | 'name' | 'origins'>[]): AppName[] {
  return rows.filter(({ kind, origins }) => kind === 'component' && origins.includes('derived')).map(({ namespace, name }) => ({ team: namespace, app: name }))
}

const keyOf = (source: EntityRef, target: EntityRef): string => `${source} ${target}`

/** Rates by caller and called, over so many minutes. */
export function ratesOf(calls: CallCounts[], minutes: number): Map<string, CallRate> {
  return new Map(
    calls.map(({ from, to, requests, errors, lastSeenAt, unknown }) => [
      keyOf(refOfApp(from), refOfApp(to)),
      { requestsPerMinute: requests / minutes, errorShare: requests === 0 ? null : errors / requests, lastSeenAt: lastSeenAt.toISOString(), ...(unknown > 0 ? { atLeast: true as const } : {}) },
    ]),
  )
}

const observed: CatalogOrigin[] = ['derived', 'traffic']

interface Row {
  source: EntityRef
  type: string
  target: EntityRef
  origins: CatalogOrigin[]
}

/** What is known of a relation beyond its name. Between two apps a dependency that is only declared is one that nobody saw. */
export function edgeOf({ source, type, target, origins }: Row, rates: ReadonlyMap<string, CallRate>, apps: ReadonlySet<EntityRef>): CatalogEdge {
  const [caller, called] = type === 'dependencyOf' ? [target, source] : [source, target]
  const depends = type === 'dependsOn' || type === 'dependencyOf'
  const traffic = depends && origins.includes('traffic') ? rates.get(keyOf(caller, called)) : undefined
  const unseen = depends && origins.length > 0 && !origins.some((origin) => observed.includes(origin)) && apps.has(source) && apps.has(target)
  return { source, type, target, origins, ...(traffic ? { traffic } : {}), ...(unseen ? { unseen } : {}) }
}
