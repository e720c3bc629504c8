/** What people do with a game day: begin it, stop it, judge it, do it again. */
import { fail, frozenBy, type EnvironmentSpec, type FreezeSpec, type GameDaySpec, type GameDayVerdict, type Resource } from '@pavior/contract'
import { writingFor, type Actor } from '../../../kernel/actor.ts'
import { hasCode } from '../../../kernel/errors.ts'
import type { KindDefinition } from '../../../kernel/kind.ts'
import { mayAct } from '../../../kernel/resources/index.ts'
import { actor as system, filled, isAllowed, judgeNow, keyOf, placeOf, servingOf, troubleAbout, type GameDayDeps } from './gather.ts'
import { gameDay as kind } from './kinds.ts'
import { begun, ended, instancesOf, isOver, nameOf, nextName, reachProblem, stateOf, type GameDay } from './plan.ts'
import { beginAlone } from './store.ts'

export interface CommandDeps extends GameDayDeps {
  /** Whoever may make these there may inject faults there. */
  deployment: () => KindDefinition
}

/** Names that are tried when a plan is done again. */
const mostAgain = 1000

const shown = (by: Actor): string => by.name.replace(/^(user|token):/, '')

/** Throws FORBIDDEN, FAULTS_NOT_ALLOWED, FAULT_IMPOSSIBLE, GAME_DAY_UNSAFE, GAME_DAY_RUNS, GAME_DAY_OVER, INVALID. */
export async function start(deps: CommandDeps, by: Actor, team: string, name: string): Promise<GameDay> {
  const { database, resources, events, clock } = deps
  const found = await resources.mustGet<GameDay>(by, { kind: 'GameDay', namespace: team, name })
  mayStart(deps, by, found)
  notBegun(found)
  await isSafe(deps, found)
  return database.transaction(async (tx) => {
    await beginAlone(tx, team, found.spec.environment)
    const running = await resources.list<GameDay>(system, 'GameDay', team, { fields: [{ path: 'spec.environment', operator: '=', value: found.spec.environment }, { path: 'status.state', operator: '=', value: 'Running' }] }, tx)
    const other = running.items.find(({ metadata }) => metadata.uid !== found.metadata.uid)
    if (other) throw fail('GAME_DAY_RUNS', { message: `The game day ${other.metadata.name} runs in ${found.spec.environment}; there is one at a time.`, fix: `Wait until it is over, or stop it: pavior gameday stop ${other.metadata.name}` })
    const written = await resources.mutate<GameDay>(writingFor(system, by), keyOf(found), (current) => {
      notBegun(current!)
      // What was looked at is what is begun.
      if (current!.metadata.generation !== found.metadata.generation) throw fail('CONFLICT', { message: `The game day ${name} was changed at this moment.`, fix: 'Look at it again, then start it.' })
      return { ...current!, status: begun(current!.spec, by.name, clock.now()) }
    }, { subresource: 'status', tx })
    await events.record(written, 'Normal', 'GameDayStarted', `${shown(by)} began it: ${written.spec.hypothesis}`, 'reliability', tx)
    return written
  })
}

function notBegun({ metadata, status }: GameDay): void {
  const state = stateOf(status)
  if (state !== 'Planned') throw fail('GAME_DAY_OVER', { message: `The game day ${metadata.name} ${state === 'Running' ? 'runs already' : 'was done already'}.`, ...(state === 'Running' ? { fix: `See it: pavior gameday show ${metadata.name}` } : { fix: `Do it again as a new one: pavior gameday again ${metadata.name}` }) })
}

/** Who may hurt an app there is who may deploy there; the control plane is everybody's. */
function mayStart({ deployment }: CommandDeps, by: Actor, { metadata, spec }: GameDay): void {
  if (!mayDeploy(by, deployment(), metadata.namespace!, spec)) throw fail('FORBIDDEN', { message: `${by.name} may not inject faults into ${spec.app} in ${spec.environment}.`, why: 'It takes the right to deploy there.', fix: `Ask somebody who may deploy to ${spec.environment}.` })
  if (spec.steps.some((step) => step.server) && !by.admin) throw fail('FORBIDDEN', { message: `${by.name} may not take the control plane away.`, why: 'It is that of every team.', fix: 'Ask an administrator of the platform to start it.' })
}

function mayDeploy(by: Actor, deployment: KindDefinition, team: string, { app, environment }: GameDaySpec): boolean {
  return (by.app === undefined || by.app === app) && mayAct(by, 'create', deployment, team, { name: '', spec: { app, environment } })
}

/** Everything that would have it end at once keeps it from beginning. */
async function isSafe(deps: CommandDeps, gameDay: GameDay): Promise<void> {
  const { resources, clock } = deps
  const { metadata, spec } = gameDay
  const { name } = metadata
  const place = placeOf(gameDay)
  if (!(await isAllowed(resources, place))) throw fail('FAULTS_NOT_ALLOWED', { message: `The environment ${spec.environment} does not allow faults.`, why: 'Only an environment whose spec says faults: true does.', fix: `pavior gameday allow ${spec.environment}`, facts: { environment: spec.environment } })
  await areConditions(deps, gameDay)
  await isPossible(deps, gameDay)
  const frozen = await freezeOf(deps, place)
  if (frozen !== undefined) throw fail('GAME_DAY_UNSAFE', { message: `${spec.environment} is frozen, so the game day ${name} does not begin: ${frozen}` })
  const trouble = await troubleAbout(deps, gameDay)
  if (trouble !== undefined) throw fail('GAME_DAY_UNSAFE', { message: `${spec.app} has trouble already, so the game day ${name} does not begin. ${trouble}` })
  const { reason } = await judgeNow(deps, gameDay, new Date(0))
  if (reason !== undefined) throw fail('GAME_DAY_UNSAFE', { message: `The game day ${name} would end at once. ${reason}`, state: `Nothing was injected at ${clock.now().toISOString()}.` })
}

