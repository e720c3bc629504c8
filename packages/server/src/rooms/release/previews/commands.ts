/** Opens, renews and ends previews: environments of branches. */
import { createHash } from 'node:crypto'
import { fail, type EnvironmentSpec, type EnvironmentStatus, type Resource } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Tx } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { ReleaseDeps } from '../commands.ts'
import { actor as system, type App } from '../context.ts'
import { ownedBy } from '../names.ts'
import { clonedFrom, previewEnvironment, previewName, previewSettings } from './plan.ts'

export type Environment = Resource<EnvironmentSpec, EnvironmentStatus>

export interface PreviewDeps extends ReleaseDeps {
  defaultEnvironment: (team: string) => string
  clock: Clock
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const dayMs = 24 * 3600_000

/** Whoever may deploy an app may have previews of it. */
async function mayDeploy(resources: Resources, by: Actor, team: string, app: string): Promise<App> {
  return resources.mutate<App>(by, { kind: 'App', namespace: team, name: app }, (current) => current!, { dryRun: true })
}

/** Name of the environment of a branch, made or renewed by this push; undefined when the app asks for no previews. */
export async function openPreview(deps: PreviewDeps, by: Actor, team: string, app: string, branch: string): Promise<string | undefined> {
  const { resources, database, clock } = deps
  const existing = await resources.get<App>(by, { kind: 'App', namespace: team, name: app })
  const settings = existing && !existing.metadata.deletionTimestamp ? previewSettings(existing.spec) : undefined
  if (!existing || !settings) return undefined
  if (branch.length > 255) throw fail('NAME_INVALID', { message: `The name of the branch is ${branch.length} characters long, so it gets no preview.`, fix: 'Push it under a name of at most 255 characters.' })
  await mayDeploy(resources, by, team, app)
  const name = previewName(app, branch, sha256)
  const pushedAt = clock.now().toISOString()
  await database.transaction(async (tx) => {
    const before = await resources.get<Environment>(system, { kind: 'Environment', namespace: team, name }, tx)
    const spec = previewEnvironment(app, branch, settings, before?.spec.preview?.keepUntil)
    if (before) await resources.mutate<Environment>(system, { kind: 'Environment', namespace: team, name }, (current) => ({ ...current!, spec }), { tx })
    else {
      await resources.create(system, 'Environment', team, { metadata: { name, ownerReferences: ownedBy(existing) }, spec }, { tx })
      await checkLimit(resources, tx, team, app, settings.limit)
      await cloneConfig(deps, tx, team, app, name, settings.from)
    }
    await resources.mutate<Environment>(system, { kind: 'Environment', namespace: team, name }, (current) => ({ ...current!, status: { ...current!.status, preview: { ...current!.status?.preview, pushedAt } } }), { tx, subresource: 'status' })
  })
  return name
}

/** Counted after the write, when no other can come between. */
async function checkLimit(resources: Resources, tx: Tx, team: string, app: string, limit: number): Promise<void> {
  const { items } = await resources.list<Environment>(system, 'Environment', team, { limit: 0 }, tx)
  const own = items.filter(({ spec }) => spec.preview?.app === app)
  if (own.length > limit) throw fail('PREVIEW_LIMIT', { message: `${app} has ${limit} previews already, which is as many as it may have.`, facts: { limit } })
}

async function cloneConfig({ resources, defaultEnvironment }: PreviewDeps, tx: Tx, team: string, app: string, name: string, asked: string | undefined): Promise<void> {
  const { items } = await resources.list<Environment>(system, 'Environment', team, { limit: 0 }, tx)
  const from = clonedFrom(asked, items, defaultEnvironment(team))
  if (!items.some(({ metadata }) => metadata.name === from)) throw fail('NOT_FOUND', { message: `Previews of ${app} begin with the configuration of "${from}", and team ${team} has no such environment.`, fix: 'Correct previews.from in the manifest.' })
  await resources.mutate<App>(system, { kind: 'App', namespace: team, name: app }, (current) => {
    const { config, ...spec } = current!.spec
    return config?.[from] === undefined ? current! : { ...current!, spec: { ...spec, config: { ...config, [name]: config[from] } } }
  }, { tx })
}

/** The preview of a branch, by the branch or by the name of its environment. */
export async function findPreview({ resources }: Pick<PreviewDeps, 'resources'>, by: Actor, team: string, app: string, branch: string): Promise<Environment | undefined> {
  const named = (name: string): Promise<Environment | undefined> => resources.get<Environment>(by, { kind: 'Environment', namespace: team, name })
  const found = (await named(previewName(app, branch, sha256))) ?? (/^[a-z][-a-z0-9]{0,19}$/.test(branch) ? await named(branch) : undefined)
  return found?.spec.preview?.app === app ? found : undefined
}

async function mustFind(deps: Pick<PreviewDeps, 'resources'>, by: Actor, team: string, app: string, branch: string): Promise<Environment> {
  const found = await findPreview(deps, by, team, app, branch)
  if (!found) throw fail('NOT_FOUND', { message: `${app} has no preview of a branch "${branch.slice(0, 80)}".`, fix: `See \`pavior previews list --app ${app}\`.` })
  return found
}

/** Ends it; everything of it goes with its environment. */
export async function deletePreview(deps: PreviewDeps, by: Actor, team: string, app: string, branch: string): Promise<Environment> {
  await mayDeploy(deps.resources, by, team, app)
  const preview = await mustFind(deps, by, team, app, branch)
  await deps.resources.delete(system, { kind: 'Environment', namespace: team, name: preview.metadata.name }).catch(ignore('NOT_FOUND'))
  return preview
}

/** Keeps it for so many days, whatever happens. */
export async function keepPreview(deps: PreviewDeps, by: Actor, team: string, app: string, branch: string, days: number): Promise<Environment> {
  await mayDeploy(deps.resources, by, team, app)
  const { metadata } = await mustFind(deps, by, team, app, branch)
  const keepUntil = new Date(deps.clock.now().getTime() + days * dayMs).toISOString()
  return deps.resources.mutate<Environment>(system, { kind: 'Environment', namespace: team, name: metadata.name }, (current) => ({ ...current!, spec: { ...current!.spec, preview: { ...current!.spec.preview!, keepUntil } } }))
}
