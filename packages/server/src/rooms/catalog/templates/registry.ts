/** Templates come in: a directory with template.yaml becomes a version that is kept. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fail, type Resource, type TemplateSource, type TemplateSpec } from '@pavior/contract'
import { parse } from 'yaml'
import { systemActor, type Actor } from '../../../kernel/actor.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { authorize, type Resources } from '../../../kernel/resources/index.ts'
import type { TemplateRenderer } from '../ports.ts'
import { app } from '../kinds.ts'
import { actions } from './actions/index.ts'
import { template } from './kinds.ts'
import { isOlder, isRecord, newestFirst, readManifest, textsOf, type Manifest } from './plan.ts'
import { keepVersion, listVersions, readVersion, type TemplateVersion } from './store.ts'
import { addFiles, below, digestOf, fits, type Tree } from './tree.ts'

export type Template = Resource<TemplateSpec>

export const actor = systemActor('templates')
export const manifestFiles = ['template.yaml', 'template.yml']
const largestManifest = 256 * 1024

export interface RegistryDeps {
  database: Database
  resources: Resources
  renderer: TemplateRenderer
}

/** Whoever may change templates of a team publishes and promotes them. */
export function mustPublish(actor: Actor, team: string, name?: string): void {
  mustConcernNoApp(actor)
  authorize(actor, 'update', template, team, name === undefined ? undefined : { name })
}

/** Whoever may make apps in a team uses templates there. */
export function mustMakeApps(actor: Actor, team: string, name?: string): void {
  mustConcernNoApp(actor)
  authorize(actor, 'create', app, team, name === undefined ? undefined : { name })
}

function mustConcernNoApp({ name, app: only }: Actor): void {
  if (only !== undefined) throw fail('FORBIDDEN', { message: `${name} may do only what concerns app "${only}".`, fix: 'Use a token of the team, or your own.' })
}

/** Reads template.yaml of a tree. Throws TEMPLATE_INVALID and TEMPLATE_ACTION_UNKNOWN. */
export function manifestOf(files: Tree): Manifest {
  const file = manifestFiles.map((name) => files.get(name)).find(Boolean)
  if (!file) throw fail('TEMPLATE_INVALID', { message: 'There is no template.yaml at the top of the template.' })
  if (file.content.length > largestManifest) throw fail('TEMPLATE_TOO_LARGE', { message: `template.yaml is larger than ${largestManifest / 1024} kB.` })
  let document: unknown
  try {
    document = parse(file.content.toString('utf8'), { maxAliasCount: 50 })
  } catch (error) {
    throw fail('TEMPLATE_INVALID', { message: `template.yaml is not valid YAML: ${(error as Error).message.split('\n')[0]}` })
  }
  return readManifest(document, [...actions.keys()])
}

/** Filters that do not exist are refused by name before anybody meets them. */
export async function checkFilters(renderer: TemplateRenderer, { spec }: Manifest, files: Tree): Promise<void> {
  const plain = [...textsOf(spec.steps), ...textsOf(spec.output)]
  const texts = { own: plain, cookiecutter: [] as string[] }
  for (const { action, input } of spec.steps) {
    if (action !== 'fetch:template' || !isRecord(input) || typeof input.url !== 'string' || input.url.includes('${{')) continue
    const globs = [input.copyWithoutTemplating, input.copyWithoutRender].flatMap((list) => (Array.isArray(list) ? list.map(String) : []))
    const target = input.cookiecutterCompat === true ? texts.cookiecutter : texts.own
    for (const [path, { content }] of below(files, input.url)) if (!fits(path, globs) && !content.includes(0)) target.push(path, content.toString('utf8'))
  }
  for (const [style, list] of [[{}, texts.own], [{ cookiecutter: true }, texts.cookiecutter]] as const) {
    if (list.length === 0) continue
    const { unknown = [], known = [], problem } = await renderer.ask({ op: 'check', texts: list, style })
    if (problem !== undefined) throw fail('TEMPLATE_INVALID', { message: `An expression of the template cannot be read: ${problem}` })
    if (unknown.length > 0) throw fail('TEMPLATE_ACTION_UNKNOWN', { message: `The template uses the filter "${unknown.join('", "')}", which does not exist here.`, fix: `Use one of: ${known.join(', ')}.`, facts: { filters: unknown } })
  }
}

export interface Publication {
  team: string
  files: Tree
  source: TemplateSource
  /** Only these apps (team/app) are offered it, until it is promoted. */
  canary?: string[]
  dryRun?: boolean
}

export interface Published {
  team: string
  name: string
  version: string
  title: string
  steps: number
  files: number
  new: boolean
}

