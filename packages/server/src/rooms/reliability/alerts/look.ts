/** One look: what holds of every condition, and what becomes of the alerts. */
import type { DeploymentSpec, DeploymentStatus, Resource } from '@pavior/contract'
import { inParallel } from '../../../kernel/in-parallel.ts'
import { finalPhases } from '../../release/index.ts'
import type { Query, QueryResult } from '../slo/ports.ts'
import { applyDecision } from './apply.ts'
import type { Measured } from './conditions.ts'
import { actor, type LookDeps } from './deps.ts'
import { appOf, flapKeepMs, isFlapping, planAlerts, type Alert, type GroupRow, type GroupView } from './groups.ts'
import { planMembers, type Member, type MemberPlan } from './plan.ts'
import { quietingOf, type Quieting, type Silence } from './silences.ts'
import { placeOf, sourcesOf, type AlertRule, type Slo, type Source } from './sources.ts'
import { publishRule } from './rule-status.ts'
import { forgetMembers, lockMembers, readGroups, readMembers, writeMembers } from './store.ts'

/** Queries of rules that are under way at once; people's own go beside them. */
const queriesAtOnce = 2
const appliedAtOnce = 8

interface Looked {
  source: Source
  measured: Measured
  plan: Pick<MemberPlan, 'members' | 'leftOut'>
}

export async function lookOnce(deps: LookDeps, signal: AbortSignal): Promise<void> {
  const now = deps.clock.now()
  const sources = sourcesOf(deps.rules.values(), deps.slos.values())
  const [members, groups] = await Promise.all([readMembers(deps.database), readGroups(deps.database)])
  if (sources.length === 0 && groups.length === 0 && members.size === 0) return
  const rows = new Map(groups.map((row) => [`${row.source}\n${row.group}`, row]))
  const ask = askOnce(deps.query)
  const looked = await inParallel(sources, queriesAtOnce, (source) => lookAt(deps, source, { ask, now, signal, known: members.get(source.uid) ?? [], rows }))
  const views = [...viewsOf(looked, rows), ...(await endedViews(deps, sources, rows))]
  await withAlerts(deps, views)
  await decide(deps, views, now)
  await inParallel(looked.filter(({ source }) => source.rule), appliedAtOnce, ({ source, measured, plan }) => publishRule(deps, source.rule!, measured, plan, now))
}

/** Rules that ask the same are answered once. */
function askOnce(query: Query | undefined): Query {
  const asked = new Map<string, Promise<QueryResult[]>>()
  return (team, text, at, source) => {
    const key = `${team}\n${source ?? ''}\n${text}`
    const answer = asked.get(key) ?? query!(team, text, at, source)
    asked.set(key, answer)
    return answer
  }
}

interface LookAt {
  ask: Query
  now: Date
  signal: AbortSignal
  known: readonly Member[]
  rows: ReadonlyMap<string, GroupRow>
}

async function lookAt(deps: LookDeps, source: Source, { ask, now, signal, known, rows }: LookAt): Promise<Looked> {
  const measured = await deps.measure(source, ask, now, signal)
  // What cannot be told neither begins nor ends anything.
  if (measured.problem !== undefined) return { source, measured, plan: { members: [...known], leftOut: 0 } }
  const keepMs = (group: string): number => {
    const row = rows.get(`${source.uid}\n${group}`)
    return row && isFlapping(row, now.getTime()) ? Math.max(source.keepMs, flapKeepMs) : source.keepMs
  }
  const settings = { forMs: source.forMs, keepMs, groupBy: source.groupBy }
  const first = planMembers(known, measured.samples, settings, now.getTime())
  if (first.written.length === 0 && first.ended.length === 0) return { source, measured, plan: first }
  const plan = await deps.database.transaction(async (tx) => {
    await lockMembers(tx, source.uid)
    const standing = (await readMembers(tx, [source.uid])).get(source.uid) ?? []
    const again = planMembers(standing, measured.samples, settings, now.getTime())
    await writeMembers(tx, source.uid, again.written, again.ended)
    return again
  })
  return { source, measured, plan }
}

/** Groups with anything that fires, and those whose alert is open. */
function viewsOf(looked: readonly Looked[], rows: ReadonlyMap<string, GroupRow>): GroupView[] {
  const groupsOf = new Map<string, Set<string>>()
  for (const row of rows.values()) if (row.alert !== undefined || row.held) groupsOf.set(row.source, (groupsOf.get(row.source) ?? new Set()).add(row.group))
  return looked.flatMap(({ source, plan }) => {
    const firing = new Map<string, Member[]>()
    for (const member of plan.members) {
      if (member.state !== 'Firing') continue
      const own = firing.get(member.group)
      if (own) own.push(member)
      else firing.set(member.group, [member])
    }
    const groups = new Set([...firing.keys(), ...(groupsOf.get(source.uid) ?? [])])
    return [...groups].map((group) => ({ source, group, firing: firing.get(group) ?? [], row: rows.get(`${source.uid}\n${group}`), alert: undefined }))
  })
}

