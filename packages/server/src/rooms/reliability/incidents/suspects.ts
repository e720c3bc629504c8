/** Which recent change is likely behind the trouble, with what speaks for it and what takes it back. Pure. */
import type { ChangeEvent, IncidentSuspect } from '@pavior/contract'
import type { GameDay } from '../game-days/plan.ts'
import type { Change } from './ports.ts'
import type { Deployment, Release } from './types.ts'

const minuteMs = 60_000
export const mostSuspects = 8
/** Changes from so long before the trouble are looked at. */
export const lookBackMs = 3600_000
/** Counts come in intervals, so a change may seem to be a little later than what it caused. */
const toleratedMs = 90_000
const leastLikelihood = 0.05
/** What a release breaks it breaks within this time, mostly. */
const soonMs = 5 * minuteMs

/** What one release answered while it lasted. */
export interface ReleaseErrors {
  release: number
  requests: number
  failed: number
}

export interface SuspectContext {
  team: string
  /** That has the trouble. */
  app: string
  environment: string
  /** Apps of the same team that it calls. */
  calls: ReadonlySet<string>
  deployments: readonly Deployment[]
  releases: readonly Release[]
  changes: readonly Change[]
  elsewhere: readonly ChangeEvent[]
  gameDays: readonly GameDay[]
  /** Of the app, by release. */
  errors: readonly ReleaseErrors[]
  onsetMs: number
  /** What came later did not cause what was seen by then. */
  detectedMs: number
}

interface Weighed {
  weight: number
  reason: string
}

/** The likeliest first. Rollbacks are answers, not causes, so they are left out. */
export function suspectsOf(context: SuspectContext): IncidentSuspect[] {
  const found = [...context.deployments.filter((one) => isCandidate(context, one)).map((one) => suspectDeployment(context, one)), ...context.changes.filter((row) => row.verb !== 'read').flatMap((row) => suspectChange(context, row)), ...context.elsewhere.flatMap((event) => suspectElsewhere(context, event)), ...context.gameDays.flatMap((one) => suspectGameDay(context, one))]
  return found
    .filter(({ likelihood }) => likelihood >= leastLikelihood)
    .toSorted((one, other) => other.likelihood - one.likelihood || other.at.localeCompare(one.at))
    .slice(0, mostSuspects)
}

function begunAt({ metadata, status }: Deployment): string {
  return status?.startedAt ?? metadata.creationTimestamp
}

function isCandidate({ app, environment, calls, onsetMs }: SuspectContext, deployment: Deployment): boolean {
  const { spec, status } = deployment
  const ownOrCalled = spec.app === app || calls.has(spec.app)
  const reached = status?.phase !== 'Waiting' && status?.phase !== 'Pending' && status?.startedAt !== undefined
  const begun = Date.parse(begunAt(deployment))
  return ownOrCalled && spec.environment === environment && spec.rollbackTo !== true && reached && begun >= onsetMs - lookBackMs
}

function suspectDeployment(context: SuspectContext, deployment: Deployment): IncidentSuspect {
  const { team, app, environment, releases, deployments } = context
  const { metadata, spec, status } = deployment
  const own = spec.app === app
  const at = begunAt(deployment)
  const release = releases.find((one) => one.spec.app === spec.app && one.spec.version === spec.release)
  // There is nothing left to take back.
  const gone = deployments.some((other) => other.spec.app === spec.app && other.spec.environment === spec.environment && other.spec.release !== spec.release && (other.status?.phase === 'Succeeded' || other.status?.phase === 'Watching') && Date.parse(begunAt(other)) > Date.parse(at))
  const weighed = [
    kindOfChange(spec.reason, own, spec.app, app),
    timing(Date.parse(at), context),
    ...(own ? errorsBy(context, spec.release, status?.previousRelease, Date.parse(at)) : []),
    ...(status?.phase === 'RolledBack' || status?.phase === 'Failed' ? [{ weight: -0.1, reason: 'It was taken back already.' }] : []),
    ...(gone ? [{ weight: 0, reason: 'Another release serves in its place by now.' }] : []),
  ]
  const to = gone || status?.phase === 'RolledBack' || status?.phase === 'Failed' ? undefined : status?.previousRelease
  return {
    kind: 'Deployment',
    name: metadata.name,
    app: `${team}/${spec.app}`,
    release: spec.release,
    at,
    ...(release?.spec.revision?.author === undefined ? {} : { by: release.spec.revision.author }),
    text: `v${spec.release} of ${spec.app} went to ${environment}${spec.reason === undefined ? '' : ` (${spec.reason})`}${commitOf(release)}.`,
    ...judged(weighed),
    ...(to === undefined || to === spec.release ? {} : { undo: { command: `pavior rollback v${to} --app ${spec.app} --environment ${environment} --team ${team}`, app: spec.app, environment, to } }),
  }
}

function commitOf(release: Release | undefined): string {
  const { commit, message } = release?.spec.revision ?? {}
  return commit === undefined ? '' : `: ${commit.slice(0, 8)}${message === undefined ? '' : ` "${message.split('\n', 1)[0]!.slice(0, 80)}"`}`
}

function kindOfChange(reason: string | undefined, own: boolean, changed: string, app: string): Weighed {
  if (!own) return { weight: 0.25, reason: `${app} calls ${changed}.` }
  if (reason?.startsWith('configuration')) return { weight: 0.35, reason: `It changed the configuration of ${app} itself.` }
  return { weight: 0.4, reason: `It is a change of ${app} itself.` }
}

