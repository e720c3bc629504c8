/** Looks at what files declare, and makes it be so in one transaction: all of a commit or nothing of it. */
import { fail, isPaviorError, type ConfigCommit, type ConfigError, type ConfigItem, type ConfigPlan, type ConfigRepoSpec, type ConfigRepoStatus, type Resource } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import { systemActor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import { withTransition } from '../../kernel/conditions.ts'
import type { Database, Tx } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import type { KindDefinition } from '../../kernel/kind.ts'
import { createFieldManager, type FieldManager } from '../../kernel/kube/apply.ts'
import type { NewResource, ResourceKey, Resources } from '../../kernel/resources/index.ts'
import { configRepo } from './kinds.ts'
import { changedPaths, parseFiles, type ConfigFile, type Declared } from './parse.ts'
import { actionOf, fileAnnotation, inOrder, managerOf, manualAnnotation, repoLabel, toPrune, withCommit, type Looked } from './plan.ts'
import { lockRepo } from './store.ts'

export type ConfigRepo = Resource<ConfigRepoSpec, ConfigRepoStatus>

export const actor = systemActor('gitops')

export interface SyncDeps {
  database: Database
  resources: Resources
  /** Kinds of the installation by their name, short ones too. */
  kindOf: (word: string) => KindDefinition | undefined
  clock: Clock
}

/** What a tree of files means here and now. */
export interface Look {
  plan: ConfigPlan
  looked: Looked[]
  prune: ConfigItem[]
}

/** Rights of the team's administrators, and those of the platform where an administrator of the platform gave them. */
export function actorOf({ metadata, spec }: ConfigRepo): Actor {
  return { name: managerOf(metadata.name), kind: 'token', admin: spec.cluster === true, roles: new Map([[metadata.namespace!, 'admin']]) }
}

export async function look(deps: SyncDeps, repo: ConfigRepo, files: readonly ConfigFile[]): Promise<Look> {
  const { declared, errors } = parseFiles(files)
  const looked: Looked[] = []
  for (const one of inOrder(declared)) {
    const found = await lookAt(deps, repo, one)
    if ('errors' in found) errors.push(...found.errors)
    else looked.push(found)
  }
  const prune = repo.spec.prune === false || errors.length > 0 ? [] : await stillOwned(deps, repo, toPrune(repo.status?.inventory ?? [], declared))
  const actions = [...looked.map(actionOf), ...prune.map((item) => ({ ...item, action: 'delete' as const, fields: [] }))]
  return { plan: { actions, errors }, looked, prune }
}

async function lookAt(deps: SyncDeps, repo: ConfigRepo, declared: Declared): Promise<Looked | { errors: ConfigError[] }> {
  const wrong = (field: string, message: string): { errors: ConfigError[] } => ({ errors: [{ file: declared.placeOf(field), message }] })
  const kind = deps.kindOf(declared.kind)
  if (!kind || kind.kind !== declared.kind) return wrong('kind', `There is no kind "${declared.kind.slice(0, 60)}".`)
  if (kind.kind === configRepo.kind) return wrong('kind', 'A repository cannot declare repositories.')
  if (kind.scope === 'Cluster' && !repo.spec.cluster) return wrong('kind', `${kind.kind} belongs to no team; an administrator of the platform may allow that with spec.cluster.`)
  if (kind.scope === 'Namespaced' && declared.namespace !== undefined && declared.namespace !== repo.metadata.namespace) return wrong('metadata.namespace', `It is of team ${declared.namespace}; this repository declares team ${repo.metadata.namespace}.`)
  const key = keyOf(repo, kind, declared)
  const live = await deps.resources.get<Resource>(actor, key)
  const other = live?.metadata.labels?.[repoLabel]
  if (other !== undefined && other !== repo.metadata.name) return wrong('metadata.name', `${kind.kind} ${declared.name} is declared by the repository ${other}.`)
  try {
    const apply = applyOf(deps, repo, kind, declared)
    const next = apply(live)
    if (actionOf({ declared, live, next }).action !== 'unchanged') await deps.resources.mutate(actorOf(repo), key, (current) => apply(current as Resource | undefined), { upsert: true, dryRun: true, verb: 'patch' })
    return { declared, live, next: next as Looked['next'] }
  } catch (error) {
    if (!isPaviorError(error)) throw error
    const { message, causes = [] } = error.details
    if (causes.length === 0) return wrong('metadata.name', message)
    return { errors: causes.map((cause) => ({ file: declared.placeOf(cause.field || 'metadata.name'), message: `${cause.field ? `${cause.field}: ` : ''}${cause.message}` })) }
  }
}

function keyOf(repo: ConfigRepo, kind: KindDefinition, { name }: Pick<ConfigItem, 'name'>): ResourceKey {
  return { kind: kind.kind, namespace: kind.scope === 'Namespaced' ? repo.metadata.namespace! : '', name }
}

const managers = new WeakMap<KindDefinition, FieldManager>()

/** Lays what is declared over what is there, as the field manager of the repository; it takes over what others set. */
function applyOf({ clock }: SyncDeps, repo: ConfigRepo, kind: KindDefinition, declared: Declared): (live: Resource | undefined) => NewResource {
  const fields = managers.get(kind) ?? createFieldManager(kind)
  managers.set(kind, fields)
  const { name } = repo.metadata
  // Which release is pinned is the platform's to say, and is written back into the file.
  const { pinned: _, ...app } = declared.spec
  const config: NewResource = {
    kind: kind.kind,
    metadata: { name: declared.name, labels: { ...declared.labels, [repoLabel]: name }, annotations: { ...declared.annotations, [fileAnnotation]: declared.file } },
    spec: kind.kind === 'App' ? app : declared.spec,
  }
  return (live) => {
    const next = fields.apply(live, config, { manager: managerOf(name), time: `${clock.now().toISOString().slice(0, 19)}Z`, force: true })
    const before = live && changedPaths(live.spec, next.spec).length > 0
    if (!before || next.metadata.annotations?.[manualAnnotation] === undefined) return next
    // What was changed by hand is put back, so the mark goes.
    const { [manualAnnotation]: _mark, ...annotations } = next.metadata.annotations
    return { ...next, metadata: { ...next.metadata, annotations } }
  }
}

/** Somebody may have deleted it, or taken it over, meanwhile. */
async function stillOwned(deps: SyncDeps, repo: ConfigRepo, items: ConfigItem[]): Promise<ConfigItem[]> {
  const owned = await Promise.all(
    items.map(async (item) => {
      const kind = deps.kindOf(item.kind)
      const live = kind && (await deps.resources.get<Resource>(actor, keyOf(repo, kind, item)))
      return live?.metadata.labels?.[repoLabel] === repo.metadata.name && !live.metadata.deletionTimestamp
    }),
  )
  return items.filter((_, index) => owned[index])
}

export interface Applied {
  commit: string
  words: { message: string; author: string }
  /** Throws when another commit is in force by now. */
  still: () => Promise<void>
  /** Who pushed it or asked for it; undefined when nobody did. */
  asked: Actor | undefined
}

/** The repository writes; the audit has the commit and who brought it as the reason. */
function writerOf(repo: ConfigRepo, { commit, words, asked }: Omit<Applied, 'still'>): Actor {
  const reason = `${commit.slice(0, 10)} ${words.message}${asked ? `, brought by ${asked.name}` : ''}`
  return { ...actorOf(repo), reason, ...(asked?.requestId === undefined ? {} : { requestId: asked.requestId }), ...(asked?.address === undefined ? {} : { address: asked.address }) }
}

/** Applies what a look found, with what is said of it, in one transaction. */
export async function applyLook(deps: SyncDeps, repo: ConfigRepo, { plan, looked, prune }: Look, { commit, words, still, asked }: Applied): Promise<ConfigCommit> {
  const { database, resources } = deps
  const by = writerOf(repo, { commit, words, asked })
  const changes = looked.filter((one) => actionOf(one).action !== 'unchanged')
  const entry: ConfigCommit = { commit, ...words, at: deps.clock.now().toISOString(), applied: changes.length, unchanged: looked.length - changes.length, pruned: prune.length, failed: 0 }
  await database.transaction(async (tx) => {
    await lockRepo(tx, repo.metadata.uid)
    await still()
    for (const { declared } of changes) {
      const kind = deps.kindOf(declared.kind)!
      const apply = applyOf(deps, repo, kind, declared)
      await resources.mutate(by, keyOf(repo, kind, declared), (current) => apply(current as Resource | undefined), { tx, upsert: true, verb: 'patch' })
    }
    for (const item of prune) {
      const kind = deps.kindOf(item.kind)!
      await resources.delete(by, keyOf(repo, kind, item), { tx, ...(item.kind === 'App' ? { propagationPolicy: 'Foreground' as const } : {}) }).catch(ignore('NOT_FOUND'))
    }
    const inventory = plan.actions.filter(({ action }) => action !== 'delete').map(({ kind, name, file }) => ({ kind, name, file }))
    await writeStatus(deps, repo, { commit, inventory, drift: [], commits: withCommit(repo.status?.commits ?? [], entry) }, { status: 'True', reason: 'Synced', message: `${commit.slice(0, 10)} is in force.` }, tx)
  })
  return entry
}

/** Says why a commit is not applied; what was applied last stays. */
export async function noteFailure(deps: SyncDeps, repo: ConfigRepo, commit: string, words: Applied['words'], errors: ConfigError[]): Promise<ConfigCommit> {
  const entry: ConfigCommit = { commit, ...words, at: deps.clock.now().toISOString(), applied: 0, unchanged: 0, pruned: 0, failed: errors.length, errors: errors.slice(0, 50) }
  const before = repo.status?.commits?.[0]
  const same = before?.commit === commit && JSON.stringify(before.errors) === JSON.stringify(entry.errors)
  if (!same) await writeStatus(deps, repo, { commits: withCommit(repo.status?.commits ?? [], entry) }, { status: 'False', reason: 'Invalid', message: `${commit.slice(0, 10)} is not applied: ${errors[0]!.file}: ${errors[0]!.message}` })
  return entry
}

export interface Verdict {
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
}

/** Nothing is written when nothing new is said. */
export async function writeStatus({ resources, clock }: SyncDeps, { metadata }: ConfigRepo, change: Partial<ConfigRepoStatus>, verdict: Verdict, tx?: Tx): Promise<void> {
  const at = clock.now().toISOString()
  await resources
    .mutate<ConfigRepo>(
      actor,
      { kind: configRepo.kind, namespace: metadata.namespace!, name: metadata.name },
      (current) => ({
        ...current!,
        status: {
          ...current!.status,
          ...change,
          conditions: [withTransition({ type: 'Synced', ...verdict, observedGeneration: current!.metadata.generation }, current!.status?.conditions, at)],
          observedGeneration: current!.metadata.generation,
        },
      }),
      { subresource: 'status', ...(tx ? { tx } : {}) },
    )
    .catch(ignore('NOT_FOUND'))
}

/** For people who push or ask: the same as an error that names every place. */
export function invalid(commit: string | undefined, errors: ConfigError[]): Error {
  const [first] = errors
  return fail('CONFIG_REPO_INVALID', {
    message: `${commit === undefined ? 'The files cannot' : `The commit ${commit.slice(0, 10)} cannot`} be applied: ${first!.file}: ${first!.message}`,
    state: 'Nothing of it was applied.',
    causes: errors.slice(0, 50).map(({ file, message }) => ({ field: file, message })),
  })
}
