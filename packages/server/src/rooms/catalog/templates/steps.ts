/** One step of a template: its condition, its input, its action. The dry run and the real one share it. */
import { fail, type TemplateStep } from '@pavior/contract'
import { actions } from './actions/index.ts'
import type { Action, ActionContext, Input } from './actions/types.ts'
import { isRecord, isTrue } from './plan.ts'

const mostItems = 100

/** What expressions of template.yaml see. */
function scopeOf({ answers, outputs, run, team, template }: ActionContext): Record<string, unknown> {
  const name = run.requestedBy.replace(/^[a-z]+:/, '')
  return {
    parameters: answers,
    steps: Object.fromEntries(Object.entries(outputs).map(([id, output]) => [id, { output }])),
    user: { ref: `user:default/${name}`, entity: { metadata: { name, namespace: 'default' } } },
    context: { task: { id: run.uid } },
    pavior: { team, template: template.name, version: template.version },
  }
}

export function actionOf(step: TemplateStep): Action {
  const action = actions.get(step.action)
  if (!action) throw fail('TEMPLATE_ACTION_UNKNOWN', { message: `Step "${step.id}" uses the action "${step.action}", which does not exist here.`, fix: `Use one of: ${[...actions.keys()].join(', ')}.` })
  return action
}

/** Input of the step, once for each item; undefined when the step is left out. */
export async function inputsOf(context: ActionContext, step: TemplateStep): Promise<Input[] | undefined> {
  const scope = scopeOf(context)
  if (step.each === undefined) {
    const { condition, input } = (await evaluate(context, step.id, { condition: step.if ?? true, input: step.input ?? {} }, scope)) as { condition: unknown; input: unknown }
    return isTrue(condition) ? [recordOf(step.id, input)] : undefined
  }
  const { condition, each } = (await evaluate(context, step.id, { condition: step.if ?? true, each: step.each }, scope)) as { condition: unknown; each: unknown }
  if (!isTrue(condition)) return undefined
  const items = Array.isArray(each) ? each.map((value: unknown, index) => ({ key: String(index), value })) : isRecord(each) ? Object.entries(each).map(([key, value]) => ({ key, value })) : undefined
  if (!items || items.length > mostItems) throw fail('TEMPLATE_INVALID', { message: `"each" of step "${step.id}" must be a list or an object of at most ${mostItems} items.` })
  const inputs: Input[] = []
  for (const item of items) inputs.push(recordOf(step.id, await evaluate(context, step.id, step.input ?? {}, { ...scope, each: item })))
  return inputs
}

/** Fills in the expressions of a structure. */
async function evaluate({ deps, signal, template }: ActionContext, id: string, input: unknown, scope: Record<string, unknown>): Promise<unknown> {
  const answer = await deps.renderer.ask({ op: 'evaluate', input, context: scope }, signal)
  if (answer.problem !== undefined) throw fail('TEMPLATE_RENDER_FAILED', { message: `The input of step "${id}" of the template ${template.name} cannot be filled in.`, why: answer.problem })
  return answer.value
}

export async function outputsOf(context: ActionContext, output: Record<string, unknown> | undefined): Promise<Record<string, unknown>> {
  return output === undefined ? {} : recordOf('output', await evaluate(context, 'output', output, scopeOf(context)))
}

function recordOf(id: string, value: unknown): Input {
  if (isRecord(value)) return value
  throw fail('TEMPLATE_INVALID', { message: `The input of step "${id}" is not an object.` })
}

/** Everything that can be known before anything is done: the files, and whether the steps would be refused. */
export async function rehearse(context: ActionContext, steps: readonly TemplateStep[]): Promise<{ app: string | undefined }> {
  let app: string | undefined
  for (const step of steps) {
    const action = actionOf(step)
    const inputs = await inputsOf(context, step)
    for (const input of inputs ?? []) {
      const output = action.pure ? (await action.run(context, input)).output : await action.check?.(context, input)
      context.outputs[step.id] = output ?? {}
      if (typeof output?.app === 'string') app = output.app
    }
  }
  return { app }
}
