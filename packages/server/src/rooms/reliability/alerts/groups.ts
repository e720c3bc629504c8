/** What becomes of the alerts: which open, which end, and of which nobody is told. Pure. */
import type { AlertSpec, AlertStatus, Resource } from '@pavior/contract'
import { causesOf } from './cause.ts'
import type { Member } from './plan.ts'
import { keptQuiet, type Quieting } from './silences.ts'
import { knownBy, placeOf, severityOf, type Source } from './sources.ts'

export type Alert = Resource<AlertSpec, AlertStatus>
export type Quiet = NonNullable<AlertStatus['quiet']>

export interface GroupRow {
  source: string
  group: string
  team: string
  /** Name of the Alert that is open. */
  alert: string | undefined
  held: boolean
  /** When Alerts were opened, milliseconds since the epoch. */
  fires: number[]
}

/** Everything that is known of a group. */
export interface GroupView {
  source: Source
  group: string
  firing: readonly Member[]
  row: GroupRow | undefined
  alert: Alert | undefined
}

export interface Surroundings {
  now: Date
  /** Silences that hold now, by team. */
  quieting: ReadonlyMap<string, readonly Quieting[]>
  /** Apps that an app calls, as team/app. */
  calls: ReadonlyMap<string, readonly string[]>
  /** Places where something is being deployed, as team/app/environment. */
  deploying: ReadonlySet<string>
}

export interface Decision {
  view: GroupView
  /** release: what somebody resolved has ended, so that the next one opens again. */
  act: 'open' | 'keep' | 'resolve' | 'release'
  quiet: Quiet | undefined
  affects: string[]
  flapping: boolean
}

/** More alerts of one group than these within the window: it comes and goes. */
export const mostFires = 4
export const flapWindowMs = 3600_000
/** What comes and goes has ended when it was gone for so long. */
export const flapKeepMs = 900_000
/** An app that calls others waits so long, so that what breaks it shows first. */
export const causeWaitMs = 4000
export const longestMuteMs = 900_000

export function isFlapping({ fires }: Pick<GroupRow, 'fires'>, now: number): boolean {
  return fires.filter((at) => now - at < flapWindowMs).length > mostFires
}

const idOf = ({ source, group }: GroupView): string => `${source.uid}\n${group}`

export function appOf(source: Source): string | undefined {
  const { app } = placeOf(source)
  return app === undefined ? undefined : `${source.team}/${app}`
}

export function planAlerts(views: readonly GroupView[], around: Surroundings): Decision[] {
  const now = around.now.getTime()
  const firing = views.filter((view) => view.firing.length > 0 && !view.row?.held)
  const causes = causesOf(firing.map((view) => ({ id: idOf(view), app: appOf(view.source), page: severityOf(view.source, view.group) === 'page', since: begunAt(view) })), around.calls)
  const byId = new Map(firing.map((view) => [idOf(view), view]))
  const firingRules = new Set(firing.flatMap(({ source }) => (source.rule ? [`${source.team}/${source.name}`] : [])))
  const affected = affectedBy(causes, byId)
  const decisions: Decision[] = []
  for (const view of views) {
    const act = actOn(view, causes.has(idOf(view)), around)
    if (!act) continue
    const flapping = view.row !== undefined && isFlapping(act === 'open' ? { fires: [...view.row.fires, now] } : view.row, now)
    const cause = byId.get(causes.get(idOf(view)) ?? '')
    const quiet = act === 'open' || act === 'keep' ? quietOf(view, { around, cause, firingRules, byId, flapping }) : undefined
    decisions.push({ view, act, quiet, affects: affected.get(idOf(view)) ?? [], flapping })
  }
  return decisions
}

function begunAt({ alert, firing }: GroupView): number {
  return alert?.status?.since === undefined ? firing.reduce((first, { firedAt }) => Math.min(first, firedAt!), Infinity) : Date.parse(alert.status.since)
}

