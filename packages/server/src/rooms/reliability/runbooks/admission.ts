/** What a run is made of comes from its runbook, and from who begins it. */
import { fail, type Cause, type RunbookParameter, type RunbookRunSpec } from '@pavior/contract'
import type { Actor } from '../../../kernel/actor.ts'
import { mayAct, type Resources } from '../../../kernel/resources/index.ts'
import type { AdmissionRequest } from '../../../kernel/resources/resources.ts'
import type { KindDefinition } from '../../../kernel/kind.ts'
import type { Runbook } from './reconcile.ts'
import { filled, readRunbook, type Step } from './text.ts'

/** Fills in the text as it is now, and refuses parameters that do not fit and commands that the person could not run by hand. */
export function createRunbookRules(resources: () => Pick<Resources, 'mustGet'>, appKind: () => KindDefinition): (request: AdmissionRequest) => Promise<void> {
  return async ({ actor, verb, kind, object }) => {
    if (kind.kind !== 'RunbookRun' || verb !== 'create') return
    const given = object.spec as RunbookRunSpec
    const team = object.metadata.namespace!
    const { metadata, spec } = await resources().mustGet<Runbook>(actor, { kind: 'Runbook', namespace: team, name: given.runbook })
    const parameters = parametersOf(spec.parameters ?? [], given.parameters ?? {})
    mayRunSafe(actor, appKind(), team, filled(readRunbook(spec.markdown).steps, parameters))
    object.spec = { ...given, parameters, generation: metadata.generation, title: spec.title, markdown: spec.markdown, requestedBy: actor.name } satisfies RunbookRunSpec as never
    object.metadata.labels = { ...object.metadata.labels, 'pavior.dev/runbook': given.runbook }
  }
}

function parametersOf(declared: readonly RunbookParameter[], given: Readonly<Record<string, string>>): Record<string, string> {
  const names = declared.map(({ name }) => name)
  const causes: Cause[] = [
    ...Object.keys(given).filter((name) => !names.includes(name)).map((name) => ({ field: `spec.parameters.${name}`, message: `The runbook has no parameter "${name}".` })),
    ...declared.filter(({ name, default: usual }) => given[name] === undefined && usual === undefined).map(({ name, description }) => ({ field: `spec.parameters.${name}`, message: `It has to be given${description ? `: ${description}` : '.'}` })),
  ]
  if (causes.length > 0) throw fail('INVALID', { message: 'The runbook cannot begin with these parameters.', causes, fix: 'Give them with --set name=value.' })
  return Object.fromEntries(declared.map(({ name, default: usual }) => [name, given[name] ?? usual!]))
}

/** Commands that are marked as safe run without anybody approving them: in the name of whoever begins. */
function mayRunSafe(actor: Actor, app: KindDefinition, team: string, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.type !== 'command' || !step.safe || step.app === undefined || mayAct(actor, 'update', app, team, { name: step.app })) continue
    throw fail('FORBIDDEN', { message: `${actor.name} may not run commands in ${step.app}, as the step "${step.name}" does.`, fix: `Ask somebody who may deploy ${step.app} to begin the run.` })
  }
}
