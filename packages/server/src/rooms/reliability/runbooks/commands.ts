/** What people do in a run: approve, choose, confirm, skip, cancel. What is approved is done in their name. */
import { fail, isPaviorError, type RunbookRunStatus } from '@pavior/contract'
import { systemActor, writingFor, type Actor } from '../../../kernel/actor.ts'
import { mayAct } from '../../../kernel/resources/index.ts'
import { runbookRun } from './kinds.ts'
import { after, answered, approved, canceled, isOver, type Result } from './plan.ts'
import { commandOf, keyOf, stepsOf, type RunbookDeps, type RunbookRun } from './reconcile.ts'
import type { Step } from './text.ts'

const system = systemActor('runbooks')

export interface GivenAnswer {
  /** Step that is answered, counted from 0 among those that were reached: an answer to an earlier question changes nothing. */
  step: number
  approve?: boolean
  skip?: boolean
  choose?: string
  note?: string
}

/** The run as it is afterwards. Throws CONFLICT when it does not wait for this, FORBIDDEN, and INVALID for a choice that there is not. */
export async function answer(deps: RunbookDeps, actor: Actor, team: string, name: string, given: GivenAnswer): Promise<RunbookRun> {
  const run = await mayAnswer(deps, actor, team, name)
  const steps = stepsOf(run)
  const now = deps.clock.now()
  const state = run.status?.steps?.[given.step]
  if (!state || given.step !== run.status!.steps!.length - 1 || state.state !== 'Waiting' || isOver(run.status!)) throw notAsked(run, given.step)
  const step = steps[run.status!.current!]!
  const by = { by: actor.name, ...(given.note ? { note: given.note.slice(0, 2000) } : {}) }
  if (given.skip) return change(deps, actor, run, (status) => answered(status, steps, { ...by, skip: true }, run.spec.dryRun ?? false, now))
  if (state.needs === 'choice') {
    if (!given.choose || !state.options!.includes(given.choose)) throw fail('INVALID', { message: `"${given.choose ?? ''}" is none of the options: ${state.options!.join(', ')}.` })
    return change(deps, actor, run, (status) => answered(status, steps, { ...by, choice: given.choose! }, run.spec.dryRun ?? false, now))
  }
  if (!given.approve) throw fail('BAD_REQUEST', { message: 'Say approve or skip.' })
  if (state.needs === 'confirmation') return change(deps, actor, run, (status) => answered(status, steps, by, run.spec.dryRun ?? false, now))
  return carryOut(deps, actor, run, step, by)
}

export async function cancel(deps: RunbookDeps, actor: Actor, team: string, name: string): Promise<RunbookRun> {
  const run = await mayAnswer(deps, actor, team, name)
  if (isOver(run.status ?? {})) return run
  return change(deps, actor, run, (status) => (isOver(status) ? status : canceled(status, actor.name, deps.clock.now())))
}

async function mayAnswer({ resources }: RunbookDeps, actor: Actor, team: string, name: string): Promise<RunbookRun> {
  const run = await resources.mustGet<RunbookRun>(actor, { kind: 'RunbookRun', namespace: team, name })
  if (!mayAct(actor, 'create', runbookRun, team, { name, spec: run.spec })) throw fail('FORBIDDEN', { message: `${actor.name} may not take part in runbooks of team ${team}.`, fix: 'It takes the role developer, or one that may create RunbookRuns.' })
  return run
}

/** First it is written who does it, so that nobody does it a second time; then it is done, then what came of it. */
async function carryOut(deps: RunbookDeps, actor: Actor, run: RunbookRun, step: Step, by: { by: string; note?: string }): Promise<RunbookRun> {
  const taken = await change(deps, actor, run, (status) => approved(status, by, deps.clock.now()))
  if (step.type === 'command') {
    const outcome = await deps.tools.run(actor, commandOf(deps.tools, run, step)).catch(refusal)
    if ('good' in outcome) return finish(deps, actor, taken, outcome)
    return change(deps, actor, taken, (status) => ({ ...status, steps: [...status.steps!.slice(0, -1), { ...status.steps!.at(-1)!, task: outcome.id }] }))
  }
  return finish(deps, actor, taken, await perform(deps, actor, run, step as Step & { type: 'change' }).catch(refusal))
}

function finish(deps: RunbookDeps, actor: Actor, run: RunbookRun, result: Result): Promise<RunbookRun> {
  return change(deps, actor, run, (status) => after(status, stepsOf(run), result, run.spec.dryRun ?? false, deps.clock.now()))
}

function refusal(error: unknown): Result {
  if (!isPaviorError(error)) throw error
  return { good: false, output: `${error.code}: ${error.message}` }
}

async function perform({ resources, tools, clock }: RunbookDeps, actor: Actor, { metadata }: RunbookRun, { act, app, environment, to, process, kind, name, spec }: Step & { type: 'change' }): Promise<Result> {
  const team = metadata.namespace!
  const place = environment ?? tools.defaultEnvironment(team)
  if (act === 'rollback') {
    const deployment = await tools.rollBack(actor, team, app!, place, to === undefined ? undefined : numberOf(to))
    return { good: true, output: `Deployment ${deployment.metadata.name} takes ${app} back in ${place}.` }
  }
  const [target, patch] =
    act === 'restart' ? [{ kind: 'App', name: app! }, { restart: { [place]: clock.now().toISOString() } }]
    : act === 'scale' ? [{ kind: 'App', name: app! }, { scale: { [place]: { [process!]: numberOf(to!) } } }]
    : [{ kind: kind!, name: name! }, spec!]
  await resources.mutate(actor, { ...target, namespace: team }, (current) => ({ ...current!, spec: merged(current!.spec, patch) as never }))
  return { good: true, output: `${target.kind} ${target.name} was changed.` }
}

/** RFC 7386. */
function merged(value: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const out: Record<string, unknown> = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as Record<string, unknown>) } : {}
  for (const [key, each] of Object.entries(patch)) {
    if (each === null) delete out[key]
    else out[key] = merged(out[key], each)
  }
  return out
}

function numberOf(text: string): number {
  const number = Number(text.replace(/^v/, ''))
  if (!Number.isInteger(number) || number < 0) throw fail('INVALID', { message: `"${text}" is no whole number.` })
  return number
}

/** Of two who answer at once the second is told. */
async function change({ resources }: RunbookDeps, by: Actor, run: RunbookRun, next: (status: RunbookRunStatus) => RunbookRunStatus): Promise<RunbookRun> {
  return resources.mutate<RunbookRun>(writingFor(system, by), keyOf(run, 'RunbookRun'), (current) => {
    if (current!.metadata.resourceVersion !== run.metadata.resourceVersion) throw notAsked(current!, run.status!.steps!.length - 1)
    return { ...current!, status: next(current!.status!) }
  }, { subresource: 'status' })
}

function notAsked({ status, metadata }: RunbookRun, step: number): Error {
  const last = status?.steps?.[step]
  return fail('CONFLICT', { message: last?.by ? `${last.by} has answered "${last.name}" already.` : `The run ${metadata.name} does not wait for an answer to step ${step + 1}.`, why: status?.message ?? 'It has not begun.' })
}
