/** `publish:pavior`: the app and its repository, hosted here. */
import { fail, type Resource } from '@pavior/contract'
import { hasCode, ignore } from '../../../../kernel/errors.ts'
import { birthAnnotations, birthFile, birthText } from '../birth.ts'
import { addFiles, checkSize, type Tree } from '../tree.ts'
import { optionalText, textOf } from './input.ts'
import type { Action, ActionContext, App, Input } from './types.ts'

const name = 'publish:pavior'

export const publishPavior: Action = {
  name,
  description: 'Makes the app and its repository here: name, description, defaultCommitMessage.',
  pure: false,
  check: async (context, input) => {
    const app = textOf(name, input, 'name')
    const { deps, actor, team } = context
    if (await deps.resources.get(actor, { kind: 'App', namespace: team, name: app })) throw taken(team, app)
    await deps.resources.create(actor, 'App', team, newApp(context, app, input), { dryRun: true }).catch((error: unknown) => {
      throw hasCode(error, 'ALREADY_EXISTS') ? taken(team, app) : error
    })
    return { app, remoteUrl: '', repoContentsUrl: '' }
  },
  run: async (context, input) => {
    const { deps, team, run } = context
    const app = textOf(name, input, 'name')
    await claimApp(context, app, input)
    const { commit, url } = await deps.repositories.begin(team, app, remembering(context), {
      message: optionalText(name, input, 'defaultCommitMessage') ?? firstMessage(context),
      author: { name: run.requestedBy, email: `${run.requestedBy.replaceAll(/[^A-Za-z0-9._-]/g, '-')}@users.invalid` },
      at: run.startedAt,
    })
    return { output: { app, commit, commitHash: commit, remoteUrl: url, repoContentsUrl: url }, message: `${app} · ${commit.slice(0, 10)}` }
  },
  undo: async ({ deps, actor, team, run }, input) => {
    const app = textOf(name, input, 'name')
    const key = { kind: 'App', namespace: team, name: app }
    const existing = await deps.resources.get<App>(actor, key)
    if (existing && existing.metadata.annotations?.[birthAnnotations.run] !== run.uid) return undefined
    if (existing) await deps.resources.delete(actor, key, { preconditions: { uid: existing.metadata.uid } }).catch(ignore('NOT_FOUND'))
    await deps.repositories.remove(team, app)
    return undefined
  },
}

/** The app is ours when it carries our run: so a crash between making it and noting it does no harm. */
async function claimApp(context: ActionContext, app: string, input: Input): Promise<void> {
  const { deps, actor, team, run } = context
  try {
    await deps.resources.create<App>(actor, 'App', team, newApp(context, app, input))
  } catch (error) {
    if (!hasCode(error, 'ALREADY_EXISTS')) throw error
    const existing = await deps.resources.get<App>(actor, { kind: 'App', namespace: team, name: app })
    if (existing?.metadata.annotations?.[birthAnnotations.run] !== run.uid) throw taken(team, app)
  }
}

function newApp({ template, run }: ActionContext, app: string, input: Input): { metadata: Pick<Resource['metadata'], 'name' | 'annotations'>; spec: App['spec'] } {
  const description = optionalText(name, input, 'description')
  return {
    metadata: { name: app, annotations: { [birthAnnotations.template]: `${template.team}/${template.name}`, [birthAnnotations.version]: template.version, [birthAnnotations.run]: run.uid } },
    spec: description ? { description } : {},
  }
}

/** The workspace and the file that says where it came from. */
export function remembering({ workspace, template, answers }: Pick<ActionContext, 'workspace' | 'template' | 'answers'>): Tree {
  const whole = new Map(workspace)
  addFiles(whole, [[birthFile, { content: Buffer.from(birthText({ team: template.team, template: template.name, version: template.version, answers })), executable: false }]])
  checkSize(whole)
  return whole
}

export function firstMessage({ template }: Pick<ActionContext, 'template'>): string {
  return `Begin from template ${template.name} ${template.version}`
}

function taken(team: string, app: string): Error {
  return fail('NAME_TAKEN', { message: `Team ${team} has an app "${app}" already.`, state: 'Nothing was made.' })
}
