/** What the platform itself can do about a broken rule. Nothing changes main: a change of the source is a branch to read and merge. */
import { fail, type AppSpec, type AppStatus, type EnvironmentSpec, type Resource, type RuleAction, type RuleFix, type RuleResult } from '@pavior/contract'
import { systemActor, type Actor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { readEntity } from '../entities/store.ts'
import type { AppProbe, FileTree, Repositories } from '../ports.ts'
import { servingOf } from '../serving.ts'
import { birthFile } from '../templates/birth.ts'
import type { Upgrade, UpgradeRequest } from '../templates/upgrade.ts'
import { catalogInfoText, descriptionFrom, docsText, manifestWith, readmeText, type FixFacts } from './plan.ts'

type App = Resource<AppSpec, AppStatus>

export interface FixDeps {
  database: Database
  resources: Resources
  repositories: Repositories
  upgrade: (actor: Actor, request: UpgradeRequest, signal: AbortSignal) => Promise<Upgrade>
  probe: AppProbe
  clock: Clock
}

export interface FixRequest {
  team: string
  app: string
  scorecard: string
  rule: RuleResult
  dryRun: boolean
}

const system = systemActor('scorecards')
const manifests = ['pavior.yaml', 'pavior.yml']
/** Where apps commonly say that they are well, the most telling first. */
const healthPaths = ['/healthz', '/health', '/livez', '/up', '/']

/** Rules of an app with whether the platform can do something about each that is not kept. */
export async function withFixes({ repositories }: Pick<FixDeps, 'repositories'>, team: string, app: string, rules: RuleResult[]): Promise<RuleResult[]> {
  const open = rules.filter(({ outcome, action }) => action !== undefined && outcome !== 'kept' && outcome !== 'exempt')
  if (open.length === 0) return rules
  const isHere = await repositories.holds(team, app)
  const isBorn = isHere && open.some(({ action }) => action!.type === 'upgrade') && (await repositories.read(team, app, birthFile)) !== undefined
  const can = { scale: true, propose: isHere, upgrade: isBorn }
  return rules.map((rule) => (open.includes(rule) && can[rule.action!.type] ? { ...rule, fixable: true } : rule))
}

/** Fails with FORBIDDEN, FIX_IMPOSSIBLE, and what the action itself fails with. */
export async function fixRule(deps: FixDeps, actor: Actor, { team, app: name, scorecard, rule, dryRun }: FixRequest, signal: AbortSignal): Promise<RuleFix> {
  const { action } = rule
  if (action === undefined) throw fail('FIX_IMPOSSIBLE', { message: `The platform has no action for the rule "${rule.rule}".`, ...(rule.fix === undefined ? {} : { fix: rule.fix }) })
  // Who may change the app may have it fixed; asked for before anything is read or done.
  const app = await deps.resources.mutate<App>(actor, { kind: 'App', namespace: team, name }, existing(team, name), { dryRun: true })
  if (rule.outcome === 'kept') throw fail('FIX_IMPOSSIBLE', { message: `"${name}" keeps the rule "${rule.rule}" already.`, fix: 'There is nothing to do.' })
  const about = { app: name, scorecard, rule: rule.rule, action, done: !dryRun }
  if (action.type === 'scale') return { ...about, summary: await scale(deps, actor, app, action, dryRun) }
  if (action.type === 'upgrade') {
    const { from, to, changed, branch, diff, files, conflicts } = await deps.upgrade(actor, { team, app: name, dryRun }, signal)
    if (!changed) throw fail('FIX_IMPOSSIBLE', { message: `Nothing differs for "${name}" between ${from} and ${to} of its template.`, fix: 'There is nothing to do.' })
    return { ...about, summary: `${dryRun ? 'Proposes' : 'Proposed'} version ${to} of its template, which has ${from} now, as the branch ${branch}.`, ...{ branch, diff, files, conflicts } } as RuleFix
  }
  return { ...about, ...(await propose(deps, actor, app, action.change!, rule, dryRun)) }
}

const existing = (team: string, name: string) => (current: App | undefined): App => {
  if (!current) throw fail('NOT_FOUND', { message: `Team ${team} has no app "${name}".` })
  return current
}

async function scale({ resources }: FixDeps, actor: Actor, app: App, { process = 'web', replicas = 2 }: RuleAction, dryRun: boolean): Promise<string> {
  const { name, namespace: team = '' } = app.metadata
  const environments = (await resources.listAll<Resource<EnvironmentSpec>>(system, 'Environment', team)).filter(({ spec }) => spec.tier === 'production').map(({ metadata }) => metadata.name)
  const serving = Object.keys(app.status?.environments ?? {})
  const environment = serving.find((one) => environments.includes(one)) ?? serving[0]
  if (environment === undefined) throw fail('FIX_IMPOSSIBLE', { message: `"${name}" runs nowhere yet.`, fix: 'Deploy it first: pavior deploy' })
  const before = app.spec.scale?.[environment]?.[process]
  const change = (current: App | undefined): App => {
    const { spec, ...rest } = existing(team, name)(current)
    return { ...rest, spec: { ...spec, scale: { ...spec.scale, [environment]: { ...spec.scale?.[environment], [process]: replicas } } } }
  }
  await resources.mutate<App>(actor, { kind: 'App', namespace: team, name }, change, { dryRun })
  return `${dryRun ? 'Scales' : 'Scaled'} ${process} in ${environment} ${before === undefined ? '' : `from ${before} `}to ${replicas} instances.`
}

async function propose(deps: FixDeps, actor: Actor, app: App, change: NonNullable<RuleAction['change']>, rule: RuleResult, dryRun: boolean): Promise<Partial<RuleFix> & { summary: string }> {
  const { name, namespace: team = '' } = app.metadata
  if (!(await deps.repositories.holds(team, name))) {
    throw fail('FIX_IMPOSSIBLE', { message: `The source of "${name}" is in no repository here, so nothing can be proposed for it.`, fix: 'Push it here once (pavior init, git push pavior main), or change it where it is.' })
  }
  const { path, before, after } = await changeOf(deps, app, change)
  const tree = (text: string | undefined): FileTree => new Map(text === undefined ? [] : [[path, { content: Buffer.from(text), executable: false }]])
  const branch = `scorecard-${rule.rule}`
  const words = { message: `${rule.title}: ${path}`, author: { name: actor.name, email: `${actor.name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}@users.invalid` }, at: deps.clock.now().toISOString() }
  const proposal = await deps.repositories.propose(team, name, { base: tree(before), theirs: tree(after) }, branch, words, dryRun)
  if (proposal === undefined) throw fail('FIX_IMPOSSIBLE', { message: `Main of "${name}" has this change already.`, fix: 'Deploy it: git push pavior main' })
  if (!dryRun) await note(deps.resources, actor, team, name, proposal.branch, proposal.commit)
  const { diff, files, conflicts } = proposal
  return { summary: `${dryRun ? 'Proposes' : 'Proposed'} ${path} as the branch ${branch}; main stays as it is.`, branch, diff, files, conflicts }
}

/** Remembered at the app, so that the proposal has its row in the audit like any other write. */
async function note(resources: Resources, actor: Actor, team: string, name: string, branch: string, commit: string): Promise<void> {
  const change = (current: App | undefined): App => {
    const app = existing(team, name)(current)
    return { ...app, metadata: { ...app.metadata, annotations: { ...app.metadata.annotations, 'pavior.dev/proposal': `${branch} ${commit}` } } }
  }
  await resources.mutate<App>(actor, { kind: 'App', namespace: team, name }, change)
}

interface FileChange {
  path: string
  /** Undefined for a new file. */
  before: string | undefined
  after: string
}

async function changeOf(deps: FixDeps, app: App, change: NonNullable<RuleAction['change']>): Promise<FileChange> {
  const { name, namespace: team = '' } = app.metadata
  if (change === 'description' || change === 'health') return manifestChange(deps, app, change)
  const directory = app.spec.build?.directory
  const path = [...(directory ? [directory] : []), { readme: 'README.md', docs: 'docs/index.md', 'catalog-info': 'catalog-info.yaml' }[change]].join('/')
  if ((await deps.repositories.read(team, name, path)) !== undefined) throw fail('FIX_IMPOSSIBLE', { message: `Main of "${name}" has ${path} already.`, why: 'What is there is for people to correct.', fix: 'Deploy it if it is new, or correct it.' })
  const facts = await factsOf(deps, app)
  const after = change === 'readme' ? readmeText(facts) : change === 'docs' ? docsText(facts) : catalogInfoText(facts)
  if (after === undefined) throw fail('FIX_IMPOSSIBLE', { message: `The catalogue does not know "${name}" yet.`, fix: 'Try again in a moment.' })
  return { path, before: undefined, after }
}

async function factsOf({ database, resources }: FixDeps, app: App): Promise<FixFacts> {
  const { name, namespace: team = '' } = app.metadata
  const release = (await servingOf(resources, system, app))?.release
  const commands = Object.entries(release?.spec.processes ?? {}).flatMap(([process, { command }]) => (command === undefined ? [] : [[process, command]]))
  return { app, entity: (await readEntity(database, `component:${team}/${name}`))?.entity, commands: Object.fromEntries(commands) }
}

async function manifestChange(deps: FixDeps, app: App, change: 'description' | 'health'): Promise<FileChange> {
  const { name, namespace: team = '' } = app.metadata
  const texts = await Promise.all(manifests.map(async (path) => ({ path, text: await deps.repositories.read(team, name, path) })))
  const { path, text: before } = texts.find(({ text }) => text !== undefined) ?? { path: manifests[0]!, text: undefined }
  for (const other of before === undefined ? ['score.yaml', 'app.json'] : []) {
    if ((await deps.repositories.read(team, name, other)) === undefined) continue
    throw fail('FIX_IMPOSSIBLE', { message: `"${name}" is declared by ${other}, and a pavior.yaml beside it would take its place.`, fix: `Change ${other} yourself.` })
  }
  const after = change === 'health' ? manifestWith(before, ['processes', 'web', 'health', 'path'], await healthPath(deps, app)) : manifestWith(before, ['description'], await describe(deps, app))
  if (after === undefined) throw fail('FIX_IMPOSSIBLE', { message: `${path} on main of "${name}" cannot be read.`, fix: 'Correct it first.' })
  return { path, before, after }
}

/** What the app answers already is what it can be judged by. */
async function healthPath({ probe }: FixDeps, { metadata, status }: App): Promise<string> {
  const url = Object.values(status?.environments ?? {}).find((one) => one.url !== undefined)?.url
  for (const path of url === undefined ? [] : healthPaths) if (await probe(url!, path)) return path
  throw fail('FIX_IMPOSSIBLE', { message: `"${metadata.name}" answers none of ${healthPaths.join(', ')} with success.`, fix: 'Give it a path that answers 200 when it can serve, and declare it as processes.web.health.path in pavior.yaml.' })
}

/** In the words of its own people: of its README or its catalog-info.yaml. */
async function describe({ database, repositories }: FixDeps, { metadata, spec }: App): Promise<string> {
  const { name, namespace: team = '' } = metadata
  const directory = spec.build?.directory
  const readme = await repositories.read(team, name, directory ? `${directory}/README.md` : 'README.md')
  const found = (readme === undefined ? undefined : descriptionFrom(readme)) ?? (await readEntity(database, `component:${team}/${name}`))?.entity.metadata.description
  if (found !== undefined && found.length >= 10) return found
  throw fail('FIX_IMPOSSIBLE', { message: `Nobody has said yet what "${name}" does: it has no README with a sentence about it.`, fix: 'Write a description in pavior.yaml.' })
}
