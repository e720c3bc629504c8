/** From source to a Build: the app is made when it is new, the source is kept, the Build is written. */
import { Readable } from 'node:stream'
import type { AppSpec, EnvironmentSpec, Resource, Revision, StrategyType } from '@pavior/contract'
import { apiVersion, fail } from '@pavior/contract'
import { pack } from 'tar-stream'
import type { Actor } from '../../kernel/actor.ts'
import type { Database } from '../../kernel/db/index.ts'
import { hasCode } from '../../kernel/errors.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { manifestFiles, readDeclaration } from './manifest/index.ts'
import { actor as system, environmentLabel, numberLabel, previewLabel, type Build } from './builds.ts'
import type { SourceStore } from './ports.ts'
import { nextBuildNumber } from './store.ts'

export interface SubmitDeps {
  database: Database
  resources: Resources
  sources: SourceStore
  defaultEnvironment: (team: string) => string
}

export interface Submission {
  team: string
  app: string
  /** Undefined: the default of the team. */
  environment?: string
  /** How the deployment shall go about it. */
  strategy?: StrategyType
  /** Deploy it although the same revision was taken back from there. */
  allowPinned?: boolean
  /** Only build, do not deploy. */
  buildOnly?: boolean
  revision: Omit<Revision, 'source'>
}

/** The app must be nameable and the actor allowed before a single byte is read. */
export async function checkSubmission({ resources, defaultEnvironment }: SubmitDeps, actor: Actor, { team, app, environment, buildOnly }: Submission): Promise<void> {
  const existing = await resources.get(actor, { kind: 'App', namespace: team, name: app })
  if (existing?.metadata.deletionTimestamp) throw fail('APP_DELETED', `The app "${app}" is being deleted.`)
  if (existing) await resources.mutate(actor, { kind: 'App', namespace: team, name: app }, (current) => current as Resource, { dryRun: true })
  else await resources.create(actor, 'App', team, { metadata: { name: app }, spec: {} }, { dryRun: true })
  // The default environment is made with the team, a moment after it.
  if (buildOnly || environment === undefined || environment === defaultEnvironment(team)) return
  if (!(await resources.get(actor, { kind: 'Environment', namespace: team, name: environment }))) {
    throw fail('NOT_FOUND', { message: `Team ${team} has no environment "${environment}".`, fix: `See \`pavior get environments --team ${team}\`.` })
  }
}

export async function submit(deps: SubmitDeps, actor: Actor, submission: Submission, stream: Readable): Promise<Build> {
  const { database, resources, sources, defaultEnvironment } = deps
  const { team, app } = submission
  const { digest } = await sources.accept(stream)
  // A manifest that cannot be used is refused here and now, before anything is built.
  const { texts, paths } = await sources.facts(digest, undefined, manifestFiles)
  readDeclaration(texts, paths)
  const owner = await ensureApp(resources, actor, team, app)
  const environment = submission.buildOnly ? undefined : (submission.environment ?? defaultEnvironment(team))
  const marks = environment === undefined ? {} : { [environmentLabel]: environment, ...(await previewMark(resources, team, app, environment)) }
  return database.transaction(async (tx) => {
    const number = await nextBuildNumber(tx, team, app)
    return resources.create<Build>(
      actor,
      'Build',
      team,
      {
        metadata: {
          name: `${app}-build-${number}`,
          labels: { 'pavior.dev/app': app, [numberLabel]: String(number), ...marks },
          ownerReferences: [{ apiVersion, kind: 'App', name: app, uid: owner.metadata.uid, controller: true }],
        },
        spec: { app, revision: { ...submission.revision, source: digest }, ...(environment === undefined ? {} : { environment }), ...(submission.strategy === undefined ? {} : { strategy: submission.strategy }), ...(submission.allowPinned ? { allowPinned: true } : {}) },
      },
      { tx },
    )
  })
}

/** The build of this commit that is there already, else a new one of these files. */
export async function submitOnce(deps: SubmitDeps, actor: Actor, submission: Submission, files: ReadonlyMap<string, { content: Buffer; executable: boolean }>): Promise<Build> {
  const { team, app, revision } = submission
  const { items } = await deps.resources.list<Build>(actor, 'Build', team, { fields: [{ path: 'spec.app', operator: '=', value: app }], limit: 0 })
  const known = items.find(({ spec }) => spec.revision.commit === revision.commit)
  if (known) return known
  await checkSubmission(deps, actor, submission)
  const archive = pack()
  for (const [name, { content, executable }] of files) archive.entry({ name, mode: executable ? 0o755 : 0o644 }, content)
  archive.finalize()
  return submit(deps, actor, submission, Readable.from(archive))
}

/** What goes to a preview is marked, because the App is not its own. */
async function previewMark(resources: Resources, team: string, app: string, name: string): Promise<Record<string, string>> {
  const environment = await resources.get<Resource<EnvironmentSpec>>(system, { kind: 'Environment', namespace: team, name })
  const { preview } = environment?.spec ?? {}
  if (preview && preview.app !== app) throw fail('BAD_REQUEST', { message: `${name} is a preview of ${preview.app}, so ${app} cannot be deployed there.` })
  return preview ? { [previewLabel]: 'true' } : {}
}

async function ensureApp(resources: Resources, actor: Actor, team: string, name: string): Promise<Resource<AppSpec>> {
  const key = { kind: 'App', namespace: team, name }
  const existing = await resources.get<Resource<AppSpec>>(actor, key)
  if (existing) return existing
  return resources.create<Resource<AppSpec>>(actor, 'App', team, { metadata: { name }, spec: {} }).catch(async (error: unknown) => {
    // Two first deploys at once: one of them made it.
    if (hasCode(error, 'ALREADY_EXISTS')) return resources.mustGet<Resource<AppSpec>>(actor, key)
    throw error
  })
}