/** Keeps the version and makes it the current one when it is newer. */
export async function publish(deps: RegistryDeps, { team, files, source, canary, dryRun }: Publication): Promise<Published> {
  const { database, resources, renderer } = deps
  const manifest = manifestOf(files)
  const { name, spec, notes } = manifest
  await checkFilters(renderer, manifest, files)
  const answer = { team, name, version: spec.version, title: spec.title, steps: spec.steps.length, files: files.size }
  if (dryRun) return { ...answer, new: false }
  return database.transaction(async (tx) => {
    const fresh = await keepVersion(tx, { team, name, version: spec.version, manifest: { ...spec, source }, files }, notes)
    const versions = newestFirst(await listVersions(tx, team, name))
    await resources.mutate<Template>(
      actor,
      { kind: 'Template', namespace: team, name },
      (current) => {
        if (!current) return { metadata: { name }, spec: { ...spec, source, versions } }
        const kept = { ...current.spec, versions, ...(canary ? { canary: { version: spec.version, apps: canary } } : {}) }
        if (canary || isOlder(spec.version, current.spec.version)) return { ...current, spec: kept }
        const { canary: tried, deprecated } = current.spec
        return { ...current, spec: { ...spec, source, versions, ...(deprecated && !spec.deprecated ? { deprecated } : {}), ...(tried && isOlder(spec.version, tried.version) ? { canary: tried } : {}) } }
      },
      { upsert: true, tx },
    )
    return { ...answer, new: fresh }
  })
}

/** The version that is tried becomes the one for everybody. */
export async function promote(deps: RegistryDeps, template: Template): Promise<Template> {
  const { canary } = template.spec
  if (!canary) throw fail('BAD_REQUEST', { message: `The template ${template.metadata.name} has no version that is tried.` })
  const { manifest } = await versionOf(deps, template, canary.version)
  return deps.resources.mutate<Template>(actor, { kind: 'Template', namespace: template.metadata.namespace!, name: template.metadata.name }, (current) => {
    const { versions, deprecated } = current!.spec
    return { ...current!, spec: { ...manifest, versions, ...(deprecated && !manifest.deprecated ? { deprecated } : {}) } }
  })
}

/** A version with its files. `version` undefined: the one that new apps are made from. Throws NOT_FOUND. */
export async function versionOf(deps: Pick<RegistryDeps, 'database'>, template: Template, version: string | undefined): Promise<TemplateVersion> {
  const wanted = version ?? template.spec.version
  const found = await readVersion(deps.database, template.metadata.namespace!, template.metadata.name, wanted)
  if (!found) throw fail('NOT_FOUND', { message: `The template ${template.metadata.name} has no version ${wanted}.`, fix: `There are: ${(template.spec.versions ?? []).map((one) => one.version).join(', ')}.` })
  return found
}

/** `name` or `team/name`; without a team those of `teams` come first, in their order. Everybody may use every template. */
export async function findTemplate({ resources }: Pick<RegistryDeps, 'resources'>, reference: string, teams: readonly string[]): Promise<Template> {
  const [first = '', second] = reference.split('/')
  const [team, name] = second === undefined ? [undefined, first] : [first, second]
  const all = (await resources.listAll<Template>(actor, 'Template', team)).filter(({ metadata }) => metadata.name === name)
  const rank = ({ metadata }: Template): number => (teams.indexOf(metadata.namespace!) + teams.length + 1) % (teams.length + 1)
  const [best] = all.toSorted((one, other) => rank(one) - rank(other))
  if (!best) throw fail('NOT_FOUND', { message: `There is no template "${reference}".`, fix: '`pavior template list` shows what there is.' })
  return best
}

/** Files below a directory of this machine: the templates that come with Pavior. */
export async function readDirectory(directory: string): Promise<Tree> {
  const tree: Tree = new Map()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const { mode } = await stat(path)
    addFiles(tree, [[relative(directory, path), { content: await readFile(path), executable: (mode & 0o100) !== 0 }]])
  }
  return tree
}

/** Registers what comes with this version of Pavior and is not there yet; `refused` is told what cannot be, and the others go on. Returns what is new. */
export async function registerBuiltIn(deps: RegistryDeps, directory: string, team: string, refused: (name: string, error: Error) => void): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue
    try {
      const files = await readDirectory(join(directory, entry.name))
      const { name, spec } = manifestOf(files)
      const known = await readVersion(deps.database, team, name, spec.version)
      if (known && digestOf(known.files) === digestOf(files)) continue
      await publish(deps, { team, files, source: { type: 'built-in', directory: entry.name } })
      names.push(`${name} ${spec.version}`)
    } catch (error) {
      refused(entry.name, error as Error)
    }
  }
  return names
}
