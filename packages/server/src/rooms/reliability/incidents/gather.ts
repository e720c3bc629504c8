/** Reads everything that an incident is judged by, in one go. */
import type { AuditRow, ChangeEvent, FreezeSpec, Resource, ReleaseSpec, SecretSpec, SloSpec, SloStatus } from '@pavior/contract'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { CallCounts } from '../../telemetry/index.ts'
import { defaultEnvironment, type Slo } from '../slo/evaluate.ts'
import type { GoldenSignals, MinuteCounts } from '../slo/ports.ts'
import { badMinutes } from '../slo/store.ts'
import { readChange } from '../../../kernel/store/store.ts'
import { callsLookBackMs } from './opening.ts'
import { gameDaysOf } from '../game-days/reads.ts'
import type { GameDay } from '../game-days/plan.ts'
import { onsetOf, type Minute } from './plan.ts'
import type { Change, ChangesByPeople, ChangesElsewhere, ObservedCalls } from './ports.ts'
import { alertsOf, firingKey } from './store.ts'
import type { ReleaseErrors } from './suspects.ts'
import { toldKinds, windowOf } from './timeline.ts'
import { actor, type Alert, type App, type Deployment, type Incident, type Release, type Runbook, type RunbookRun } from './types.ts'
import { whatChanged, type WhatChanged } from './what-changed.ts'

const minuteMs = 60_000
/** Traffic from so long before it was detected tells when it began. */
const onsetLookBackMs = 3600_000
/** Minutes of traffic that are read at most; longer ones are told from their end. */
const longestMs = 3 * 24 * 3600_000
const mostCalled = 10
const mostChanges = 300
const mostBadMinutes = 5000
/** A change never changes, and an open incident is looked at every few seconds. */
const mostWorded = 2000
const worded = new Map<string, WhatChanged | undefined>()

export interface GatherDeps {
  database: Database
  resources: Resources
  slos: Mirror<Resource<SloSpec, SloStatus>>
  signals: Pick<GoldenSignals, 'minutes'>
  calls: ObservedCalls
  changes: ChangesByPeople
  elsewhere: ChangesElsewhere
  clock: Clock
}

export interface Facts {
  alerts: Alert[]
  /** Firings that belong to it, those of alerts that are gone too. */
  firings: number
  startedMs: number
  endedMs: number | undefined
  /** Apps of the same team that the app calls. */
  calls: Set<string>
  pairs: CallCounts[]
  deployments: Deployment[]
  releases: Release[]
  changes: Change[]
  elsewhere: ChangeEvent[]
  secrets: Map<string, SecretSpec>
  freezes: Resource<FreezeSpec>[]
  gameDays: GameDay[]
  /** Runbooks that were gone through for it. */
  runs: RunbookRun[]
  books: Runbook[]
  minutes: Minute[]
  errors: ReleaseErrors[]
  budgets: { slo: string; used: number }[]
}

export async function gather(deps: GatherDeps, incident: Incident): Promise<Facts> {
  const { database, clock } = deps
  const { metadata, spec, status = {} } = incident
  const team = metadata.namespace!
  const now = clock.now().getTime()
  const detectedMs = Date.parse(status.detectedAt ?? metadata.creationTimestamp)
  const endedMs = status.resolvedAt === undefined ? undefined : Date.parse(status.resolvedAt)
  const counts = await trafficOf(deps, incident, Math.max(detectedMs - onsetLookBackMs, now - longestMs), Math.max(endedMs ?? now, detectedMs))
  const all = byMinute(counts)
  const startedMs = onsetOf(all, detectedMs)
  const wellMs = status.mitigatedAt === undefined ? endedMs : Date.parse(status.mitigatedAt)
  const during = ({ minute }: { minute: number }): boolean => minute >= Math.floor(startedMs / minuteMs) && minute * minuteMs <= (wellMs ?? now)
  const window = windowOf(startedMs, endedMs, now)
  const firings = await alertsOf(database, metadata.uid)
  const mine = new Set(firings.map(firingKey))
  const pairs = spec.app === undefined ? [] : await deps.calls.callsOf([{ team, app: spec.app }], new Date(now - callsLookBackMs))
  const calls = new Set(pairs.filter(({ from, to }) => from.team === team && to.team === team && from.app === spec.app).map(({ to }) => to.app).slice(0, mostCalled))
  const apps = [spec.app, ...calls].filter((app) => app !== undefined)
  const changed = await changesOf(deps, team, apps, spec.environment, window)
  return {
    alerts: (await deps.resources.listAll<Alert>(actor, 'Alert', team)).filter((one) => one.status?.since !== undefined && mine.has(firingKey({ alert: one.metadata.uid, since: one.status.since }))),
    firings: firings.length,
    startedMs,
    endedMs,
    calls,
    pairs,
    ...changed,
    elsewhere: (await deps.elsewhere(team, apps, new Date(window.fromMs), new Date(window.untilMs), mostChanges)).filter(({ environment }) => spec.environment === undefined || environment === spec.environment),
    gameDays: (await gameDaysOf(deps.resources, team, apps)).filter((one) => (spec.environment === undefined || one.spec.environment === spec.environment) && touches(one, window)),
    books: await deps.resources.listAll<Runbook>(actor, 'Runbook', team),
    runs: await deps.resources.listAll<RunbookRun>(actor, 'RunbookRun', team, { fields: [{ path: 'spec.incident', operator: '=', value: metadata.name }] }),
    minutes: all.filter(during),
    errors: byRelease(counts.filter(during)),
    budgets: await budgetsUsed(deps, incident, startedMs, wellMs ?? now),
  }
}