/** What fired for a rule or an objective that is gone has ended. Looked up by name, because a mirror may be behind. */
async function endedViews({ database, resources }: LookDeps, sources: readonly Source[], rows: ReadonlyMap<string, GroupRow>): Promise<GroupView[]> {
  const live = new Set(sources.map(({ uid }) => uid))
  const views: GroupView[] = []
  for (const row of rows.values()) {
    if (live.has(row.source) || (row.alert === undefined && !row.held)) continue
    const alert = row.alert === undefined ? undefined : await resources.get<Alert>(actor, { kind: 'Alert', namespace: row.team, name: row.alert })
    const { kind = 'AlertRule', name = '' } = alert?.spec.source ?? {}
    const there = await resources.get<AlertRule & Slo>(actor, { kind: kind as 'AlertRule', namespace: row.team, name })
    if (there?.metadata.uid === row.source && !there.spec.draft) continue
    await forgetMembers(database, row.source)
    const standIn = { metadata: { name, namespace: row.team, uid: row.source }, spec: { condition: {}, severity: alert?.spec.severity ?? 'ticket' } } as never
    views.push({ source: { uid: row.source, team: row.team, kind: kind as Source['kind'], name, rule: standIn, slo: undefined, forMs: 0, keepMs: 0, groupBy: [] }, group: row.group, firing: [], row, alert })
  }
  return views
}

/** Alerts that are open are read once for all. */
async function withAlerts({ resources }: LookDeps, views: GroupView[]): Promise<void> {
  const missing = views.filter(({ row, alert }) => row?.alert !== undefined && !alert)
  if (missing.length === 0) return
  const lists = await Promise.all(['Firing', 'Acknowledged'].map((value) => resources.listAll<Alert>(actor, 'Alert', undefined, { fields: [{ path: 'status.state', operator: '=', value }] })))
  const byName = new Map(lists.flat().map((alert) => [`${alert.metadata.namespace}/${alert.metadata.name}`, alert]))
  for (const view of missing) view.alert = byName.get(`${view.row!.team}/${view.row!.alert}`)
}

async function decide(deps: LookDeps, views: readonly GroupView[], now: Date): Promise<void> {
  const firing = views.filter((view) => view.firing.length > 0)
  const around = { now, quieting: quietingByTeam(deps.silences.values(), now), calls: await callsOf(deps, firing), deploying: await deployingOf(deps, firing) }
  const failures: Error[] = []
  await inParallel(planAlerts(views, around), appliedAtOnce, (decision) => applyDecision(deps, decision, now).catch((error: Error) => void failures.push(error)))
  // One that fails keeps no other from being told.
  if (failures.length > 0) throw failures[0]!
}

function quietingByTeam(silences: Iterable<Silence>, now: Date): Map<string, Quieting[]> {
  const byTeam = new Map<string, Silence[]>()
  for (const silence of silences) byTeam.set(silence.metadata.namespace!, [...(byTeam.get(silence.metadata.namespace!) ?? []), silence])
  return new Map([...byTeam].map(([team, own]) => [team, quietingOf(own, now)]))
}

async function callsOf({ calls }: LookDeps, firing: readonly GroupView[]): Promise<Map<string, string[]>> {
  const apps = new Set(firing.flatMap(({ source }) => appOf(source) ?? []))
  const found = new Map<string, string[]>()
  for (const text of apps) {
    const [team = '', app = ''] = text.split('/')
    found.set(text, (await calls({ team, app })).map((called) => `${called.team}/${called.app}`))
  }
  return found
}

/** Asked only where an alert that nobody was told of yet would wait for it. */
async function deployingOf({ resources }: LookDeps, firing: readonly GroupView[]): Promise<Set<string>> {
  const untold = new Map(firing.filter(({ source, alert }) => source.rule && source.rule.spec.muteWhileDeploying !== false && alert?.status?.escalation === undefined && placeOf(source).app !== undefined).map(({ source }) => [appOf(source)!, source]))
  const found = new Set<string>()
  for (const { team, rule } of untold.values()) {
    const { items } = await resources.list<Resource<DeploymentSpec, DeploymentStatus>>(actor, 'Deployment', team, { limit: 0, fields: [{ path: 'spec.app', operator: '=', value: rule!.spec.app! }] })
    for (const { spec, status } of items) if (status?.phase !== 'Waiting' && !finalPhases.has(status?.phase ?? 'Pending')) found.add(`${team}/${spec.app}/${spec.environment}`)
  }
  return found
}
