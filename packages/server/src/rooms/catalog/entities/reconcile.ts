/** Keeps the catalogue in step with what runs: apps, teams, people, and the catalogue files in the repositories of apps. */
import type { AppSpec, AppStatus, EnvironmentSpec, Resource, RouteSpec, TeamSpec, UserSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { after, done, resourceKeyText, splitKey, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { DefinitionReader, ObservedCalls, Repositories, SourceFiles } from '../ports.ts'
import { dateDocs, takeDocs, type Serving } from '../docs/take.ts'
import { servingOf } from '../serving.ts'
import { callerOf, componentOf, groupOf, spokenBy, userOf, usesOf } from './plan.ts'
import { noteSource, replaceLocation, takenSource } from './store.ts'
import { largestFile, readEntities, type Refused } from './validate.ts'

const actor = systemActor('catalog')
/** Apps that others name may come later than those who name them. */
const lookAgainMs = 3600_000
const catalogFiles = ['catalog-info.yaml', 'catalog-info.yml', '.backstage/catalog-info.yaml']

type App = Resource<AppSpec, AppStatus>

/** Asked for a run when an app calls one that it never called before. */
export const appsController = 'catalog-apps'

export interface EntityReconcilersDeps {
  database: Database
  resources: Resources
  routes: Mirror<Resource<RouteSpec>>
  sources: SourceFiles
  definitions: DefinitionReader
  repositories: Pick<Repositories, 'lastTouched'>
  calls: ObservedCalls
  /** How long a dependency is remembered that is seen no more. */
  dependencyMs: number
  clock: Clock
  /** Tells the people of an app what was refused in its catalogue file. */
  warn: (app: App, reason: string, message: string) => Promise<void>
  /** Called when what is known of an app was read anew. */
  taken: (key: string) => Promise<void>
}

/** `app:blue/shop`: who says it, also when the resource is gone. */
const locationOf = (kind: string, key: string): string => `${kind}:${key}`

export function createEntityReconcilers(deps: EntityReconcilersDeps): Reconciler[] {
  return [appEntities(deps), plainEntities(deps, 'Team', (team) => groupOf(team as Resource<TeamSpec>)), plainEntities(deps, 'User', (user) => userOf(user as Resource<UserSpec>))]
}

function plainEntities({ database, resources }: EntityReconcilersDeps, kind: string, derive: (resource: Resource) => ReturnType<typeof groupOf>): Reconciler {
  return {
    name: `catalog-${kind.toLowerCase()}s`,
    concurrency: 2,
    interests: [{ kind, keys: (object) => [resourceKeyText(object)] }],
    reconcile: async (key) => {
      const resource = await resources.get(actor, { kind, ...splitKey(key) })
      await replaceLocation(database, 'derived', locationOf(kind.toLowerCase(), key), resource ? [derive(resource)] : [])
      return done
    },
  }
}

function appEntities(deps: EntityReconcilersDeps): Reconciler {
  const { database, resources } = deps
  return {
    name: appsController,
    concurrency: 2,
    interests: [
      { kind: 'App', keys: (object) => [resourceKeyText(object)] },
      { kind: 'Route', keys: (object) => [`${object.metadata.namespace}/${(object as Resource<RouteSpec>).spec.app}`] },
    ],
    reconcile: async (key) => {
      const app = await resources.get<App>(actor, { kind: 'App', ...splitKey(key) })
      const location = locationOf('app', key)
      if (!app) {
        for (const origin of ['traffic', 'derived', 'repository'] as const) await replaceLocation(database, origin, location, [])
        await noteSource(database, location, undefined)
        return done
      }
      await replaceLocation(database, 'derived', location, [componentOf({ app, tiers: await tiersOf(resources, app), uses: usesBy(app, deps.routes) })])
      await replaceLocation(database, 'traffic', location, callerOf(app.metadata, await calledBy(deps, app)))
      const serving = await servingOf(resources, actor, app)
      if (serving?.source) await takeFile(deps, app, location, serving.source)
      // A push ends after its deploy has, and asks again when its commits are here.
      if (serving?.source) await dateDocs(deps, serving.source)
      await deps.taken(key)
      return after(lookAgainMs)
    },
  }
}

/** Apps that are still there and that this one was seen to call. */
async function calledBy({ resources, calls, dependencyMs, clock }: EntityReconcilersDeps, { metadata }: App): Promise<{ team: string; app: string }[]> {
  const called = await calls.calledBy({ team: metadata.namespace!, app: metadata.name }, new Date(clock.now().getTime() - dependencyMs))
  const there = await Promise.all(called.map(({ team, app }) => resources.get(actor, { kind: 'App', namespace: team, name: app })))
  return called.filter((_, index) => there[index] !== undefined)
}

async function tiersOf(resources: Resources, { metadata }: App): Promise<Record<string, string>> {
  const { items } = await resources.list<Resource<EnvironmentSpec>>(actor, 'Environment', metadata.namespace!, { limit: 0 })
  return Object.fromEntries(items.map((environment) => [environment.metadata.name, environment.spec.tier]))
}

function usesBy({ metadata, spec }: App, routes: Mirror<Resource<RouteSpec>>): ReturnType<typeof usesOf> {
  const hosts = new Map<string, { team: string; app: string }>()
  for (const route of routes.values()) for (const host of route.spec.hosts) hosts.set(host, { team: route.metadata.namespace!, app: route.spec.app })
  const env = Object.assign({}, spec.env, ...Object.values(spec.config ?? {})) as Record<string, string>
  return usesOf(env, hosts, { team: metadata.namespace!, app: metadata.name })
}

/** What the source of the newest release that serves says of itself: documentation, APIs, catalogue file. Each source is read once. */
async function takeFile({ database, sources, definitions, warn }: EntityReconcilersDeps, app: App, location: string, found: Serving): Promise<void> {
  const source = `v${found.release} ${found.source} ${found.directory ?? ''}`
  if ((await takenSource(database, location)) === source) return
  await takeDocs({ database, sources, definitions }, found)
  const read = await readFiles(sources, found.source, found.directory)
  const { own, foreign } = spokenBy(app.metadata.namespace!, read.accepted)
  await replaceLocation(database, 'repository', location, own)
  const reasons = [...read.refused.map(({ document, name, reason }) => `document ${document} (${name}): ${reason}`), ...foreign.map((ref) => `${ref} belongs to another team.`)]
  if (reasons.length > 0) await warn(app, 'CatalogRefused', `catalog-info.yaml: ${reasons.slice(0, 3).join(' ')}`)
  await noteSource(database, location, source)
}

async function readFiles(sources: SourceFiles, digest: string, directory: string | undefined): Promise<{ accepted: Awaited<ReturnType<typeof readEntities>>['accepted']; refused: Refused[] }> {
  for (const path of catalogFiles.flatMap((file) => (directory ? [`${directory}/${file}`, file] : [file]))) {
    const text = await sources.read(digest, path, largestFile)
    if (text !== undefined) return readEntities(text)
  }
  return { accepted: [], refused: [] }
}
