/**
 * Carries a run through its steps. The journal in its status says what is done, so a server that is killed in the middle
 * goes on where it was: steps that only change the workspace are done again and give the same files, the others know what
 * they made by the run's identity. A run that fails takes back what it did, in reverse.
 */
import { fail, isPaviorError, type PaviorError, type Resource, type TemplateRunSpec, type TemplateRunStatus, type TemplateRunStep } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { ignore } from '../../../kernel/errors.ts'
import { done, itself, splitKey, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { ActionContext, ActionDeps } from './actions/types.ts'
import { templateRun } from './kinds.ts'
import { journalOf, nextMove, note } from './plan.ts'
import type { RunLogs } from './run-log.ts'
import type { Sealer } from '../../../kernel/sealer.ts'
import { actionOf, inputsOf, outputsOf } from './steps.ts'
import { forgetSecrets, readSecrets, readVersion } from './store.ts'

export type Run = Resource<TemplateRunSpec, TemplateRunStatus>

const actor = systemActor('templates')
/** The world outside may come back: the run stops and can be resumed, nothing is taken back. */
const resumable = new Set(['REPOSITORY_UNREACHABLE', 'REPOSITORY_REFUSED'])
/** How long a fault of ours is tried again. */
const patienceMs = 10 * 60_000
const concurrency = 8

export interface RunDeps extends ActionDeps {
  sealer: Sealer
  logs: RunLogs
  events: EventRecorder
  clock: Clock
}

export function createRunReconciler(deps: RunDeps): Reconciler {
  return {
    name: 'template-runs',
    concurrency,
    interests: [itself(templateRun)],
    reconcile: async (text, signal) => {
      const run = await deps.resources.get<Run>(actor, { kind: 'TemplateRun', ...splitKey(text) })
      if (!run || run.metadata.deletionTimestamp) return done
      const move = nextMove(run.spec, run.status)
      if (move === 'run' || move === 'undo') await new Journey(deps, run, signal).go(move)
      return done
    },
  }
}

class Journey {
  readonly #deps: RunDeps
  readonly #run: Run
  readonly #signal: AbortSignal
  #status: TemplateRunStatus

  constructor(deps: RunDeps, run: Run, signal: AbortSignal) {
    this.#deps = deps
    this.#run = run
    this.#signal = signal
    this.#status = run.status ?? {}
  }

  async go(move: 'run' | 'undo'): Promise<void> {
    const context = await this.#context()
    if (!context) {
      const { template, version } = this.#run.spec
      return this.#end('Failed', { problem: fail('NOT_FOUND', { message: `Version ${version} of the template ${template} is not kept any more.` }).toObject() })
    }
    if (move === 'undo') return this.#undo(context)
    try {
      await this.#goForward(context)
    } catch (error) {
      this.#signal.throwIfAborted()
      const problem = this.#judge(error as Error)
      if (!problem) {
        await this.#sayRetry(error as Error)
        throw error
      }
      await this.#fall(context, problem)
    }
  }

  async #goForward(context: ActionContext): Promise<void> {
    const { spec } = await this.#manifest()
    await this.#write({
      phase: 'Running',
      steps: this.#status.steps ?? journalOf(spec.steps),
      startedAt: context.run.startedAt,
      problem: undefined,
      ...(this.#run.spec.resume === undefined ? {} : { resumed: this.#run.spec.resume }),
    })
    for (const step of spec.steps) {
      const entry = this.#entry(step.id)
      const action = actionOf(step)
      if (entry.output) context.outputs[step.id] = entry.output
      if (entry.state === 'skipped' || (entry.state === 'done' && !action.pure)) continue
      await this.#stopWhenUnwanted()
      const again = entry.state === 'done'
      if (!again) await this.#note(step.id, { state: 'running', startedAt: entry.startedAt ?? this.#now(), message: undefined })
      const inputs = await inputsOf(context, step)
      if (!inputs) {
        await this.#note(step.id, { state: 'skipped', message: 'its condition does not hold', finishedAt: this.#now() })
        continue
      }
      const told: ActionContext = { ...context, log: async (line) => (again ? undefined : this.#deps.logs.add(this.#run.metadata.uid, { step: step.id, line })) }
      let result: Awaited<ReturnType<typeof action.run>> = {}
      for (const input of inputs) result = await action.run(told, input)
      context.outputs[step.id] = result.output ?? {}
      if (!again) await this.#note(step.id, { state: 'done', message: result.message, finishedAt: this.#now(), output: result.output })
    }
    const outputs = await outputsOf(context, spec.output)
    const all = Object.values(context.outputs)
    const named = (key: string): string | undefined => all.map((output) => output[key]).findLast((value): value is string => typeof value === 'string' && value !== '')
    await this.#end('Succeeded', { outputs, repository: named('remoteUrl'), url: named('url') })
  }

  /** Whoever looks on sees why it takes so long. */
  async #sayRetry({ message }: Error): Promise<void> {
    const running = this.#status.steps?.find(({ state }) => state === 'running')
    if (running) await this.#note(running.id, { message: `tries again: ${message.slice(0, 200)}` })
  }

  /** Undefined for a fault of the platform: it is tried again, but not for ever. */
  #judge(error: Error): PaviorError | undefined {
    if (isPaviorError(error) && error.entry.exit !== 4) return error
    const since = Date.parse(this.#status.startedAt ?? this.#now())
    if (this.#deps.clock.now().getTime() - since < patienceMs) return undefined
    return fail('INTERNAL', { message: 'The run could not be carried on.', why: error.message }, { cause: error })
  }

  async #fall(context: ActionContext, problem: PaviorError): Promise<void> {
    const failed = this.#status.steps?.find(({ state }) => state === 'running')
    const steps = failed ? note(this.#status.steps!, failed.id, { state: 'failed', message: problem.message, finishedAt: this.#now() }) : this.#status.steps
    if (resumable.has(problem.code)) {
      await this.#write({ phase: 'Stopped', steps, problem: { ...problem.toObject(), state: problem.details.state ?? 'What was done stays; the run can be resumed or cancelled.' } })
      return
    }
    await this.#write({ phase: 'Undoing', steps, problem: problem.toObject() })
    await this.#undo(context)
  }

  async #undo(context: ActionContext): Promise<void> {
    const { spec } = await this.#manifest()
    const problem = this.#status.problem ?? fail('CANCELED', { message: 'The run was cancelled.', fix: 'Run the template again when it should be made.' }).toObject()
    await this.#write({ phase: 'Undoing', problem, steps: this.#status.steps ?? journalOf(spec.steps) })
    for (const { id, output } of this.#status.steps!) if (output) context.outputs[id] = output
    const left = [...(this.#status.left ?? [])]
    for (const step of spec.steps.toReversed()) {
      const entry = this.#entry(step.id)
      if (entry.state !== 'done' && entry.state !== 'failed' && entry.state !== 'running') continue
      const action = actionOf(step)
      if (!action.undo) {
        if (entry.state === 'running') await this.#note(step.id, { state: 'failed', finishedAt: this.#now() })
        continue
      }
      const remains = await this.#takeBack(context, step.id)
      if (remains !== undefined) left.push(remains)
      await this.#note(step.id, { state: entry.state === 'failed' ? 'failed' : remains === undefined ? 'undone' : 'kept' }, { left })
    }
    await this.#end('Failed', { problem: { ...problem, state: left.length === 0 ? 'What the run had made was taken back.' : left.join(' ') } })
  }

  /** What cannot be taken back is said, not tried for ever. */
  async #takeBack(context: ActionContext, id: string): Promise<string | undefined> {
    const { spec } = await this.#manifest()
    const step = spec.steps.find((one) => one.id === id)!
    try {
      let left: string | undefined
      for (const input of (await inputsOf(context, step)) ?? []) left = (await actionOf(step).undo!(context, input)) ?? left
      return left
    } catch (error) {
      this.#signal.throwIfAborted()
      return `The step "${step.name}" could not be taken back: ${(error as Error).message}`
    }
  }

  async #context(): Promise<ActionContext | undefined> {
    const { spec, metadata } = this.#run
    const template = await readVersion(this.#deps.database, spec.templateTeam, spec.template, spec.version)
    if (!template) return undefined
    const sealed = await readSecrets(this.#deps.database, metadata.uid)
    const team = metadata.namespace!
    return {
      deps: this.#deps,
      // In the name of who asked, and no further than this team.
      actor: { name: spec.requestedBy, kind: 'user', admin: false, roles: new Map([[team, 'developer']]) },
      team,
      run: { uid: metadata.uid, name: metadata.name, startedAt: this.#status.startedAt ?? this.#now(), requestedBy: spec.requestedBy },
      template: { team: spec.templateTeam, name: spec.template, version: spec.version, files: template.files },
      answers: spec.answers,
      secrets: sealed ? await this.#deps.sealer.open(sealed) : {},
      workspace: new Map(),
      outputs: {},
      signal: this.#signal,
      log: async () => {},
    }
  }

  async #manifest(): Promise<{ spec: NonNullable<Awaited<ReturnType<typeof readVersion>>>['manifest'] }> {
    const { templateTeam, template, version } = this.#run.spec
    return { spec: (await readVersion(this.#deps.database, templateTeam, template, version))!.manifest }
  }

  async #stopWhenUnwanted(): Promise<void> {
    const { metadata } = this.#run
    const now = await this.#deps.resources.get<Run>(actor, { kind: 'TemplateRun', namespace: metadata.namespace!, name: metadata.name })
    if (!now || now.metadata.uid !== metadata.uid || now.metadata.deletionTimestamp || now.spec.canceled) throw fail('CANCELED', { message: 'The run was cancelled.', fix: 'Run the template again when it should be made.' })
  }

  #entry(id: string): TemplateRunStep {
    return this.#status.steps!.find((step) => step.id === id)!
  }

  async #note(id: string, change: Partial<TemplateRunStep>, more: Partial<TemplateRunStatus> = {}): Promise<void> {
    await this.#write({ ...more, steps: note(this.#status.steps!, id, change) })
  }

  async #end(phase: 'Succeeded' | 'Failed', more: Partial<TemplateRunStatus>): Promise<void> {
    await forgetSecrets(this.#deps.database, this.#run.metadata.uid)
    await this.#write({ ...more, phase, finishedAt: this.#now() })
    await this.#deps.events.record(this.#run, phase === 'Succeeded' ? 'Normal' : 'Warning', phase, more.problem?.message ?? `The app is there${more.url ? ` and answers at ${more.url}` : ''}.`, 'templates')
  }

  async #write(change: Partial<TemplateRunStatus>): Promise<void> {
    const { metadata } = this.#run
    this.#status = withoutUndefined({ ...this.#status, ...change, ...(change.steps ? { steps: change.steps.map(withoutUndefined) } : {}) })
    const status = this.#status
    await this.#deps.resources
      .mutate<Run>(actor, { kind: 'TemplateRun', namespace: metadata.namespace!, name: metadata.name }, (current) => ({ ...current!, status }), { subresource: 'status' })
      .catch(ignore('NOT_FOUND'))
  }

  #now(): string {
    return this.#deps.clock.now().toISOString()
  }
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
