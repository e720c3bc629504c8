/** Beginning a run: the answers are checked and everything is rehearsed before anything is made. */
import { randomBytes, randomUUID } from 'node:crypto'
import { fail, questionNames, secretNames, withoutSecrets, type Cause } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'
import type { ActionContext } from './actions/types.ts'
import type { Run, RunDeps } from './reconcile.ts'
import { actor as system, mustMakeApps, versionOf, type Template } from './registry.ts'
import { rehearse } from './steps.ts'
import { keepSecrets, type TemplateVersion } from './store.ts'
import { sorted, type Tree } from './tree.ts'

export interface RunRequest {
  team: string
  template: Template
  version?: string
  answers: Record<string, unknown>
  secrets?: Record<string, string>
}

export interface Rehearsal {
  template: string
  version: string
  app: string | undefined
  files: { path: string; size: number; executable: boolean; content?: string }[]
}

/** Text of files beyond this is left out of a preview. */
const largestShown = 256 * 1024

interface Checked {
  /** To what is due, with defaults. */
  answers: Record<string, unknown>
  /** Those of the run, with the answers to questions that are secrets. */
  secrets: Record<string, string>
}

/** Throws ANSWERS_INVALID with the questions that are wrong. Secrets are not asked for where nothing will use them: `secrets` undefined. */
export async function checkAnswers({ renderer }: Pick<RunDeps, 'renderer'>, { name, manifest }: TemplateVersion, given: Record<string, unknown>, secrets?: Record<string, string>): Promise<Checked> {
  const pages = manifest.parameters ?? []
  const hidden = secretNames(pages)
  const answers = { ...given, ...Object.fromEntries(Object.entries(secrets ?? {}).filter(([key]) => hidden.has(key))) }
  const questions = questionNames(pages)
  const foreign = Object.keys(given).filter((key) => !questions.has(key)).map((field): Cause => ({ field, message: 'is no question of this template.' }))
  const { causes = [], problem, value } = await renderer.ask({ op: 'answers', pages, answers })
  if (problem !== undefined) throw fail('TEMPLATE_INVALID', { message: `The questions of the template ${name} cannot be used: ${problem}` })
  const all = [...foreign, ...causes.filter(({ field }) => secrets !== undefined || !hidden.has(field))]
  if (all.length > 0) throw fail('ANSWERS_INVALID', { message: `The answers for the template ${name} cannot be used: ${all.map(({ field, message }) => `${field} ${message}`).slice(0, 5).join('; ')}`, causes: all.slice(0, 50) })
  const checked = withoutSecrets(pages, value as Record<string, unknown>)
  return { answers: checked.answers, secrets: { ...secrets, ...checked.secrets } }
}

function contextOf(deps: RunDeps, actor: Actor, team: string, version: TemplateVersion, answers: Record<string, unknown>, signal: AbortSignal): ActionContext {
  const { team: templateTeam, name, version: number, files } = version
  return {
    deps,
    actor,
    team,
    run: { uid: randomUUID(), name: '', startedAt: deps.clock.now().toISOString(), requestedBy: actor.name },
    template: { team: templateTeam, name, version: number, files },
    answers,
    secrets: {},
    workspace: new Map(),
    outputs: {},
    signal,
    log: async () => {},
  }
}

/** The files that a version makes of these answers, without anything around. */
export async function renderTree(deps: RunDeps, actor: Actor, team: string, version: TemplateVersion, answers: Record<string, unknown>, signal: AbortSignal): Promise<Tree> {
  const context = contextOf(deps, actor, team, version, answers, signal)
  // The name is taken by the app itself, which is no problem here: only the steps that make files are asked.
  await rehearse({ ...context, deps: { ...deps, resources: alwaysFree(deps.resources) } }, version.manifest.steps)
  return context.workspace
}

function alwaysFree(resources: RunDeps['resources']): RunDeps['resources'] {
  return { ...resources, get: async () => undefined, create: async <R>() => ({}) as R }
}

export async function dryRun(deps: RunDeps, actor: Actor, request: RunRequest, signal: AbortSignal): Promise<Rehearsal & Checked & { tree: Tree }> {
  mustMakeApps(actor, request.team)
  const version = await versionOf(deps, request.template, request.version)
  const { answers, secrets } = await checkAnswers(deps, version, request.answers, request.secrets ?? {})
  const context = contextOf(deps, actor, request.team, version, answers, signal)
  const { app } = await rehearse(context, version.manifest.steps)
  return {
    template: version.name,
    version: version.version,
    app,
    files: sorted(context.workspace).map(([path, { content, executable }]) => ({ path, size: content.length, executable, ...(content.includes(0) || content.length > largestShown ? {} : { content: content.toString('utf8') }) })),
    tree: context.workspace,
    answers,
    secrets,
  }
}

export async function beginRun(deps: RunDeps, actor: Actor, request: RunRequest, signal: AbortSignal): Promise<Run> {
  const { template, version, app, answers, secrets } = await dryRun(deps, actor, request, signal)
  const { team } = request
  const sealed = Object.keys(secrets).length > 0 ? await deps.sealer.seal(secrets) : undefined
  return deps.database.transaction(async (tx) => {
    const run = await deps.resources.create<Run>(
      system,
      'TemplateRun',
      team,
      {
        metadata: { name: `${app ?? template}-${randomBytes(3).toString('hex')}`.slice(0, 60), ...(app ? { labels: { 'pavior.dev/app': app } } : {}) },
        spec: { template, templateTeam: request.template.metadata.namespace!, version, answers, requestedBy: actor.name, ...(app ? { app } : {}) },
      },
      { tx },
    )
    if (sealed) await keepSecrets(tx, run.metadata.uid, sealed)
    return run
  })
}