function touches({ status }: GameDay, { fromMs, untilMs }: { fromMs: number; untilMs: number }): boolean {
  const { startedAt, finishedAt } = status!
  return Date.parse(startedAt!) <= untilMs && (finishedAt === undefined || Date.parse(finishedAt) >= fromMs)
}

function trafficOf({ database, signals }: GatherDeps, { metadata, spec }: Incident, fromMs: number, untilMs: number): Promise<MinuteCounts[]> {
  if (spec.app === undefined || spec.environment === undefined) return Promise.resolve([])
  return signals.minutes.ofApp(database, { team: metadata.namespace!, app: spec.app, environment: spec.environment, from: new Date(fromMs), until: new Date(untilMs) })
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

function byMinute(counts: readonly MinuteCounts[]): Minute[] {
  const found = new Map<number, Minute>()
  for (const { minute, statuses } of counts) {
    const before = found.get(minute) ?? { minute, requests: 0, failed: 0 }
    found.set(minute, { minute, requests: before.requests + total(statuses), failed: before.failed + (statuses[4] ?? 0) })
  }
  return [...found.values()]
}

function byRelease(counts: readonly MinuteCounts[]): ReleaseErrors[] {
  const found = new Map<number, ReleaseErrors>()
  for (const { release, statuses } of counts) {
    const before = found.get(release) ?? { release, requests: 0, failed: 0 }
    found.set(release, { release, requests: before.requests + total(statuses), failed: before.failed + (statuses[4] ?? 0) })
  }
  return [...found.values()]
}

async function changesOf({ database, resources, changes }: GatherDeps, team: string, apps: string[], environment: string | undefined, { fromMs, untilMs }: { fromMs: number; untilMs: number }): Promise<Pick<Facts, 'deployments' | 'releases' | 'changes' | 'secrets' | 'freezes'>> {
  const within = (text: string | undefined): boolean => text !== undefined && Date.parse(text) >= fromMs && Date.parse(text) <= untilMs
  const of = (app: string): { fields: { path: string; operator: '='; value: string }[] } => ({ fields: [{ path: 'spec.app', operator: '=', value: app }] })
  const [deployed, secrets, freezes, rows] = await Promise.all([
    Promise.all(apps.map((app) => resources.listAll<Deployment>(actor, 'Deployment', team, of(app)))),
    resources.listAll<Resource<SecretSpec>>(actor, 'Secret', team),
    resources.listAll<Resource<FreezeSpec>>(actor, 'Freeze', team),
    changes(team, new Date(fromMs), new Date(untilMs), mostChanges),
  ])
  const deployments = deployed.flat().filter(({ spec, metadata, status }) => (environment === undefined || spec.environment === environment) && (within(metadata.creationTimestamp) || within(status?.startedAt) || within(status?.finishedAt)))
  const releases = await Promise.all(deployments.map(({ spec }) => resources.get<Resource<ReleaseSpec>>(actor, { kind: 'Release', namespace: team, name: `${spec.app}-v${spec.release}` })))
  const known = new Map(secrets.map(({ metadata, spec }) => [metadata.name, spec]))
  const concerns = ({ kind, name }: AuditRow): boolean => {
    const owner = kind === 'Secret' ? known.get(name)?.app : undefined
    return toldKinds.includes(kind) && (owner === undefined || apps.includes(owner))
  }
  return { deployments, releases: releases.filter((one) => one !== undefined), changes: await Promise.all(rows.filter(concerns).map((row) => withWords(database, row))), secrets: known, freezes }
}

/** Changes of an app say what of it; of the others their name says enough. */
async function withWords(database: Database, row: AuditRow): Promise<Change> {
  if (row.kind !== 'App' || row.team === undefined || row.verb === 'create' || row.verb === 'delete') return row
  const key = `${row.uid} ${row.resourceVersion}`
  if (!worded.has(key)) {
    const pair = await readChange(database, { kind: row.kind, namespace: row.team, name: row.name }, row.resourceVersion)
    if (worded.size >= mostWorded) worded.clear()
    worded.set(key, pair && whatChanged(row.name, row.team, (pair.before as App).spec, (pair.after as App).spec))
  }
  const what = worded.get(key)
  return what === undefined ? row : { ...row, what }
}

/** Share of each budget of the app that went while it lasted. */
async function budgetsUsed({ database, slos }: GatherDeps, { metadata, spec }: Incident, fromMs: number, untilMs: number): Promise<Facts['budgets']> {
  const own = [...slos.values()].filter((slo: Slo) => slo.metadata.namespace === metadata.namespace && spec.app !== undefined && slo.spec.app === spec.app && (slo.spec.environment ?? defaultEnvironment) === spec.environment && !slo.spec.draft)
  const found = await Promise.all(own.map(async (slo) => {
    const allowed = slo.status?.budget?.total ?? 0
    const bad = await badMinutes(database, slo.metadata.uid, Math.floor(fromMs / minuteMs), Math.floor(untilMs / minuteMs) + 1, mostBadMinutes)
    const used = bad.reduce((sum, one) => sum + one.bad, 0)
    return allowed > 0 && used > 0 ? [{ slo: slo.metadata.name, used: Number((used / allowed).toFixed(4)) }] : []
  }))
  return found.flat().toSorted((one, other) => other.used - one.used)
}
