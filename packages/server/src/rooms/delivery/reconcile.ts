/**
 * Carries a Build from source to artifact. Each step runs as a task of the runtime, named by build and step, so that after
 * a crash of the server a step that still runs is waited for and one that has ended is not run again.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildStatus, ErrorDetails, ProcessSpec, Step, TaskStatus } from '@pavior/contract'
import { fail, isPaviorError, lastWords, lastWordsReadLines, type ErrorObject, type PaviorError } from '@pavior/contract'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { hasCode, ignore } from '../../kernel/errors.ts'
import { done, itself, splitKey, type Outcome, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { actor, buildsOf, cancelGraceMs, finalPhases, summaryOf, taskOf, type Build } from './builds.ts'
import { build as buildKind } from './kinds.ts'
import { manifestFiles, readDeclaration } from './manifest/index.ts'
import { chooseBuilder, endStep, inputsOf, isSuperseded, policyMessage, problemOfStep, reusable, startStep, toolchainOf } from './plan.ts'
import type { ArtifactStore, Builder, BuildPlan, BuildStep, DeployGate, SourceFacts, SourceStore, StepRunner, ToolFinder } from './ports.ts'
import type { Safety } from './safety/index.ts'
import { findBuilt, rememberBuilt } from './store.ts'
import { pathOf, withCache } from './environment.ts'
import { finishImage } from './image.ts'
import { finishTree, imageMounts, imageOutput, keepLayer, prepareWorkspace, removeWorkspace, restoreLayer, type BuildPlaces } from './workspace.ts'

const stoppedCodes = new Set(['BUILD_CANCELED', 'SUPERSEDED', 'APP_DELETED'])
const taskCheckMs = 2000
/** Lines that an error carries. */
const keptLines = 20
/** Characters of a line that an error carries. */
const longestKeptLine = 1000

export interface BuildDeps {
  database: Database
  resources: Resources
  builders: readonly Builder[]
  sources: SourceStore
  artifacts: ArtifactStore & { makeIncoming: () => Promise<string> }
  tools: ToolFinder
  runner: StepRunner
  gate: DeployGate
  safety: Pick<Safety, 'examine'>
  places: BuildPlaces
  /** Resolves when the task may have changed, or after this long. */
  taskChanged: (id: string, timeoutMs: number, signal: AbortSignal) => Promise<void>
  events: EventRecorder
  limits: { concurrency: number; memoryBytes: number; cpu: number; pids: number; diskBytes: number; timeoutMs: number }
  /** Proxies, registries, certificates: what package managers on this machine need. */
  buildEnv: Record<string, string>
  clock: Clock
}

export function createBuildReconciler(deps: BuildDeps): Reconciler {
  const { resources, limits } = deps
  return {
    name: 'builds',
    concurrency: limits.concurrency,
    interests: [itself(buildKind)],
    reconcile: async (text, signal) => {
      const { namespace: team, name } = splitKey(text)
      const key = { kind: 'Build', namespace: team, name }
      const build = await resources.get<Build>(actor, key)
      if (!build || build.metadata.deletionTimestamp || finalPhases.has(build.status?.phase ?? '')) return done
      const run = new BuildRun(deps, build, signal)
      try {
        return await run.carryOn()
      } catch (error) {
        if (signal.aborted) throw error
        const problem = run.judge(error as Error)
        await run.end(stoppedCodes.has(problem.code) ? 'Canceled' : 'Failed', problem.toObject())
        return done
      } finally {
        if (finalPhases.has(run.status.phase ?? '')) await removeWorkspace(deps.places.work(build.metadata.uid)).catch(() => {})
      }
    },
  }
}

class BuildRun {
  readonly #deps: BuildDeps
  readonly #build: Build
  readonly #signal: AbortSignal
  status: BuildStatus

  constructor(deps: BuildDeps, build: Build, signal: AbortSignal) {
    this.#deps = deps
    this.#build = build
    this.#signal = signal
    this.status = build.status ?? {}
  }

