/** What belongs into a timeline by itself, each with a key of its own, so that it is written once however often it is looked at. Pure. */
import type { ChangeEvent, FreezeSpec, Resource } from '@pavior/contract'
import type { Change } from './ports.ts'
import { lookBackMs, shownActor } from './suspects.ts'
import type { GameDay } from '../game-days/plan.ts'
import type { Alert, Deployment, NewEntry, Release, RunbookRun } from './types.ts'

const system = 'system:incidents'
/** The platform's own lines of one incident; people may always write. */
export const mostEntries = 2000

export interface Happened {
  team: string
  /** Apps whose changes count. */
  apps: ReadonlySet<string>
  environment: string | undefined
  fromMs: number
  untilMs: number
  alerts: readonly Alert[]
  deployments: readonly Deployment[]
  releases: readonly Release[]
  changes: readonly Change[]
  elsewhere: readonly ChangeEvent[]
  freezes: readonly Resource<FreezeSpec>[]
  gameDays: readonly GameDay[]
  runs: readonly RunbookRun[]
}

export function windowOf(startedMs: number, endedMs: number | undefined, nowMs: number): { fromMs: number; untilMs: number } {
  return { fromMs: startedMs - lookBackMs, untilMs: endedMs ?? nowMs }
}

/** In the order in which it happened. */
export function happenings(what: Happened): NewEntry[] {
  const inTime = ({ at }: NewEntry): boolean => Date.parse(at) >= what.fromMs && Date.parse(at) <= what.untilMs
  const all = [...what.alerts.flatMap(alertEntries), ...what.runs.flatMap(runEntries), ...[...what.deployments.flatMap((one) => deploymentEntries(what, one)), ...what.changes.flatMap((row) => changeEntries(what, row)), ...what.elsewhere.map(elsewhereEntry), ...what.freezes.flatMap(freezeEntries), ...what.gameDays.flatMap(gameDayEntries)].filter(inTime)]
  return all.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at))
}

function alertEntries({ metadata, spec, status }: Alert): NewEntry[] {
  if (status?.since === undefined) return []
  const key = `alert/${metadata.uid}/${status.since}`
  const data = { alert: metadata.name, severity: spec.severity, ...(spec.app === undefined ? {} : { app: spec.app }) }
  const { acknowledged, resolvedAt } = status
  return [
    { at: status.since, kind: 'alert', actor: system, text: spec.summary, data: { ...data, state: 'Firing' }, dedupe: `${key}/fired` },
    ...(acknowledged ? [{ at: acknowledged.at, kind: 'alert' as const, actor: acknowledged.by, text: `${shownActor(acknowledged.by)} took the alert ${metadata.name}.${acknowledged.note === undefined ? '' : ` ${acknowledged.note}`}`, data: { ...data, state: 'Acknowledged' }, dedupe: `${key}/acknowledged` }] : []),
    ...(status.state === 'Resolved' && resolvedAt !== undefined ? [{ at: resolvedAt, kind: 'alert' as const, actor: system, text: `It ended: ${spec.summary}`, data: { ...data, state: 'Resolved' }, dedupe: `${key}/resolved` }] : []),
  ]
}

const ends: Record<string, string> = { Succeeded: 'serves', Failed: 'failed to get to', RolledBack: 'was taken back from', Canceled: 'was canceled on its way to', Superseded: 'gave way to a later one in' }

function deploymentEntries({ apps, environment, releases }: Happened, { metadata, spec, status }: Deployment): NewEntry[] {
  if (!apps.has(spec.app) || (environment !== undefined && spec.environment !== environment)) return []
  const release = releases.find((one) => one.spec.app === spec.app && one.spec.version === spec.release)
  const { commit, author } = release?.spec.revision ?? {}
  const actor = author ?? 'system:release'
  const key = `deployment/${metadata.uid}`
  const data = { deployment: metadata.name, app: spec.app, environment: spec.environment, release: spec.release, ...(commit === undefined ? {} : { commit }) }
  const name = `v${spec.release} of ${spec.app}`
  const { startedAt, finishedAt, phase, problem } = status ?? {}
  const why = [spec.reason, commit?.slice(0, 8)].filter((part) => part !== undefined).join(', ')
  return [
    ...(startedAt === undefined ? [] : [{ at: startedAt, kind: 'deployment' as const, actor, text: `${name} began to go to ${spec.environment}${why === '' ? '' : ` (${why})`}.`, data: { ...data, phase: 'Begun' }, dedupe: `${key}/begun` }]),
    ...(finishedAt === undefined || phase === undefined || !ends[phase] ? [] : [{ at: finishedAt, kind: 'deployment' as const, actor: 'system:release', text: `${name} ${ends[phase]} ${spec.environment}.${problem === undefined ? '' : ` ${problem.message}`}`, data: { ...data, phase }, dedupe: `${key}/${phase}` }]),
  ]
}