async function areConditions({ resources, tools }: CommandDeps, { metadata, spec }: GameDay): Promise<void> {
  for (const { slo, query } of spec.abort ?? []) {
    if (slo !== undefined) await resources.mustGet(system, { kind: 'Slo', namespace: metadata.namespace!, name: slo })
    if (query !== undefined) await tools.check(filled(query, placeOf({ metadata, spec })))
  }
}

async function isPossible(deps: CommandDeps, gameDay: GameDay): Promise<void> {
  const { spec } = gameDay
  const serving = await servingOf(deps, placeOf(gameDay))
  if (serving.length === 0) throw fail('GAME_DAY_UNSAFE', { message: `${spec.app} has no healthy instance in ${spec.environment}, so there is nothing to put to the test.`, fix: `See: pavior ps --app ${spec.app}` })
  const burdens = spec.steps.find((step) => step.cpu ?? step.memory)
  const { host } = await deps.tools.injector.current()
  if (burdens && host.cgroup === 'none') throw fail('FAULT_IMPOSSIBLE', { message: `"${nameOf(burdens)}" is not possible on this machine.`, why: 'It has no cgroups, so nothing would hold a burner within the limits of the instance.', fix: 'Leave the step out, or run the agent as root.' })
  for (const step of spec.steps) {
    const problem = instancesOf(step) === 0 ? undefined : reachProblem(spec, step, serving.length)
    if (problem !== undefined) throw fail('FAULT_IMPOSSIBLE', { message: problem, fix: `Scale ${spec.app}, reach fewer, or raise spec.blastRadius.percent.` })
  }
}

async function freezeOf({ resources, clock }: CommandDeps, { team, environment }: { team: string; environment: string }): Promise<string | undefined> {
  const [own, everywhere, found] = await Promise.all([
    resources.listAll<Resource<FreezeSpec>>(system, 'Freeze', team),
    resources.listAll<Resource<FreezeSpec>>(system, 'PlatformFreeze'),
    resources.mustGet<Resource<EnvironmentSpec>>(system, { kind: 'Environment', namespace: team, name: environment }),
  ])
  return frozenBy([...own, ...everywhere].map(({ spec }) => spec), { environment, tier: found.spec.tier }, clock.now())?.reason
}

/** What is over stays as it is. Whoever may change it may stop it, and whoever may deploy there. Throws FORBIDDEN, NOT_FOUND. */
export async function stop({ database, resources, events, clock, deployment }: CommandDeps, by: Actor, team: string, name: string): Promise<GameDay> {
  const key = { kind: 'GameDay', namespace: team, name }
  const found = await resources.mustGet<GameDay>(by, key)
  const mayChange = (by.app === undefined || by.app === found.spec.app) && mayAct(by, 'update', kind, team, { name, spec: found.spec, next: found.spec })
  if (!mayChange && !mayDeploy(by, deployment(), team, found.spec)) throw fail('FORBIDDEN', { message: `${by.name} may not stop game days of team ${team}.` })
  if (stateOf(found.status) === 'Planned') throw fail('CONFLICT', { message: `The game day ${name} has not begun.`, fix: `Begin it: pavior gameday start ${name}` })
  return database.transaction(async (tx) => {
    let stops = false
    const written = await resources.mutate<GameDay>(writingFor(system, by), key, (current) => {
      stops = stateOf(current!.status) === 'Running'
      return stops ? { ...current!, status: ended(current!.status!, 'Stopped', `${shown(by)} stopped it.`, clock.now(), by.name) } : current!
    }, { subresource: 'status', tx })
    if (stops) await events.record(written, 'Warning', 'GameDayStopped', written.status!.message!, 'reliability', tx)
    return written
  })
}

/** Throws FORBIDDEN, NOT_FOUND, and INVALID while it is not over. */
export function judgeIt({ resources, clock }: CommandDeps, by: Actor, team: string, name: string, verdict: Pick<GameDayVerdict, 'result' | 'text' | 'actions'>): Promise<GameDay> {
  return resources.mutate<GameDay>(by, { kind: 'GameDay', namespace: team, name }, (current) => {
    if (!isOver(stateOf(current!.status))) throw fail('INVALID', { message: `The game day ${name} is judged when it is over.`, causes: [{ field: 'spec.verdict', message: 'It is not over.' }] })
    return { ...current!, spec: { ...current!.spec, verdict: { ...verdict, by: by.name, at: clock.now().toISOString() } } }
  })
}

/** The same plan as a new one, which has not begun. Throws FORBIDDEN, NOT_FOUND. */
export async function again({ resources }: CommandDeps, by: Actor, team: string, name: string): Promise<GameDay> {
  const { spec } = await resources.mustGet<GameDay>(by, { kind: 'GameDay', namespace: team, name })
  const { verdict: _, ...plan } = spec
  let next = name
  for (let attempt = 0; attempt < mostAgain; attempt++) {
    next = nextName(next)
    try {
      return await resources.create<GameDay>(by, 'GameDay', team, { metadata: { name: next }, spec: plan })
    } catch (error) {
      if (!hasCode(error, 'ALREADY_EXISTS')) throw error
    }
  }
  throw fail('ALREADY_EXISTS', { message: `The game day ${name} was done too often for another name.`, fix: 'Delete some of them.' })
}
