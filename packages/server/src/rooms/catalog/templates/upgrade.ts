/** Life after birth: which apps came from a template, and how one is brought to another version of it. */
import { fail, type AppSpec, type AppStatus, type Resource, type FleetRow } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, resourceKeyText, splitKey, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { MergeProposal, SourceFiles } from '../ports.ts'
import { servingOf } from '../serving.ts'
import { birthAnnotations, birthFile, readBirth, type Birth } from './birth.ts'
import { remembering } from './actions/publish-pavior.ts'
import { isOlder, offeredVersion } from './plan.ts'
import type { RunDeps } from './reconcile.ts'
import { actor as system, findTemplate, versionOf, type Template } from './registry.ts'
import { checkAnswers, renderTree } from './runs.ts'

type App = Resource<AppSpec, AppStatus>

const lookAgainMs = 3600_000
const largestBirth = 256 * 1024

export async function fleetOf({ resources }: Pick<RunDeps, 'resources'>, { metadata, spec }: Template): Promise<FleetRow[]> {
  const name = `${metadata.namespace}/${metadata.name}`
  const apps = (await resources.listAll<App>(system, 'App')).filter((app) => app.metadata.annotations?.[birthAnnotations.template] === name)
  return apps.map((app) => {
    const path = `${app.metadata.namespace}/${app.metadata.name}`
    const version = app.metadata.annotations?.[birthAnnotations.version] ?? 'unknown'
    const offered = offeredVersion(spec, path)
    const url = Object.values(app.status?.environments ?? {}).find((one) => one.url !== undefined)?.url
    return { team: app.metadata.namespace!, app: app.metadata.name, version, offered, behind: isOlder(version, offered), canary: spec.canary?.apps.includes(path) ?? false, ...(url ? { url } : {}) }
  })
}

/** What the repository says of its origin. Throws UPGRADE_IMPOSSIBLE. */
export async function birthOf({ repositories }: Pick<RunDeps, 'repositories'>, team: string, app: string): Promise<Birth> {
  const text = await repositories.read(team, app, birthFile)
  const birth = text === undefined ? undefined : readBirth(text)
  if (birth) return birth
  throw fail('UPGRADE_IMPOSSIBLE', {
    message: `The repository of "${app}" does not say which template it came from.`,
    why: text === undefined ? `There is no ${birthFile} on main of its repository here.` : `${birthFile} cannot be read.`,
    fix: 'Only apps that were made with `pavior new` and whose repository is kept here can be upgraded.',
  })
}

export interface UpgradeRequest {
  team: string
  app: string
  version?: string
  answers?: Record<string, unknown>
  dryRun: boolean
}

export interface Upgrade extends Partial<MergeProposal> {
  app: string
  template: string
  from: string
  to: string
  changed: boolean
}

/** Renders the old and the new version with the same answers and merges what lies between into a branch; main stays as it is. */
export async function upgrade(deps: RunDeps, actor: Actor, { team, app, version, answers: more = {}, dryRun }: UpgradeRequest, signal: AbortSignal): Promise<Upgrade> {
  // Who may change the app may propose a branch.
  await deps.resources.mutate<App>(actor, { kind: 'App', namespace: team, name: app }, (current) => {
    if (!current) throw fail('NOT_FOUND', { message: `Team ${team} has no app "${app}".` })
    return current
  }, { dryRun: true })
  const birth = await birthOf(deps, team, app)
  const template = await findTemplate(deps, `${birth.team}/${birth.template}`, [])
  const to = version ?? offeredVersion(template.spec, `${team}/${app}`)
  const answer = { app, template: `${birth.team}/${birth.template}`, from: birth.version, to }
  if (to === birth.version) return { ...answer, changed: false }
  const [old, next] = [await versionOf(deps, template, birth.version), await versionOf(deps, template, to)]
  const { answers } = await checkAnswers(deps, next, { ...birth.answers, ...more })
  const base = remembering({ workspace: await renderTree(deps, actor, team, old, birth.answers, signal), template: old, answers: birth.answers })
  const theirs = remembering({ workspace: await renderTree(deps, actor, team, next, answers, signal), template: next, answers })
  const words = {
    message: `Upgrade from template ${birth.template} ${birth.version} to ${to}`,
    author: { name: actor.name, email: `${actor.name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}@users.invalid` },
    at: deps.clock.now().toISOString(),
  }
  const proposal = await deps.repositories.propose(team, app, { base, theirs }, `template-upgrade-${to}`, words, dryRun)
  return { ...answer, changed: proposal !== undefined, ...proposal }
}

/** Keeps the annotations of an app at what the source that serves says: a merged upgrade counts when it is live. */
export function createBirthReconciler({ resources, sources }: Pick<RunDeps, 'resources'> & { sources: SourceFiles }): Reconciler {
  return {
    name: 'template-births',
    concurrency: 2,
    interests: [{ kind: 'App', keys: (object) => [resourceKeyText(object)] }],
    reconcile: async (key) => {
      const app = await resources.get<App>(system, { kind: 'App', ...splitKey(key) })
      if (!app || app.metadata.deletionTimestamp) return done
      const digest = (await servingOf(resources, system, app))?.source?.source
      const text = digest === undefined ? undefined : await sources.read(digest, birthFile, largestBirth)
      const birth = text === undefined ? undefined : readBirth(text)
      if (birth) {
        const wanted = { [birthAnnotations.template]: `${birth.team}/${birth.template}`, [birthAnnotations.version]: birth.version }
        const same = Object.entries(wanted).every(([name, value]) => app.metadata.annotations?.[name] === value)
        if (!same) await resources.mutate<App>(system, { kind: 'App', ...splitKey(key) }, (current) => ({ ...current!, metadata: { ...current!.metadata, annotations: { ...current!.metadata.annotations, ...wanted } } })).catch(ignore('NOT_FOUND'))
      }
      return after(lookAgainMs)
    },
  }
}