  async carryOn(): Promise<Outcome> {
    const { spec, metadata } = this.#build
    const team = metadata.namespace!
    const app = await this.#deps.resources.get(actor, { kind: 'App', namespace: team, name: spec.app })
    if (!app || app.metadata.deletionTimestamp) throw fail('APP_DELETED', `The app "${spec.app}" was deleted before the build ended.`)
    await this.#stopWhenUnwanted()
    if (this.status.phase !== 'Building') await this.#write({ phase: 'Building', queuedAt: this.status.queuedAt ?? metadata.creationTimestamp, startedAt: this.#now() })

    const { source, plan, builderName, why, declared, toolchain } = await this.#plan()
    const inputs = inputsOf(spec.revision.source, builderName, source, plan)
    const before = await findBuilt(this.#deps.database, team, spec.app, inputs)
    if (before && (await this.#deps.artifacts.has(before.artifact!))) {
      await this.#succeed({ ...before, ...toolchain, declared, reused: true, summary: 'unchanged, not built again' })
      return done
    }
    await this.#write({ builder: `${builderName} (${why})`, summary: plan.summary })
    if (plan.image) await this.#needsImages()
    else this.#needsProcess(plan.processes, declared)
    const artifact = (await this.#storedBefore()) ?? (await this.#make(source, plan, declared))
    const status = { ...this.#results(plan), ...toolchain, declared, builder: `${builderName} (${why})`, artifact }
    await rememberBuilt(this.#deps.database, team, spec.app, inputs, reusable({ ...this.status, ...status }))
    await this.#succeed(status)
    return done
  }

  async #plan(): Promise<{ source: SourceFacts; plan: BuildPlan; builderName: string; why: string; declared: NonNullable<BuildStatus['declared']>; toolchain: Pick<BuildStatus, 'toolchain'> }> {
    const { sources, builders, tools } = this.#deps
    const { revision } = this.#build.spec
    if (!(await sources.has(revision.source))) throw fail('ARTIFACT_MISSING', `The source ${revision.source.slice(0, 19)} of this build is not stored any more.`)
    const top = await sources.facts(revision.source, undefined, manifestFiles)
    const declaration = readDeclaration(top.texts, top.paths)
    const settings = declaration.spec.build ?? {}
    const reads = [...new Set([...builders.flatMap((builder) => builder.reads), ...manifestFiles])]
    const source: SourceFacts = { ...(await sources.facts(revision.source, settings.directory, reads)), settings }
    const { builder, why } = chooseBuilder(builders, source)
    const host = await tools.find(builder.tools)
    const request = builder.request?.(source)
    const plan = builder.plan(source, request ? { ...host, [request.name]: await tools.provide(request) } : host)
    const toolchain = toolchainOf(builder, source, plan)
    // A Procfile in the directory of the app counts too.
    const inner = settings.directory === undefined ? declaration : { ...declaration, spec: { ...readDeclaration(pickProcfile(source.texts)).spec, ...declaration.spec } }
    return { source, plan, builderName: builder.name, why, declared: { ...inner.spec, declaredBy: declaration.declaredBy }, toolchain: toolchain === undefined ? {} : { toolchain } }
  }

  #needsProcess(found: Record<string, ProcessSpec>, declared: NonNullable<BuildStatus['declared']>, more: Partial<ErrorDetails> = {}): void {
    const processes = { ...found, ...declared.processes }
    const commands = Object.keys(processes).filter((name) => (processes[name]!.command ?? found[name]?.command) !== undefined)
    if (commands.length === 0) throw fail('PROCESS_MISSING', { message: 'The source does not say how to start it.', state: 'Nothing was deployed.', ...more })
  }

  /** Said before an image is built that could not run. */
  async #needsImages(): Promise<void> {
    const { imageProblem } = (await this.#deps.runner.current()).host
    if (imageProblem === undefined) return
    throw fail('BUILDER_UNSUPPORTED', {
      message: 'A Dockerfile cannot be built and run on this machine.',
      why: imageProblem,
      fix: 'Put right what is missing and start Pavior again, or add a Procfile with a line "web: <command>" beside the files of the language: its builder does the rest.',
      state: 'Nothing was built; what served before goes on serving.',
    })
  }

  #results(plan: BuildPlan): Partial<BuildStatus> {
    // What an image says was noted when it was stored.
    if (plan.image) return { mounts: [], bin: [] }
    return {
      processes: plan.processes,
      env: { ...plan.runtimeEnv, PATH: pathOf(plan.runtimeTools) },
      mounts: [...new Set(plan.runtimeTools.flatMap((tool) => tool.mounts))],
      bin: plan.bin ?? [],
    }
  }

  /** The artifact, when a crash came between storing it and saying so: its workspace has gone into it. */
  async #storedBefore(): Promise<string | undefined> {
    const { artifact } = this.status
    return artifact !== undefined && (await this.#deps.artifacts.has(artifact)) ? artifact : undefined
  }

  /** Runs the steps in a workspace and stores what comes out. */
  async #make(source: SourceFacts, plan: BuildPlan, declared: NonNullable<BuildStatus['declared']>): Promise<string> {
    const { sources, places } = this.#deps
    const { spec, metadata } = this.#build
    const work = places.work(metadata.uid)
    const fresh = await prepareWorkspace(sources.directoryOf(spec.revision.source), work)
    // In a fresh workspace nothing is done, whatever the status says.
    if (fresh) await this.#forgetSteps()
    const directory = join(work, source.settings.directory ?? '.')
    const layers = places.layers(metadata.namespace!, spec.app)
    for (const step of plan.steps) {
      if (this.status.steps?.some(({ name, state }) => name === step.name && (state === 'done' || state === 'skipped'))) continue
      const layer = plan.layers.find(({ name }) => name === step.madeBy)
      if (layer && !(await this.#started(step)) && (await restoreLayer(layers, layer, directory))) {
        await this.#write({ steps: endStep(this.status.steps ?? [], step.name, 'skipped', this.#now(), 'cached dependencies') })
        continue
      }
      await this.#runStep(step, plan, source.settings, directory)
      if (layer) await keepLayer(layers, layer, directory)
    }
    await this.#stopWhenUnwanted()
    await this.#write({ steps: startStep(this.status.steps ?? [], 'store', this.#now()) })
    if (plan.image) return this.#storeImage(imageOutput(work), declared)
    return this.#store(await finishTree(directory, { ...plan, ...(source.settings.output !== undefined && plan.output === undefined && plan.add === undefined ? { output: source.settings.output } : {}) }))
  }

  async #storeImage(output: string, declared: NonNullable<BuildStatus['declared']>): Promise<string> {
    const { root, results } = await finishImage(output)
    this.#needsProcess(results.processes, declared, { fix: 'Add a CMD to the Dockerfile, or a Procfile with a line `web: <command>`.' })
    return this.#store(root, results)
  }

  async #store(root: string, results: Partial<BuildStatus> = {}): Promise<string> {
    const { digest, files, bytes } = await this.#deps.artifacts.put(root, (artifact) => this.#write({ ...results, artifact }))
    this.status = { ...this.status, steps: endStep(this.status.steps ?? [], 'store', 'done', this.#now(), `${files} files, ${Math.round(bytes / 1024)} kB`) }
    return digest
  }

  async #forgetSteps(): Promise<void> {
    for (const { name } of this.status.steps ?? []) await this.#deps.runner.forgetTask(taskOf(this.#build, name))
    if (this.status.steps?.length) await this.#write({ steps: [] })
  }

  async #started(step: BuildStep): Promise<boolean> {
    return (await this.#deps.runner.task(taskOf(this.#build, step.name))) !== undefined
  }

  async #runStep(step: BuildStep, plan: BuildPlan, settings: SourceFacts['settings'], directory: string): Promise<void> {
    const { runner, limits, places, buildEnv, taskChanged } = this.#deps
    const { spec, metadata } = this.#build
    const id = taskOf(this.#build, step.name)
    await this.#stopWhenUnwanted()
    await this.#write({ steps: startStep(this.status.steps ?? [], step.name, this.#now()) })
    const cache = places.cache(metadata.namespace!, spec.app)
    const kept = plan.image ? await imageMounts(places, metadata.uid) : [{ source: cache, target: cache, readOnly: false }]
    for (const { source } of kept) await mkdir(source, { recursive: true })
    let task: TaskStatus = await runner.startTask(id, {
      workload: {
        team: metadata.namespace!,
        app: spec.app,
        directory,
        writable: true,
        ...(plan.image ? { imageBuilder: true } : {}),
        command: step.command,
        env: { ...buildEnv, LANG: 'C.UTF-8', ...withCache({ ...plan.env, ...step.env }, cache), ...settings.env, PATH: pathOf(plan.tools) },
        limits: { memoryBytes: limits.memoryBytes, cpu: limits.cpu, pids: limits.pids, diskBytes: limits.diskBytes },
        // At its own path, so that it is found there without a sandbox too.
        mounts: [...kept, ...plan.tools.flatMap((tool) => tool.mounts).map((path) => ({ source: path, target: path, readOnly: true }))],
      },
      timeoutMs: limits.timeoutMs,
    })
    while (task.state === 'running') {
      await taskChanged(id, taskCheckMs, this.#signal)
      this.#signal.throwIfAborted()
      await this.#stopWhenUnwanted().catch(async (error: Error) => {
        await runner.cancelTask(id, cancelGraceMs)
        throw error
      })
      const now = await runner.task(id)
      if (!now) throw fail('BUILD_FAILED', { message: `The build step "${step.name}" was lost: the agent does not know it any more.`, fix: 'Deploy again.' })
      task = now
    }
    if (task.exit?.code === 0 && !task.problem) {
      await this.#write({ steps: endStep(this.status.steps ?? [], step.name, 'done', this.#now()) })
      return
    }
    await this.#stopWhenUnwanted()
    const { code, ...details } = problemOfStep({ step, task, lastLines: await this.#lastLines(id) }, limits)
    this.status = { ...this.status, steps: endStep(this.status.steps ?? [], step.name, 'failed', this.#now()) }
    throw fail(code, details)
  }

  async #lastLines(id: string): Promise<string[]> {
    const lines: string[] = []
    try {
      for await (const { line } of this.#deps.runner.logs(id, { tail: lastWordsReadLines }, this.#signal)) {
        // One line without end arrives in many pieces.
        lines.push(line.slice(0, longestKeptLine))
        if (lines.length > lastWordsReadLines) lines.shift()
      }
    } catch {
      // The reason stands without its log.
    }
    return lastWords(lines, keptLines)
  }

  /** Somebody cancelled, or pushed again. */
  async #stopWhenUnwanted(): Promise<void> {
    const { resources } = this.#deps
    const { metadata, spec } = this.#build
    const now = await resources.get<Build>(actor, { kind: 'Build', namespace: metadata.namespace!, name: metadata.name })
    if (now?.metadata.uid !== metadata.uid || now.metadata.deletionTimestamp) throw fail('APP_DELETED', `The app "${spec.app}" was deleted before the build ended.`)
    if (now.spec.canceled) throw fail('BUILD_CANCELED', { message: `The build ${metadata.name} was cancelled.`, state: 'What served before goes on serving.' })
    const others = await buildsOf(resources, metadata.namespace!, spec.app)
    const later = others.find((other) => isSuperseded(summaryOf(this.#build), [summaryOf(other)]))
    if (later) throw fail('SUPERSEDED', { message: `The later build ${later.metadata.name} took the place of ${metadata.name}.`, state: 'The later one decides what serves.' })
  }

  /** What an error that ended the run means for the build. Throws it again when another try may help. */
  judge(error: Error): PaviorError {
    if (isPaviorError(error) && error.entry.exit !== 4) return error
    const state = 'Nothing was deployed; what served before goes on serving.'
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' || /ENOSPC|No space left on device|Disk quota exceeded/.test(String((error as { stderr?: string }).stderr ?? error.message))
    if (full) return fail('BUILD_DISK_FULL', { message: `The disk was full during the build ${this.#build.metadata.name}.`, state }, { cause: error })
    const spentMs = this.#deps.clock.now().getTime() - Date.parse(this.status.startedAt ?? this.#now())
    if (spentMs < this.#deps.limits.timeoutMs) throw error
    return fail('INTERNAL', { message: `The build ${this.#build.metadata.name} could not be carried on for ${Math.round(spentMs / 1000)} s.`, why: error.message, state }, { cause: error })
  }

  async #succeed(status: Partial<BuildStatus>): Promise<void> {
    await this.#examine(status.artifact!, status)
    const { steps, ...judged } = { ...this.status, ...status }
    const { rules, warnings } = await this.#deps.gate.admitBuild({ ...this.#build, status: judged })
    const message = policyMessage(rules, warnings)
    if (rules > 0) this.status = { ...this.status, steps: endStep(startStep(steps ?? [], 'policy', this.#now()), 'policy', 'done', this.#now(), message) }
    await this.end('Succeeded', undefined, status)
  }

  /** Without a list of its parts an artifact can still run; rules that need one say so. */
  async #examine(artifact: string, status: Partial<BuildStatus>): Promise<void> {
    const { safety, events } = this.#deps
    const build = { ...this.#build, status: { ...this.status, ...status } }
    const steps = startStep(this.status.steps ?? [], 'inspect', this.#now())
    try {
      const { components, secrets } = await safety.examine(build, artifact, this.#signal)
      const found = `${components} ${components === 1 ? 'part' : 'parts'} of others${secrets === 0 ? '' : `, ${secrets} ${secrets === 1 ? 'line looks' : 'lines look'} like a secret`}`
      this.status = { ...this.status, steps: endStep(steps, 'inspect', 'done', this.#now(), found) }
    } catch (error) {
      if (!hasCode(error, 'SCAN_FAILED')) throw error
      this.status = { ...this.status, steps: endStep(steps, 'inspect', 'skipped', this.#now(), (error as Error).message) }
      await events.record(this.#build, 'Warning', 'ScanFailed', (error as Error).message, 'delivery')
    }
  }

  async end(phase: 'Succeeded' | 'Failed' | 'Canceled', problem?: ErrorObject, more: Partial<BuildStatus> = {}): Promise<void> {
    const now = this.#now()
    const message = problem?.message ?? `The artifact is ${more.artifact?.slice(0, 19)}.`
    await this.#write({
      ...more,
      phase,
      ...(problem ? { problem } : {}),
      steps: (this.status.steps ?? []).map((step): Step => (step.state === 'running' ? { ...step, state: 'failed', finishedAt: now } : step)),
      finishedAt: now,
      conditions: [{ type: 'Complete', status: phase === 'Succeeded' ? 'True' : 'False', reason: problem?.code ?? phase, message, lastTransitionTime: now, observedGeneration: this.#build.metadata.generation }],
      observedGeneration: this.#build.metadata.generation,
    })
    await this.#deps.events.record(this.#build, problem ? 'Warning' : 'Normal', phase, message, 'delivery')
  }

  async #write(change: Partial<BuildStatus>): Promise<void> {
    const { metadata } = this.#build
    this.status = { ...this.status, ...change }
    const { status } = this
    await this.#deps.resources
      .mutate<Build>(actor, { kind: 'Build', namespace: metadata.namespace!, name: metadata.name }, (current) => ({ ...current!, status }), { subresource: 'status' })
      .catch(ignore('NOT_FOUND'))
  }

  #now(): string {
    return this.#deps.clock.now().toISOString()
  }
}

function pickProcfile({ Procfile }: Readonly<Record<string, string>>): Record<string, string> {
  return Procfile === undefined ? {} : { Procfile }
}
