/**
 * A deploy as its user sees it: from a Build over its Deployment to the end, as a stream of records. The CLI and the git
 * hook print the same stream.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { BuildSpec, BuildStatus, DeployProgress, DeployResult, ErrorObject, LogLine, Resource, Step } from '@pavior/contract'
import { fail, isPaviorError } from '@pavior/contract'
import type { Actor } from '../../kernel/actor.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { ChangeWaiters } from '../../kernel/store/waiters.ts'
import { actor as system, overtakenBy, serves, type Deployment } from './context.ts'
import { openIncidents } from './incidents.ts'
import { labels, refusalAnnotation } from './names.ts'
import { finalPhases } from './observed.ts'

type Build = Resource<BuildSpec, BuildStatus>

/** Waiting is for changes; this is only a safety net. */
const lookAgainMs = 5000
/** A deploy outlives a restart of the database, and so does what tells of it. */
const databasePatienceMs = 30_000
const databaseRetryMs = 200
const endedBuilds = new Set(['Succeeded', 'Failed', 'Canceled'])

export interface ProgressDeps {
  resources: Resources
  changes: ChangeWaiters
  /** Log of a build step as it is written. */
  stepLog: (build: Build, step: string, signal: AbortSignal) => AsyncIterable<LogLine>
}

export async function* deployProgress({ resources, changes, stepLog }: ProgressDeps, by: Actor, team: string, name: string, signal: AbortSignal): AsyncGenerator<DeployProgress> {
  let build = await resources.mustGet<Build>(by, { kind: 'Build', namespace: team, name })
  const told = new Map<string, string>()
  while (!signal.aborted) {
    const changed = changes.wait('Build', team, name, signal)
    const now = await patiently(() => resources.get<Build>(by, { kind: 'Build', namespace: team, name }), signal)
    if (now?.metadata.uid !== build.metadata.uid) {
      const { app } = build.spec
      yield { type: 'error', error: fail('APP_DELETED', `The build ${name} of app "${app}" was deleted before it ended.`).toObject(), result: buildResult(team, build) }
      return
    }
    build = now
    for (const step of build.status?.steps ?? []) {
      if (told.get(step.name) === step.state) continue
      const first = !told.has(step.name)
      told.set(step.name, step.state)
      if (first && step.name !== 'store' && step.state !== 'skipped') {
        yield { type: 'step', within: 'build', name: step.name, state: 'running' }
        for await (const { line } of stepLog(build, step.name, signal)) yield { type: 'log', step: step.name, line }
      }
      if (step.state !== 'running') yield { type: 'step', within: 'build', name: step.name, state: step.state, message: step.message, ms: elapsed(step) }
    }
    if (endedBuilds.has(build.status?.phase ?? '')) break
    await changed
  }
  const result = buildResult(team, build)
  const { phase, problem, summary, reused } = build.status ?? {}
  if (problem) {
    yield { type: 'step', name: 'build', state: 'failed', ms: result.durations.build }
    yield { type: 'error', error: problem as ErrorObject, result }
    return
  }
  yield { type: 'step', name: 'build', state: reused ? 'skipped' : 'done', message: summary, ms: result.durations.build }
  if (phase !== 'Succeeded' || build.spec.environment === undefined) {
    yield { type: 'result', result }
    return
  }
  yield* deploymentProgress({ resources, changes }, by, team, (deployment) => deployment.metadata.labels?.[labels.build] === name, build.spec.app, result, signal, () => overtakenBy(resources, team, build), async () => refusalOf(await resources.get<Build>(system, { kind: 'Build', namespace: team, name })))
}

