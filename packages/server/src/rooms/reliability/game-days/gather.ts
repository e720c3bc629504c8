/** What a look at a game day sees: the environment, the app, what would end it, and what its faults reached. */
import { isPaviorError, type EnvironmentSpec, type FaultReport, type FaultTarget, type GameDayAbort, type GameDayStatus, type Resource, type SloSpec, type SloStatus } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { Alert, Incident } from '../incidents/types.ts'
import { judge, troubleOf, type Judgement, type Readings } from './limits.ts'
import type { GameDay } from './plan.ts'
import type { GameDayTools, Place } from './ports.ts'
import { movingSteps, spansOf, withFigures } from './report.ts'

export const actor = systemActor('game-days')

/** Conditions are judged by this much traffic: three whole intervals of the router, and one that has not ended. */
const judgedMs = 20_000
/** Counts come this late at most. */
export const lateMs = 12_000

export interface GameDayDeps {
  database: Database
  resources: Resources
  slos: Pick<Mirror<Resource<SloSpec, SloStatus>>, 'values'>
  tools: GameDayTools
  events: EventRecorder
  /** 0 … 1: which instances are hit. */
  random: () => number
  clock: Clock
  log: Logger
}

export function keyOf({ metadata }: GameDay): { kind: string; namespace: string; name: string } {
  return { kind: 'GameDay', namespace: metadata.namespace!, name: metadata.name }
}

export function placeOf({ metadata, spec }: Pick<GameDay, 'metadata' | 'spec'>): Place {
  return { team: metadata.namespace!, app: spec.app, environment: spec.environment }
}

/** Whether the environment allows faults. */
export async function isAllowed(resources: Resources, { team, environment }: Place): Promise<boolean> {
  const found = await resources.get<Resource<EnvironmentSpec>>(actor, { kind: 'Environment', namespace: team, name: environment })
  return found?.spec.faults === true && !found.metadata.deletionTimestamp
}

/** In an order that chance gives, so that no instance is always spared. */
export async function servingOf({ tools, random }: GameDayDeps, place: Place): Promise<FaultTarget[]> {
  const found = await tools.serving(place)
  return found.map((target) => ({ target, order: random() })).toSorted((one, other) => one.order - other.order).map(({ target }) => target)
}

/** What is wrong about the app apart from the conditions. */
export async function troubleAbout({ resources }: Pick<GameDayDeps, 'resources'>, { metadata, spec }: GameDay): Promise<string | undefined> {
  const team = metadata.namespace!
  const ofApp = { path: 'spec.app', operator: '=' as const, value: spec.app }
  const alertsThat = (state: string): Promise<Alert[]> => resources.listAll<Alert>(actor, 'Alert', team, { fields: [ofApp, { path: 'status.state', operator: '=', value: state }] })
  const [firing, taken, incidents] = await Promise.all([alertsThat('Firing'), alertsThat('Acknowledged'), resources.listAll<Incident>(actor, 'Incident', team, { fields: [ofApp] })])
  return troubleOf(spec, [...firing, ...taken], incidents)
}

/** The conditions as they are now. */
export async function judgeNow(deps: GameDayDeps, gameDay: GameDay, since: Date): Promise<Judgement & { figures: Readings['figures'] }> {
  const { tools, clock } = deps
  const now = clock.now()
  const place = placeOf(gameDay)
  const figures = await tools.figures(place, new Date(Math.max(since.getTime(), now.getTime() - judgedMs)), now)
  const conditions = gameDay.spec.abort ?? []
  const values = await Promise.all(conditions.map((condition) => valueOf(deps, place, condition, now)))
  return { ...judge(conditions, { figures, values }), figures }
}

async function valueOf({ tools, slos }: GameDayDeps, place: Place, { slo, query }: GameDayAbort, now: Date): Promise<Readings['values'][number]> {
  if (slo !== undefined) {
    const found = [...slos.values()].find(({ metadata }) => metadata.namespace === place.team && metadata.name === slo)
    return found ? { value: found.status?.burn?.['5m'] } : { problem: `there is no Slo ${slo}.` }
  }
  if (query === undefined) return {}
  try {
    return { value: await tools.value(place.team, filled(query, place), now) }
  } catch (error) {
    if (!isPaviorError(error)) throw error
    return { problem: error.message }
  }
}

/** Names are of letters that need no quoting. */
export function filled(query: string, place: Place): string {
  return query.replace(/\$(team|app|environment)\b/g, (_, name: keyof Place) => place[name])
}

/** An agent that does not answer reports nothing; what is known of its faults stays. */
export async function reportsOf({ tools, log }: GameDayDeps): Promise<FaultReport[]> {
  return tools.injector.injected().then(
    ({ faults }) => faults,
    (error: Error) => {
      log.warn({ err: error.message }, 'the agent does not say what the faults of game days reached; it is asked again')
      return []
    },
  )
}

/** The figures of every step whose counts may still come. */
export async function measured({ tools, clock }: GameDayDeps, gameDay: GameDay, status: GameDayStatus): Promise<GameDayStatus> {
  const now = clock.now()
  let next = status
  for (const index of movingSteps(status, now, lateMs)) {
    const spans = Object.entries(spansOf(status.steps!, index, now))
    const figures = await Promise.all(spans.map(async ([name, { from, until }]) => [name, await tools.figures(placeOf(gameDay), from, until)] as const))
    next = withFigures(next, index, Object.fromEntries(figures))
  }
  return next
}