function timing(at: number, { onsetMs, detectedMs }: Pick<SuspectContext, 'onsetMs' | 'detectedMs'>): Weighed {
  const before = onsetMs - at
  if (at > detectedMs) return { weight: -0.4, reason: `It came ${spanText(at - detectedMs)} after the trouble was detected.` }
  if (before < -toleratedMs) return { weight: -0.4, reason: `It came ${spanText(-before)} after the trouble began.` }
  const text = before < minuteMs ? 'The trouble began within a minute of it.' : `It came ${spanText(before)} before the trouble began.`
  if (before < minuteMs) return { weight: 0.4, reason: text }
  if (before <= 10 * minuteMs) return { weight: 0.3, reason: text }
  return { weight: before <= 30 * minuteMs ? 0.2 : 0.1, reason: text }
}

/** Errors that came from one release alone say more than any time. */
function errorsBy({ errors, onsetMs }: SuspectContext, release: number, previous: number | undefined, at: number): Weighed[] {
  const all = errors.reduce((sum, { failed }) => sum + failed, 0)
  const own = errors.find((one) => one.release === release)
  if (all === 0) return []
  if (!own || own.failed === 0) return [{ weight: -0.35, reason: `None of the ${all} failed requests came from v${release}.` }]
  // It served alone, and for a while without trouble: whose requests they were tells nothing.
  if (onsetMs - at > soonMs && errors.every((one) => one === own || one.requests === 0)) return []
  const before = errors.find((one) => one.release === previous)
  if (own.failed / all >= 0.9) {
    const clean = before && before.requests > 0 && before.failed / before.requests < 0.01
    return [{ weight: 0.3, reason: `${own.failed} of ${all} failed requests came from v${release}${clean ? `, and v${previous} answered well in the same time` : ''}.` }]
  }
  return before && before.failed > 0 ? [{ weight: -0.2, reason: `v${previous} before it fails as well.` }] : []
}

/** What was at work when the trouble began, on purpose. */
function suspectGameDay({ team, onsetMs }: SuspectContext, { metadata, spec, status }: GameDay): IncidentSuspect[] {
  const fault = status!.steps?.find(({ from, until }) => from !== undefined && Date.parse(from) <= onsetMs + minuteMs && Date.parse(until!) >= onsetMs - toleratedMs)
  if (fault === undefined) return []
  const running = status!.finishedAt === undefined
  const undo = running ? { undo: { command: `pavior gameday stop ${metadata.name} --team ${team}` } } : {}
  return [{ kind: 'GameDay', name: metadata.name, app: `${team}/${spec.app}`, at: fault.from!, ...(status!.startedBy === undefined ? {} : { by: status!.startedBy }), text: `The game day ${metadata.name} injected a fault into ${spec.app}: ${fault.name}.`, ...judged([{ weight: 0.95, reason: 'Its fault was at work when the trouble began, on purpose.' }]), ...undo }]
}

function suspectElsewhere(context: SuspectContext, { at, app: changed, source, text, type }: ChangeEvent): IncidentSuspect[] {
  const { team, app, onsetMs } = context
  const began = Date.parse(at)
  if (began < onsetMs - lookBackMs) return []
  const weighed = [changed === app ? { weight: 0.25, reason: `${source} told of it as a change for ${app}.` } : { weight: 0.15, reason: `${app} calls ${changed}.` }, timing(began, context)]
  return [{ kind: 'Change', name: type, app: `${team}/${changed}`, at, text: text.endsWith('.') ? text : `${text}.`, ...judged(weighed) }]
}

/** Kinds of resources whose changes people make, how much they weigh, and what they are called. */
const changedKinds: Record<string, { weight: number; noun: string }> = {
  App: { weight: 0.25, noun: 'the app' },
  Secret: { weight: 0.3, noun: 'the secret' },
  Environment: { weight: 0.2, noun: 'the environment' },
  Quota: { weight: 0.1, noun: 'the quota' },
}

function suspectChange({ team, app, environment, calls, onsetMs, detectedMs, deployments }: SuspectContext, row: Change): IncidentSuspect[] {
  const known = changedKinds[row.kind]
  const at = Date.parse(row.time)
  const concerns = row.kind === 'App' ? row.name === app || calls.has(row.name) : row.kind === 'Environment' ? row.name === environment : true
  if (!known || !concerns || at < onsetMs - lookBackMs) return []
  // What a change of the app led to is told by its deployment, with more.
  const told = row.kind === 'App' && row.what?.deploys !== false && deployments.some((one) => one.spec.app === row.name && Math.abs(Date.parse(begunAt(one)) - at) < 2 * minuteMs)
  if (told || row.verb === 'create') return []
  const weighed = [{ weight: known.weight, reason: row.kind === 'App' && row.name !== app ? `${app} calls ${row.name}.` : `It is a change of ${known.noun} ${row.name}.` }, timing(at, { onsetMs, detectedMs })]
  const command = row.kind === 'Secret' ? `pavior secrets versions ${row.name} --team ${team}` : row.what?.undo
  const undo = command === undefined ? {} : { undo: { command } }
  return [{ kind: row.kind, name: row.name, ...(row.kind === 'App' ? { app: `${team}/${row.name}` } : {}), at: row.time, by: row.actor, text: `${shownActor(row.actor)} ${row.what?.text ?? `changed ${known.noun} ${row.name}`}.`, ...judged(weighed), ...undo }]
}

function judged(weighed: readonly Weighed[]): { likelihood: number; reasons: string[] } {
  const sum = weighed.reduce((total, { weight }) => total + weight, 0)
  return { likelihood: Number(Math.min(1, Math.max(0, sum)).toFixed(2)), reasons: weighed.map(({ reason }) => reason) }
}

export function shownActor(actor: string): string {
  return actor.replace(/^(user|token|system):/, '')
}

export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1).replace(/\.0$/, '')} h`
}