/** Kinds whose changes are told; what they are called, and whether every change in the team is of interest. */
const told: Record<string, { noun: string; everywhere: boolean }> = {
  App: { noun: 'the app', everywhere: false },
  Secret: { noun: 'the secret', everywhere: true },
  Environment: { noun: 'the environment', everywhere: true },
  Policy: { noun: 'the policy', everywhere: true },
  PolicyException: { noun: 'the exception', everywhere: true },
  Quota: { noun: 'the quota', everywhere: true },
  Slo: { noun: 'the objective', everywhere: true },
  Freeze: { noun: 'the freeze', everywhere: true },
  PlatformFreeze: { noun: 'the freeze of the platform', everywhere: true },
}
const verbs: Record<string, string> = { create: 'made', update: 'changed', patch: 'changed', apply: 'changed', delete: 'deleted' }

export const toldKinds: readonly string[] = Object.keys(told)

function changeEntries({ apps }: Happened, row: Change): NewEntry[] {
  const known = told[row.kind]
  const verb = verbs[row.verb]
  if (!known || !verb || (!known.everywhere && !apps.has(row.name))) return []
  const because = row.reason === undefined ? '' : ` Because: ${row.reason}`
  return [{ at: row.time, kind: row.kind.endsWith('Freeze') ? 'freeze' : 'change', actor: row.actor, text: `${shownActor(row.actor)} ${row.what?.text ?? `${verb} ${known.noun} ${row.name}`}.${because}`, data: { kind: row.kind, name: row.name, verb: row.verb }, dedupe: `audit/${row.id}` }]
}

/** Its beginning, each fault, and its end. */
function gameDayEntries({ metadata, spec, status }: GameDay): NewEntry[] {
  const { startedAt, startedBy = system, finishedAt, stoppedBy, message = '', steps = [] } = status!
  const key = `game-day/${metadata.uid}`
  const line = (at: string, actor: string, text: string, part: string): NewEntry => ({ at, kind: 'change', actor, text, data: { gameDay: metadata.name, app: spec.app, environment: spec.environment }, dedupe: `${key}/${part}` })
  return [
    line(startedAt!, startedBy, `${shownActor(startedBy)} began the game day ${metadata.name}: ${spec.hypothesis}`, 'begun'),
    ...steps.flatMap(({ name, from }, index) => (from === undefined ? [] : [line(from, system, `The game day ${metadata.name} injected a fault into ${spec.app}: ${name}.`, `step/${index}`)])),
    ...(finishedAt === undefined ? [] : [line(finishedAt, stoppedBy ?? system, `The game day ${metadata.name} is over. ${message}`, 'over')]),
  ]
}

function elsewhereEntry({ at, app, source, id, type, text }: ChangeEvent): NewEntry {
  return { at, kind: 'change', actor: system, text: `${source} told of a change for ${app}: ${text}`, data: { type, source, app }, dedupe: `elsewhere/${app}/${source}/${id}`.slice(0, 500) }
}

/** What was done by the book: its beginning, its end, and each step that a person answered or that changed something. */
function runEntries({ metadata, spec, status }: RunbookRun): NewEntry[] {
  const entry = (at: string, who: string | undefined, text: string, key: string): NewEntry => ({ at, kind: 'runbook', actor: who ?? system, text, data: { run: metadata.name, runbook: spec.runbook }, dedupe: `runbook/${metadata.uid}/${key}` })
  const title = `${spec.title ?? spec.runbook}${spec.dryRun ? ', as a trial' : ''}`
  const steps = (status?.steps ?? []).flatMap(({ name, state, type, finishedAt, by, choice, output }, index) =>
    finishedAt === undefined || type === 'wait' || state === 'Skipped' ? [] : [entry(finishedAt, by, `${title}, ${name}: ${state === 'Failed' ? 'failed' : (choice ?? 'done')}.${output === undefined ? '' : ` ${output.split('\n', 1)[0]!.slice(0, 200)}`}`, `step/${index}`)])
  return [
    ...(status?.startedAt === undefined ? [] : [entry(status.startedAt, spec.requestedBy, `The runbook ${title} was begun.`, 'begun')]),
    ...steps,
    ...(status?.finishedAt === undefined || status.phase === undefined ? [] : [entry(status.finishedAt, undefined, `The runbook ${title} ended: ${status.message ?? status.phase}`, 'ended')]),
  ]
}

function freezeEntries({ metadata, spec }: Resource<FreezeSpec>): NewEntry[] {
  const entry = (at: string, text: string, key: string): NewEntry => ({ at, kind: 'freeze', actor: system, text, data: { freeze: metadata.name }, dedupe: `freeze/${metadata.uid}/${key}` })
  return [...(spec.from === undefined ? [] : [entry(spec.from, `Changes are frozen: ${spec.reason}`, 'begun')]), ...(spec.until === undefined ? [] : [entry(spec.until, `Changes are no longer frozen: ${spec.reason}`, 'ended')])]
}