function actOn(view: GroupView, hasCause: boolean, { now, calls }: Surroundings): Decision['act'] | undefined {
  const { row, firing, alert, source } = view
  if (firing.length === 0) return alert ? 'resolve' : row?.held || row?.alert ? 'release' : undefined
  if (row?.held) return undefined
  if (alert) return 'keep'
  // The Alert was deleted.
  if (row?.alert !== undefined) return 'release'
  const app = appOf(source)
  const waits = !hasCause && app !== undefined && (calls.get(app)?.length ?? 0) > 0
  return waits && now.getTime() - begunAt(view) < causeWaitMs ? undefined : 'open'
}

interface Why {
  around: Surroundings
  cause: GroupView | undefined
  firingRules: ReadonlySet<string>
  byId: ReadonlyMap<string, GroupView>
  flapping: boolean
}

function quietOf(view: GroupView, { around, cause, firingRules, byId, flapping }: Why): Quiet | undefined {
  const { source, group, firing, alert } = view
  const silence = keptQuiet(around.quieting.get(source.team) ?? [], firing.map(({ labels }) => knownBy(source, group, labels)))
  if (silence) return { because: silence.because, by: silence.by, ...(silence.until === undefined ? {} : { until: silence.until }) }
  const inhibitor = source.rule?.spec.inhibitedBy?.find((name) => name !== source.name && firingRules.has(`${source.team}/${name}`))
  if (inhibitor !== undefined) return { because: 'Inhibited', by: inhibitor }
  if (source.slo && severityOf(source, group) === 'ticket' && byId.has(`${source.uid}\nseverity=page`)) return { because: 'Inhibited', by: `the page of ${source.name}` }
  if (cause) return { because: 'Inhibited', by: causeText(cause, source.team) }
  const told = alert?.status?.escalation !== undefined
  if (flapping && told) return { because: 'Flapping', by: `more than ${mostFires} alerts in an hour` }
  return told ? undefined : mutedByDeployment(view, around)
}

/** Another team's alert is not named to those who may not see it: its app is known to who calls it. */
function causeText({ source, alert }: GroupView, team: string): string {
  return source.team === team && alert ? alert.metadata.name : `trouble of ${appOf(source)}`
}

function mutedByDeployment(view: GroupView, { deploying, now }: Surroundings): Quiet | undefined {
  const { source } = view
  const { app, environment } = placeOf(source)
  if (!source.rule || source.rule.spec.muteWhileDeploying === false || app === undefined) return undefined
  const since = begunAt(view)
  if (!deploying.has(`${source.team}/${app}/${environment}`) || now.getTime() - since >= longestMuteMs) return undefined
  return { because: 'Deploying', by: `the deployment of ${app} to ${environment}`, until: new Date(since + longestMuteMs).toISOString() }
}

function affectedBy(causes: ReadonlyMap<string, string>, byId: ReadonlyMap<string, GroupView>): Map<string, string[]> {
  const affected = new Map<string, Set<string>>()
  for (const [id, cause] of causes) {
    const app = appOf(byId.get(id)!.source)!
    if (app !== appOf(byId.get(cause)!.source)) affected.set(cause, (affected.get(cause) ?? new Set()).add(app))
  }
  return new Map([...affected].map(([id, apps]) => [id, [...apps].toSorted()]))
}

const shownExamples = 5

/** What an Alert says, now that so much fires. What people wrote into it stays. */
export function statusAfter(before: AlertStatus | undefined, { view, quiet, affects }: Decision, newlyFiring: number, now: Date): AlertStatus {
  const { quiet: _, affects: __, examples: shown, ...kept } = before ?? {}
  const examples = view.firing.slice(0, shownExamples).map(({ labels, value, text, firedAt, since }) => ({ labels, ...(value === undefined ? {} : { value }), ...(text === undefined ? {} : { text }), since: new Date(firedAt ?? since).toISOString() }))
  const earlier = new Set([...(before?.affects ?? []), ...affects])
  return {
    ...kept,
    state: before?.state ?? 'Firing',
    since: before?.since ?? new Date(Math.min(begunAt(view), now.getTime())).toISOString(),
    members: view.firing.length,
    total: (before?.total ?? 0) + newlyFiring,
    ...(examples.length > 0 ? { examples } : shown ? { examples: shown } : {}),
    ...(earlier.size > 0 ? { affects: [...earlier].toSorted().slice(0, mostAffected) } : {}),
    ...(quiet ? { quiet } : {}),
  }
}

const mostAffected = 200