/** Follows the deployment that `wanted` recognises. */
export async function* deploymentProgress(
  { resources, changes }: Pick<ProgressDeps, 'resources' | 'changes'>,
  by: Actor,
  team: string,
  wanted: (deployment: Deployment) => boolean,
  app: string,
  result: DeployResult,
  signal: AbortSignal,
  /** Name of the build that took the place of this one before it became a deployment. */
  overtaken: () => Promise<string | undefined> = async () => undefined,
  /** Why it never becomes a deployment. */
  refused: () => Promise<ErrorObject | undefined> = async () => undefined,
): AsyncGenerator<DeployProgress> {
  const told = new Map<string, string>()
  let announced = false
  while (!signal.aborted) {
    const changed = Promise.race([changes.wait('Deployment', team, '*', signal, lookAgainMs), changes.wait('App', team, app, signal, lookAgainMs)])
    const existing = await patiently(() => resources.get(system, { kind: 'App', namespace: team, name: app }), signal)
    const appGone = existing === undefined || existing.metadata.deletionTimestamp !== undefined
    const { items } = await patiently(() => resources.list<Deployment>(by, 'Deployment', team, { fields: [{ path: 'spec.app', operator: '=', value: app }], limit: 0 }), signal)
    const deployment = items.find(wanted)
    if (appGone && !deployment) {
      yield { type: 'error', error: fail('APP_DELETED', `The app "${app}" was deleted during the deployment.`).toObject(), result }
      return
    }
    if (!deployment && announced) {
      yield { type: 'error', error: fail('CANCELED', `The deployment of app "${app}" was deleted before it ended.`).toObject(), result }
      return
    }
    const refusal = deployment ? undefined : await patiently(refused, signal)
    if (refusal !== undefined) {
      yield { type: 'error', error: refusal, result }
      return
    }
    const later = deployment ? undefined : await patiently(overtaken, signal)
    if (later !== undefined) {
      yield { type: 'error', error: fail('SUPERSEDED', `The later build ${later} was released first.`).toObject(), result }
      return
    }
    if (deployment && !announced) {
      announced = true
      yield { type: 'step', name: 'release', state: 'done', message: `v${deployment.spec.release}` }
      const { environment } = deployment.spec
      for (const text of await patiently(() => openIncidents(resources, team, app, environment), signal)) yield { type: 'state', about: 'incident', text }
    }
    for (const step of deployment?.status?.steps ?? []) {
      if (told.get(step.name) === step.state) continue
      told.set(step.name, step.state)
      yield { type: 'step', name: step.name, state: step.state, message: step.message, ms: elapsed(step) }
    }
    for (const state of deployment ? statesOf(deployment) : []) {
      if (told.has(state.text)) continue
      told.set(state.text, state.about)
      yield { type: 'state', ...state }
    }
    if (deployment && (finalPhases.has(deployment.status?.phase ?? '') || serves(deployment))) {
      yield ending(deployment, result)
      return
    }
    await changed
  }
}

function refusalOf(build: Build | undefined): ErrorObject | undefined {
  const text = build?.metadata.annotations?.[refusalAnnotation]
  return text === undefined ? undefined : (JSON.parse(text) as ErrorObject)
}

/** What people want to know while it takes its time. */
function statesOf({ metadata, status }: Deployment): { about: 'waits' | 'trial'; text: string }[] {
  const { phase, waitingFor = [], trial } = status ?? {}
  if (phase === 'Waiting') {
    return waitingFor.map(({ gate, text, until }) => ({ about: 'waits', text: `${text}${until ? ` Until ${until}.` : ''}${gate === 'approval' ? ` They do it with: pavior approve ${metadata.name}` : ''}` }))
  }
  if (phase !== 'Shifting' || !trial?.judgement) return []
  return [{ about: 'trial', text: `${trial.weight} % of the traffic: ${[...trial.judgement.text, ...(trial.held ? [trial.held] : [])].join('; ')}` }]
}

async function patiently<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = Date.now() + databasePatienceMs
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (!isPaviorError(error) || error.code !== 'DATABASE_UNAVAILABLE' || Date.now() > deadline) throw error
    }
    await delay(databaseRetryMs, undefined, { signal })
  }
}

function ending({ spec, status }: Deployment, result: DeployResult): DeployProgress {
  // While it is watched it serves already.
  const served = status!.finishedAt ?? status!.steps?.at(-1)?.startedAt
  const rollout = status!.startedAt && served ? Date.parse(served) - Date.parse(status!.startedAt) : undefined
  const whole: DeployResult = {
    ...result,
    environment: spec.environment,
    release: `v${spec.release}`,
    ...(status!.url === undefined ? {} : { url: status!.url }),
    durations: { ...result.durations, ...(rollout === undefined ? {} : { rollout }) },
  }
  return status!.problem ? { type: 'error', error: status!.problem as ErrorObject, result: whole } : { type: 'result', result: whole }
}

function buildResult(team: string, { spec, status, metadata }: Build): DeployResult {
  const from = Date.parse(status?.startedAt ?? metadata.creationTimestamp)
  const to = status?.finishedAt === undefined ? from : Date.parse(status.finishedAt)
  return {
    app: spec.app,
    team,
    ...(spec.environment === undefined ? {} : { environment: spec.environment }),
    ...(status?.artifact === undefined ? {} : { artifact: status.artifact }),
    durations: { build: Math.max(0, to - from) },
  }
}

function elapsed({ startedAt, finishedAt }: Step): number | undefined {
  return startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : undefined
}
