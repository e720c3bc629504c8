/** Judges every app by every scorecard that measures it, when something of it changes and every few hours because days pass. */
import { isDeepStrictEqual } from 'node:util'
import type { AppSpec, AppStatus, DeploymentSpec, DeploymentStatus, EnvironmentSpec, Resource, ScorecardExemptionSpec, ScorecardSpec, TemplateSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, resourceKeyText, splitKey, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { readEntity, readRelations, type RelationRow } from '../entities/store.ts'
import { birthAnnotations } from '../templates/birth.ts'
import { isOlder, offeredVersion } from '../templates/plan.ts'
import { listVersions } from '../templates/store.ts'
import { listPages } from '../docs/store.ts'
import type { Serving } from '../docs/take.ts'
import { productionReadiness } from './builtin.ts'
import { factsOf, judge, measures, type Facts } from './plan.ts'
import { forgetApp, replaceResults } from './store.ts'

const actor = systemActor('scorecards')
const lookAgainMs = 6 * 3600_000
const mostRelations = 500
export const controllerName = 'scorecards'

type App = Resource<AppSpec, AppStatus>

export interface ScorecardDeps {
  database: Database
  resources: Resources
  /** Release that serves, with its source. */
  serving: (app: App) => Promise<{ release: NonNullable<Parameters<typeof factsOf>[0]['release']>; source: Serving | undefined } | undefined>
  request: (entries: { controller: string; key: string; afterMs?: number }[]) => Promise<void>
  clock: Clock
}

const ofApp = (object: Resource): string[] => [`${object.metadata.namespace}/${String((object.spec as { app: string }).app)}`]

export function createScorecardReconcilers(deps: ScorecardDeps): Reconciler[] {
  return [judgeApps(deps), judgeAgain(deps)]
}

function judgeApps(deps: ScorecardDeps): Reconciler {
  const { database, resources, clock } = deps
  return {
    name: controllerName,
    concurrency: 2,
    interests: [
      { kind: 'App', keys: (object) => [resourceKeyText(object)] },
      { kind: 'ScorecardExemption', keys: ofApp },
      // Only the end of a deployment says something.
      { kind: 'Deployment', keys: (object) => ((object as Resource<DeploymentSpec, DeploymentStatus>).status?.finishedAt === undefined ? [] : ofApp(object)) },
    ],
    reconcile: async (key) => {
      const { namespace: team, name } = splitKey(key)
      const app = await resources.get<App>(actor, { kind: 'App', namespace: team, name })
      if (!app) {
        await forgetApp(database, team, name)
        return done
      }
      const scorecards = (await resources.listAll<Resource<ScorecardSpec>>(actor, 'Scorecard')).filter((card) => measures(card, app))
      const exemptions = (await resources.listAll<Resource<ScorecardExemptionSpec>>(actor, 'ScorecardExemption', team, { fields: [{ path: 'spec.app', operator: '=', value: name }] })).map(({ spec }) => spec)
      const facts = await readFacts(deps, app)
      const results = scorecards.map((card) => [card.metadata.name, judge(card, facts, exemptions.filter(({ scorecard }) => scorecard === card.metadata.name), clock.now())] as const)
      await replaceResults(database, team, name, new Map(results))
      return after(lookAgainMs)
    },
  }
}

/** A scorecard that changed asks for every app, and so does a template, whose next version leaves apps behind. */
function judgeAgain({ resources, request }: ScorecardDeps): Reconciler {
  return {
    name: 'scorecard-changes',
    concurrency: 1,
    interests: [
      { kind: 'Scorecard', keys: () => ['all'] },
      { kind: 'Template', keys: () => ['all'] },
    ],
    reconcile: async () => {
      const apps = await resources.listAll(actor, 'App')
      await request(apps.map((app) => ({ controller: controllerName, key: resourceKeyText(app) })))
      return done
    },
  }
}

export async function readFacts({ database, resources, serving, clock }: ScorecardDeps, app: App): Promise<Facts> {
  const { name, namespace: team = '' } = app.metadata
  const fields = [{ path: 'spec.app', operator: '=' as const, value: name }]
  const environments = await resources.listAll<Resource<EnvironmentSpec>>(actor, 'Environment', team)
  const entity = await readEntity(database, `component:${team}/${name}`)
  const pages = await listPages(database, team, name)
  const owner = entity?.entity.spec?.owner
  const relations = entity && (await readRelations(database, [`component:${team}/${name}`], mostRelations))
  return factsOf({
    app,
    tiers: Object.fromEntries(environments.map(({ metadata, spec }) => [metadata.name, spec.tier])),
    release: (await serving(app))?.release,
    deployments: await resources.listAll<Resource<DeploymentSpec, DeploymentStatus>>(actor, 'Deployment', team, { fields }),
    entity: entity && { declared: entity.origins.includes('repository'), drift: entity.drift.length, owner: typeof owner === 'string' ? owner : undefined, undeclared: undeclaredOf(`component:${team}/${name}`, relations ?? []) },
    template: await templateOf({ database, resources }, app),
    docs: { pages: pages.filter(({ path }) => path.startsWith('docs/')).length, readme: pages.some(({ path }) => /^readme\.md$/i.test(path)), newest: pages.reduce<Date | undefined>((newest, { changedAt }) => (newest === undefined || changedAt > newest ? changedAt : newest), undefined) },
    now: clock.now(),
  })
}

/** What the app was seen to need, in its configuration or its requests, and does not say. */
function undeclaredOf(ref: string, relations: RelationRow[]): string[] {
  const declares = ({ origins }: RelationRow): boolean => origins.some((origin) => origin === 'repository' || origin === 'import')
  return relations.filter((relation) => relation.source === ref && relation.type === 'dependsOn' && !declares(relation)).map(({ target }) => target)
}

/** How many versions its template offers beyond its own; a canary is offered more than others. */
async function templateOf({ database, resources }: Pick<ScorecardDeps, 'database' | 'resources'>, { metadata }: App): Promise<Parameters<typeof factsOf>[0]['template']> {
  const [name, version = ''] = [metadata.annotations?.[birthAnnotations.template], metadata.annotations?.[birthAnnotations.version]]
  if (name === undefined) return null
  const [team = '', own = ''] = name.split('/')
  const template = await resources.get<Resource<TemplateSpec>>(actor, { kind: 'Template', namespace: team, name: own })
  if (!template) return { name, version, behind: undefined }
  const offered = offeredVersion(template.spec, `${metadata.namespace}/${metadata.name}`)
  const versions = await listVersions(database, team, own)
  return { name, version, behind: versions.filter((one) => isOlder(version, one.version) && !isOlder(offered, one.version)).length }
}

/** On the built-in scorecard: the generation that Pavior wrote last. A later one is somebody's own. */
const builtinAnnotation = 'pavior.dev/built-in'

/** Made at the first start: whoever deletes it does not get it back, and whoever changes it keeps it as it is. */
export async function ensureBuiltin(database: Database, resources: Resources): Promise<void> {
  const { name, spec } = productionReadiness
  const { rowCount } = await database.write(`insert into counters (name, value) values ('scorecards seeded', 1) on conflict do nothing`)
  if (rowCount > 0) {
    await resources.create(actor, 'Scorecard', '', { metadata: { name, annotations: { [builtinAnnotation]: '1' } }, spec }).catch(ignore('ALREADY_EXISTS'))
    return
  }
  const current = await resources.get<Resource<ScorecardSpec>>(actor, { kind: 'Scorecard', namespace: '', name })
  if (!current || !isOurs(current) || isDeepStrictEqual(current.spec, spec)) return
  const newer = (found: Resource<ScorecardSpec> | undefined): Resource<ScorecardSpec> =>
    isOurs(found!) ? { ...found!, metadata: { ...found!.metadata, annotations: { ...found!.metadata.annotations, [builtinAnnotation]: String(found!.metadata.generation + 1) } }, spec } : found!
  await resources.mutate(actor, { kind: 'Scorecard', namespace: '', name }, newer).catch(ignore('NOT_FOUND'))
}

function isOurs({ metadata }: Resource): boolean {
  return String(metadata.generation) === (metadata.annotations?.[builtinAnnotation] ?? '1')
}
