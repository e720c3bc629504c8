/** `runbook-runs`: goes on with what the platform does by itself; `runbooks`: says how trustworthy each one is. */
import { isDeepStrictEqual } from 'node:util'
import { isPaviorError, type Resource, type RunbookRunSpec, type RunbookRunStatus, type RunbookSpec, type RunbookStatus } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after as again, done, itself, splitKey, type Outcome, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { runbook, runbookRun } from './kinds.ts'
import { after, begun, isOver, isStale, judged, lost, moveOf, textOf, type Result } from './plan.ts'
import type { RunbookTools } from './ports.ts'
import { filled, readRunbook, type Step } from './text.ts'

export type Runbook = Resource<RunbookSpec, RunbookStatus>
export type RunbookRun = Resource<RunbookRunSpec, RunbookRunStatus>

const actor = systemActor('runbooks')
const lookAtTaskMs = 1000
const lookAgainMs = 12 * 3600_000
const usualRehearseDays = 180
const shownLines = 30

export interface RunbookDeps {
  resources: Resources
  tools: RunbookTools
  clock: Clock
}

/** With the values of its parameters. */
export function stepsOf({ spec }: RunbookRun): Step[] {
  return filled(readRunbook(spec.markdown ?? '').steps, spec.parameters ?? {})
}

export function keyOf({ metadata }: Resource<any, any>, kind: string): { kind: string; namespace: string; name: string } {
  return { kind, namespace: metadata.namespace!, name: metadata.name }
}

export function createRunbookRuns(deps: RunbookDeps): Reconciler {
  const { resources, clock } = deps
  return {
    name: 'runbook-runs',
    concurrency: 4,
    interests: [itself(runbookRun)],
    reconcile: async (text) => {
      const run = await resources.get<RunbookRun>(actor, { kind: 'RunbookRun', ...splitKey(text) })
      if (!run || run.metadata.deletionTimestamp) return done
      const steps = stepsOf(run)
      const dryRun = run.spec.dryRun ?? false
      if (!run.status?.startedAt) {
        await write(resources, run, begun(steps, dryRun, clock.now()))
        return again(0)
      }
      return goOn(deps, run as RunbookRun & { status: RunbookRunStatus }, steps, dryRun)
    },
  }
}

async function goOn(deps: RunbookDeps, run: RunbookRun & { status: RunbookRunStatus }, steps: Step[], dryRun: boolean): Promise<Outcome> {
  const { resources, tools, clock } = deps
  const { status } = run
  const step = steps[status.current!]!
  const move = moveOf(status, steps, dryRun, clock.now())
  const finish = async (result: Result): Promise<Outcome> => {
    await write(resources, run, after(status, steps, result, dryRun, clock.now()))
    return again(0)
  }
  switch (move.do) {
    case 'end':
    case 'ask':
      return done
    case 'check':
      return finish(await measure(tools, run, step as Step & { type: 'check' }, move.query, clock.now()))
    case 'show':
      return finish({ good: true, output: `Not done in a dry run: ${textOf(step)}.` })
    case 'lost':
      await write(resources, run, lost(status))
      return done
    case 'start':
      return start(deps, run, step as Step & { type: 'command' })
    case 'await': {
      const result = await resultOf(tools, move.task)
      return result ? finish(result) : again(lookAtTaskMs)
    }
    case 'sleep':
      return wait(deps, run, step, move, finish)
  }
}

async function wait({ tools, clock }: RunbookDeps, run: RunbookRun, step: Step, { ms, query }: { ms: number; query?: string }, finish: (result: Result) => Promise<Outcome>): Promise<Outcome> {
  // A change is somebody else's work: only when they are not heard of it is looked at again.
  if (step.type !== 'wait') return again(ms)
  if (query !== undefined) {
    const result = await measure(tools, run, step.until!, query, clock.now())
    if (result.good) return finish(result)
    if (ms === 0) return finish({ good: false, output: `${result.output} It did not come about within ${step.seconds} s.` })
  }
  return ms === 0 ? finish({ good: true, output: `Waited ${step.seconds} s.` }) : again(ms)
}

async function measure(tools: RunbookTools, { metadata }: RunbookRun, limits: { above?: number; below?: number }, query: string, now: Date): Promise<Result> {
  try {
    return judged(limits, await tools.value(metadata.namespace!, query, now))
  } catch (error) {
    if (!isPaviorError(error)) throw error
    return { good: false, output: `It could not be asked: ${error.message}` }
  }
}

