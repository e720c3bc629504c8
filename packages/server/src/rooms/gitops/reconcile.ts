/** `config-repos`: brings the newest commit of each repository into force, and puts back or reports what differs from it. */
import { fail, isPaviorError, type ConfigCommit, type ConfigDrift, type ConfigError } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import { after, done, itself, resourceKeyText, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { SecretsReads } from '../secrets/index.ts'
import { configRepo } from './kinds.ts'
import type { ConfigFile } from './parse.ts'
import { repoLabel } from './plan.ts'
import { writePins, type PinDeps } from './pins.ts'
import { branchOf, placeOf } from './place.ts'
import type { Repositories } from './ports.ts'
import { actor, applyLook, look, noteFailure, writeStatus, type ConfigRepo, type Look, type SyncDeps } from './sync.ts'

export interface GitopsDeps extends SyncDeps, PinDeps {
  repositories: Repositories
  secrets: Pick<SecretsReads, 'openOwn'>
  events: EventRecorder
}

export const controller = 'config-repos'
const defaultIntervalSeconds = 60

export function createConfigReconciler(deps: GitopsDeps): Reconciler {
  return {
    name: controller,
    concurrency: 2,
    interests: [
      itself(configRepo),
      // Whatever it owns may have come to differ.
      ...['App', 'Environment', 'Freeze'].map((kind) => ({
        kind,
        keys: ({ metadata }: Parameters<typeof resourceKeyText>[0]) => (metadata.labels?.[repoLabel] && metadata.namespace ? [`${metadata.namespace}/${metadata.labels[repoLabel]}`] : []),
      })),
    ],
    reconcile: async (key, signal): Promise<Outcome> => {
      const { namespace, name } = splitKey(key)
      const repo = await deps.resources.get<ConfigRepo>(actor, { kind: configRepo.kind, namespace, name })
      if (!repo || repo.metadata.deletionTimestamp || repo.spec.suspended) return done
      await syncRepo(deps, repo, signal)
      return after((repo.spec.intervalSeconds ?? defaultIntervalSeconds) * 1000)
    },
  }
}

/** Brings the newest commit into force; undefined when there is none, or it could not be fetched. */
export async function syncRepo(deps: GitopsDeps, repo: ConfigRepo, signal: AbortSignal, asked?: Actor): Promise<ConfigCommit | undefined> {
  const commit = await newestCommit(deps, repo, signal)
  if (commit === undefined) return undefined
  const words = await deps.repositories.words(placeOf(repo), commit)
  const files = await filesOf(deps, repo, commit)
  if ('errors' in files) return noteFailure(deps, repo, commit, words, files.errors)
  const found = await look(deps, repo, files)
  if (found.plan.errors.length > 0) return noteFailure(deps, repo, commit, words, found.plan.errors)
  if (await writePins(deps, repo, commit, files, found.looked)) return syncRepo(deps, repo, signal, asked)
  const drift = driftOf(found)
  const known = repo.status?.commit === commit
  if (known && drift.length === 0 && found.prune.length === 0) return settle(deps, repo, commit, drift)
  if (known && drift.length > 0 && repo.spec.drift === 'report') return settle(deps, repo, commit, drift)
  try {
    const entry = await applyLook(deps, repo, found, { commit, words, asked, still: () => stillNewest(deps, repo, commit) })
    if (entry.applied + entry.pruned > 0) await deps.events.record(repo, 'Normal', known ? 'DriftCorrected' : 'Synced', known ? driftText(drift) : `${commit.slice(0, 10)}: ${entry.applied} applied, ${entry.pruned} deleted.`, 'gitops')
    return entry
  } catch (error) {
    if (!isPaviorError(error) || error.entry.exit === 4 || error.code === 'SUPERSEDED') throw error
    return noteFailure(deps, repo, commit, words, [{ file: 'The commit', message: error.message }])
  }
}

/** Brings what a branch of a repository elsewhere holds. Throws CONFIG_REPO_UNREACHABLE. */
export async function fetchBranch(deps: GitopsDeps, repo: ConfigRepo, branch: string, signal: AbortSignal): Promise<void> {
  if (repo.spec.url !== undefined) await deps.repositories.fetch(placeOf(repo), { url: repo.spec.url, branch, token: await tokenOf(deps, repo) }, signal)
}

async function tokenOf({ secrets }: GitopsDeps, { metadata, spec }: ConfigRepo): Promise<string | undefined> {
  if (spec.tokenSecret === undefined) return undefined
  const token = await secrets.openOwn({ id: metadata.uid, name: `repository ${metadata.name}`, team: metadata.namespace!, secret: spec.tokenSecret }).catch((error: unknown) => {
    if (!isPaviorError(error)) throw error
    throw fail('CONFIG_REPO_UNREACHABLE', { message: 'Its token cannot be opened.', why: error.details.message })
  })
  if (token === undefined) throw fail('CONFIG_REPO_UNREACHABLE', { message: `The secret "${spec.tokenSecret}" with its token has no value.`, fix: 'Set it: pavior secrets set.' })
  return token
}

async function newestCommit(deps: GitopsDeps, repo: ConfigRepo, signal: AbortSignal): Promise<string | undefined> {
  const { repositories } = deps
  const place = placeOf(repo)
  const branch = branchOf(repo)
  const url = repo.spec.url ?? repositories.urlOf(place.team, place.name)
  try {
    await fetchBranch(deps, repo, branch, signal)
  } catch (error) {
    if (!isPaviorError(error) || error.code !== 'CONFIG_REPO_UNREACHABLE') throw error
    await writeStatus(deps, repo, { url }, { status: 'Unknown', reason: 'Unreachable', message: [error.message, error.details.why].filter(Boolean).join(' ') })
    return undefined
  }
  const commit = await repositories.head(place, branch)
  if (commit === undefined) await writeStatus(deps, repo, { url }, { status: 'Unknown', reason: 'Empty', message: `There is no branch ${branch} yet.` })
  else if (repo.status?.url !== url) await writeStatus(deps, repo, { url }, { status: 'Unknown', reason: 'Syncing', message: `${commit.slice(0, 10)} is looked at.` })
  return commit
}

async function filesOf({ repositories }: GitopsDeps, repo: ConfigRepo, commit: string): Promise<ConfigFile[] | { errors: ConfigError[] }> {
  try {
    return await repositories.files(placeOf(repo), commit, repo.spec.path ?? '')
  } catch (error) {
    if (!isPaviorError(error) || error.code !== 'CONFIG_REPO_INVALID') throw error
    return { errors: (error.details.causes ?? []).map(({ field, message }) => ({ file: field, message })) }
  }
}

function driftOf({ plan }: Look): ConfigDrift[] {
  return plan.actions.flatMap(({ action, kind, name, file, fields }) => (action === 'create' ? [{ kind, name, file, fields: ['it is gone'] }] : action === 'change' ? [{ kind, name, file, fields }] : []))
}

function driftText(drift: ConfigDrift[]): string {
  return `Put back as declared: ${drift.map(({ kind, name, fields }) => `${kind}/${name} (${fields.join(', ')})`).join('; ')}`.slice(0, 1000)
}

async function settle(deps: GitopsDeps, repo: ConfigRepo, commit: string, drift: ConfigDrift[]): Promise<ConfigCommit | undefined> {
  const message = drift.length === 0 ? `${commit.slice(0, 10)} is in force.` : `${commit.slice(0, 10)} was applied, and ${drift.length === 1 ? 'one resource differs' : `${drift.length} resources differ`} from it.`
  await writeStatus(deps, repo, { drift }, { status: drift.length === 0 ? 'True' : 'False', reason: drift.length === 0 ? 'Synced' : 'Drift', message })
  return repo.status?.commits?.find((entry) => entry.commit === commit)
}

async function stillNewest({ repositories }: GitopsDeps, repo: ConfigRepo, commit: string): Promise<void> {
  const newest = await repositories.head(placeOf(repo), branchOf(repo))
  if (newest !== commit) throw fail('SUPERSEDED', `A newer commit than ${commit.slice(0, 10)} was pushed meanwhile.`)
}
