/** Judges what lives: apps where they serve, environments, and Apps as they are written. Keeps what it finds, and tells what a policy would find. */
import { fail, type AppSpec, type AppStatus, type EnvironmentSpec, type PolicyFinding, type PolicySpec, type ReleaseSpec, type Resource } from '@pavior/contract'
import { systemActor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import { after, done, resourceKeyText, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Engine, Policy } from './engine.ts'
import { writeSubject, type Gate } from './gate.ts'
import { ruleProblems } from './kinds.ts'
import { compilePolicy, type CompiledPolicy } from './language.ts'
import type { Notes } from './notes.ts'
import type { Subject } from './plan.ts'
import { replaceFindings, type Finding } from './store.ts'

const actor = systemActor('policy')
const controller = 'policy-sweep'
/** Judges everything anew. */
export const changesController = 'policy-changes'
/** Days pass, and so do exceptions. */
const lookAgainMs = 6 * 3600_000
/** Changes of many policies at once ask for one round. */
const settleMs = 500
/** Key of a team's own things, beside those of its apps. */
const teamKey = ''

type App = Resource<AppSpec, AppStatus>

export interface SweepDeps {
  database: Database
  resources: Resources
  engine: Engine
  gate: Gate
  notes: Notes
  request: (entries: { controller: string; key: string; afterMs?: number }[]) => Promise<void>
  clock: Clock
}

export interface Impact {
  /** Things that it would judge. */
  judged: number
  teams: { team: string; broken: number; unknown: number; errors: number; items: PolicyFinding[] }[]
}

export interface Sweep {
  reconcilers: Reconciler[]
  /** Asks for the app, or for every app of the team. */
  ask(team: string, app: string | undefined): Promise<void>
  impact(teams: string[] | undefined, name: string, spec: PolicySpec): Promise<Impact>
}

export function createSweep(deps: SweepDeps): Sweep {
  const { database, resources, engine, notes, request, clock } = deps

  const find = async (team: string, app: string): Promise<Finding[] | undefined> => {
    const subjects = await subjectsOf(deps, team, app)
    if (!subjects) return undefined
    const findings: Finding[] = []
    for (const subject of subjects) {
      const judged = engine.judge(subject, await engine.decisions(subject))
      await notes.note(subject, judged, false)
      findings.push(...judged.flatMap(({ verdicts }) => verdicts.filter(({ outcome }) => outcome !== 'kept').map((verdict) => ({ ...whereOf(subject), verdict }))))
    }
    return findings
  }

  const askAll = async (): Promise<void> => {
    const [apps, teams] = [await resources.listAll(actor, 'App'), await resources.listAll(actor, 'Team')]
    await request([...apps.map((app) => ({ controller, key: resourceKeyText(app) })), ...teams.map(({ metadata }) => ({ controller, key: `${metadata.name}/${teamKey}` }))])
  }

  /** The copy of the policies in memory follows the change feed, a moment later. */
  const knowsAll = async (): Promise<boolean> => {
    const stored = await resources.listAll<Policy>(actor, 'Policy')
    const known = new Map(engine.policies().map(({ metadata }) => [metadata.uid, metadata.generation]))
    return stored.length === known.size && stored.every(({ metadata }) => known.get(metadata.uid) === metadata.generation)
  }

  const judgeOne: Reconciler = {
    name: controller,
    concurrency: 2,
    interests: [
      { kind: 'App', keys: (object) => [resourceKeyText(object)] },
      { kind: 'Environment', keys: ({ metadata }) => [`${metadata.namespace}/${teamKey}`] },
    ],
    reconcile: async (key) => {
      const { namespace, name } = splitKey(key)
      const findings = await find(namespace, name)
      await replaceFindings(database, namespace, name, findings ?? [])
      return findings === undefined ? done : after(lookAgainMs)
    },
  }

  const judgeAll: Reconciler = {
    name: changesController,
    concurrency: 1,
    interests: [{ kind: 'Policy', keys: (object, previous) => (previous && previous.metadata.generation === object.metadata.generation && !object.metadata.deletionTimestamp ? [] : ['all']) }],
    reconcile: async () => {
      if (!(await knowsAll())) return after(settleMs)
      await askAll()
      return done
    },
  }

  return {
    reconcilers: [judgeOne, judgeAll],
    ask: async (team, app) => {
      if (app !== undefined) return request([{ controller, key: `${team}/${app}`, afterMs: settleMs }])
      const apps = await resources.listAll(actor, 'App', team)
      await request([...apps.map((one) => ({ controller, key: resourceKeyText(one), afterMs: settleMs })), { controller, key: `${team}/${teamKey}`, afterMs: settleMs }])
    },
    impact: async (teams, name, spec) => {
      const compiled = draft(name, spec, clock)
      const keys = [...(await resources.listAll(actor, 'App')).map(({ metadata }) => ({ team: metadata.namespace!, app: metadata.name })), ...(await resources.listAll(actor, 'Team')).map(({ metadata }) => ({ team: metadata.name, app: teamKey }))]
      const byTeam = new Map<string, Impact['teams'][number]>()
      let judged = 0
      for (const { team, app } of keys.filter((key) => teams === undefined || teams.includes(key.team))) {
        for (const subject of (await subjectsOf(deps, team, app)) ?? []) {
          const [result] = engine.judge(subject, await engine.decisions(subject, compiled), compiled)
          if (!result) continue
          judged += 1
          const row = byTeam.get(team) ?? { team, broken: 0, unknown: 0, errors: 0, items: [] }
          byTeam.set(team, row)
          for (const verdict of result.verdicts) {
            if (verdict.outcome === 'broken') row.broken += 1
            if (verdict.outcome === 'unknown') row.unknown += 1
            if (verdict.outcome === 'error') row.errors += 1
            if (verdict.outcome !== 'kept') row.items.push({ team, app, ...whereOf(subject), ...verdict, since: clock.now().toISOString() })
          }
        }
      }
      return { judged, teams: [...byTeam.values()].toSorted((one, other) => other.broken - one.broken || (one.team < other.team ? -1 : 1)) }
    },
  }
}

/** A policy that is not in force, judged on everything that lives. Throws INVALID for expressions that are none. */
function draft(name: string, spec: PolicySpec, clock: Clock): CompiledPolicy {
  const causes = ruleProblems({ ...spec, rules: Array.isArray(spec.rules) ? spec.rules : [] })
  if (causes.length > 0) throw fail('INVALID', { message: `Policy "${name}" is not valid: ${causes[0]!.field} ${causes[0]!.message}.`, causes })
  const metadata = { name, uid: '', resourceVersion: '', generation: 1, creationTimestamp: clock.now().toISOString() }
  return compilePolicy({ apiVersion: '', kind: 'Policy', metadata, spec: { ...spec, mode: spec.mode === 'off' ? 'audit' : spec.mode, points: ['sweep'] } })
}

function whereOf({ kind, object, environment = '' }: Subject): Omit<Finding, 'verdict'> {
  return { kind, name: object.metadata.name, environment }
}

/** Everything of an app, or of a team, that lives; undefined when it is gone. */
async function subjectsOf({ resources, gate }: SweepDeps, team: string, name: string): Promise<Subject[] | undefined> {
  if (name === teamKey) {
    const environments = await resources.listAll<Resource<EnvironmentSpec>>(actor, 'Environment', team)
    return environments.map((one) => writeSubject(actor, 'update', one, undefined, gate.tierOf, 'sweep'))
  }
  const app = await resources.get<App>(actor, { kind: 'App', namespace: team, name })
  if (!app || app.metadata.deletionTimestamp) return undefined
  const subjects = [writeSubject(actor, 'update', app as Resource, undefined, gate.tierOf, 'sweep')]
  for (const [environment, { release: version }] of Object.entries(app.status?.environments ?? {})) {
    if (version === undefined) continue
    const release = await resources.get<Resource<ReleaseSpec>>(actor, { kind: 'Release', namespace: team, name: `${name}-v${version}` })
    subjects.push(gate.deploySubject(app as never, environment, await gate.madeOf(team, release?.spec), { user: actor.name, point: 'sweep' }))
  }
  return subjects
}