/** Whoever began the run may run commands in the app: that was asked when it began. */
async function start({ resources, tools }: RunbookDeps, run: RunbookRun & { status: RunbookRunStatus }, step: Step & { type: 'command' }): Promise<Outcome> {
  const { id } = await tools.run(actor, commandOf(tools, run, step))
  const states = run.status.steps!
  await write(resources, run, { ...run.status, steps: [...states.slice(0, -1), { ...states.at(-1)!, task: id }] })
  return again(lookAtTaskMs)
}

export function commandOf(tools: RunbookTools, { metadata, spec }: RunbookRun, { app, environment, run: command, timeoutSeconds = 600 }: Step & { type: 'command' }): Parameters<RunbookTools['run']>[1] {
  const team = metadata.namespace!
  return { team, app: app ?? spec.parameters?.app ?? '', environment: environment ?? tools.defaultEnvironment(team), command, timeoutMs: timeoutSeconds * 1000 }
}

/** Undefined while it runs. */
export async function resultOf(tools: RunbookTools, task: string): Promise<Result | undefined> {
  const status = await tools.task(task)
  if (status?.state === 'running') return undefined
  const lines = await tools.lines(task, shownLines).catch(() => [])
  const good = status?.exit?.code === 0
  const end = status ? (status.problem?.message ?? (good ? 'It ended well.' : `It ended with ${status.exit?.signal ?? `code ${status.exit?.code}`}.`)) : 'It is not known any more.'
  return { good, output: [end, ...lines].join('\n').slice(0, 8000) }
}

/** Nothing is written over what somebody wrote meanwhile: the next look sees that. */
async function write(resources: Resources, run: RunbookRun, status: RunbookRunStatus): Promise<void> {
  await resources
    .mutate<RunbookRun>(actor, keyOf(run, 'RunbookRun'), (current) => (current!.metadata.resourceVersion === run.metadata.resourceVersion ? { ...current!, status } : current!), { subresource: 'status' })
    .catch(ignore('NOT_FOUND'))
}

export function createRunbookWatch({ resources, clock }: Omit<RunbookDeps, 'tools'>): Reconciler {
  return {
    name: 'runbooks',
    concurrency: 2,
    interests: [itself(runbook), { kind: runbookRun.kind, keys: ({ metadata, spec }) => [`${metadata.namespace}/${(spec as RunbookRunSpec).runbook}`] }],
    reconcile: async (text) => {
      const key = { kind: 'Runbook', ...splitKey(text) }
      const book = await resources.get<Runbook>(actor, key)
      if (!book || book.metadata.deletionTimestamp) return done
      const runs = await resources.listAll<RunbookRun>(actor, 'RunbookRun', key.namespace, { fields: [{ path: 'spec.runbook', operator: '=', value: key.name }] })
      const status = trustOf(book, runs, clock.now())
      if (!isDeepStrictEqual(book.status, status)) await resources.mutate<Runbook>(actor, key, (current) => ({ ...current!, status }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
      return again(lookAgainMs)
    },
  }
}

function trustOf({ metadata, spec, status: before }: Runbook, runs: readonly RunbookRun[], now: Date): RunbookStatus {
  const ended = runs.filter(({ status }) => status && isOver(status)).toSorted((one, other) => Date.parse(other.status!.finishedAt!) - Date.parse(one.status!.finishedAt!))
  const good = ended.find(({ spec: run, status }) => !run.dryRun && status!.phase === 'Succeeded')
  const latest = runs.toSorted((one, other) => Date.parse(other.metadata.creationTimestamp) - Date.parse(one.metadata.creationTimestamp))[0]
  // Runs may be deleted; what was seen of them stays.
  const lastSuccessAt = [good?.status?.finishedAt, before?.lastSuccessAt].filter((at) => at !== undefined).toSorted().at(-1)
  return {
    steps: readRunbook(spec.markdown).steps.length,
    runs: runs.length,
    ...(latest ? { lastRunAt: latest.metadata.creationTimestamp } : before?.lastRunAt ? { lastRunAt: before.lastRunAt } : {}),
    ...(lastSuccessAt ? { lastSuccessAt } : {}),
    ...(ended[0] ? { lastOutcome: `${ended[0].status!.phase}: ${ended[0].status!.message ?? ''}`.slice(0, 300) } : before?.lastOutcome ? { lastOutcome: before.lastOutcome } : {}),
    stale: isStale(lastSuccessAt, metadata.creationTimestamp, spec.rehearseEveryDays ?? usualRehearseDays, now),
    observedGeneration: metadata.generation!,
  }
}
