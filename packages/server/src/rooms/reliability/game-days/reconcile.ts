/** `game-days`: looks every second while one is at work. `game-day-faults`: gives the agent what is to be injected, whole, and takes it back. */
import { isDeepStrictEqual } from 'node:util'
import type { GameDayStatus } from '@pavior/contract'
import { nextGeneration } from '../../../kernel/db/generations.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, itself, splitKey, type Outcome, type Reconciler } from '../../../kernel/reconcile/index.ts'
import { actor, isAllowed, judgeNow, keyOf, lateMs, measured, placeOf, reportsOf, servingOf, troubleAbout, type GameDayDeps } from './gather.ts'
import { gameDay as kind } from './kinds.ts'
import { faultOf, goOn, isOver, lookedEveryMs, stateOf, type GameDay } from './plan.ts'
import { withReports } from './report.ts'

const lookMs = 1000
const everything = 'everything'

export function createGameDays(deps: GameDayDeps): Reconciler {
  return {
    name: 'game-days',
    concurrency: 4,
    interests: [itself(kind)],
    reconcile: async (text) => {
      const gameDay = await deps.resources.get<GameDay>(actor, { kind: 'GameDay', ...splitKey(text) })
      if (!gameDay || gameDay.metadata.deletionTimestamp || stateOf(gameDay.status) === 'Planned') return done
      return isOver(stateOf(gameDay.status)) ? lookBack(deps, gameDay) : look(deps, gameDay)
    },
  }
}

async function look(deps: GameDayDeps, gameDay: GameDay): Promise<Outcome> {
  const { resources, clock } = deps
  const { spec, status } = gameDay
  const [allowed, serving, judged, trouble, reports] = await Promise.all([
    isAllowed(resources, placeOf(gameDay)),
    servingOf(deps, placeOf(gameDay)),
    judgeNow(deps, gameDay, new Date(status!.startedAt!)),
    spec.pages === 'expected' ? undefined : troubleAbout(deps, gameDay),
    reportsOf(deps),
  ])
  const now = clock.now()
  const moved = goOn(gameDay, { now, allowed, serving, abort: judged.reason ?? trouble })
  const reported = withReports(spec, await measured(deps, gameDay, { ...moved, now: judged.figures, limits: judged.limits }), gameDay.metadata.uid, reports)
  const next = looked(status!, reported, now)
  if (!isDeepStrictEqual(next, status) && (await write(deps, gameDay, next))) await leave(deps, gameDay, next)
  return after(lookMs)
}

/** That somebody looked is written every few seconds, or with what moved anyway. */
function looked(before: GameDayStatus, next: GameDayStatus, now: Date): GameDayStatus {
  const due = now.getTime() - Date.parse(before.lookedAt!) >= lookedEveryMs || now.getTime() < Date.parse(before.lookedAt!)
  return due || !isDeepStrictEqual(before, next) ? { ...next, lookedAt: now.toISOString() } : next
}

/** The last counts come when it is over. */
async function lookBack(deps: GameDayDeps, gameDay: GameDay): Promise<Outcome> {
  const { status } = gameDay
  if (deps.clock.now().getTime() - Date.parse(status!.finishedAt!) > lateMs) return done
  const next = withReports(gameDay.spec, await measured(deps, gameDay, status!), gameDay.metadata.uid, await reportsOf(deps))
  if (!isDeepStrictEqual(next, status)) await write(deps, gameDay, next)
  return after(lookMs)
}

/** Only over what was read: somebody may have stopped it meanwhile. True when it was written. */
async function write({ database, resources, events }: GameDayDeps, gameDay: GameDay, status: GameDayStatus): Promise<boolean> {
  return database
    .transaction(async (tx) => {
      let written = false
      const found = await resources.mutate<GameDay>(actor, keyOf(gameDay), (current) => {
        written = current!.metadata.resourceVersion === gameDay.metadata.resourceVersion
        return written ? { ...current!, status } : current!
      }, { subresource: 'status', tx })
      if (written && isOver(stateOf(status)) && !isOver(stateOf(gameDay.status))) await events.record(found, status.state === 'Aborted' ? 'Warning' : 'Normal', `GameDay${status.state}`, status.message!, 'reliability', tx)
      return written
    })
    .catch((error: Error) => {
      ignore('NOT_FOUND')(error)
      return false
    })
}

/** After it is written that the control plane goes, it goes: once, whoever looks next. */
async function leave({ tools }: GameDayDeps, { spec, status: before }: GameDay, status: GameDayStatus): Promise<void> {
  const index = status.steps!.findIndex(({ state }, at) => state === 'Running' && before!.steps![at]!.state === 'Pending')
  if (index >= 0 && spec.steps[index]!.server) await tools.leave(new Date(status.steps![index]!.until!))
}

export function createFaultGiver({ database, resources, tools }: GameDayDeps): Reconciler {
  return {
    name: 'game-day-faults',
    concurrency: 1,
    interests: [{ kind: kind.kind, keys: (object, previous) => (changesFaults(object as GameDay, previous as GameDay | undefined) ? [everything] : []) }],
    reconcile: async () => {
      const running = await resources.listAll<GameDay>(actor, 'GameDay', undefined, { fields: [{ path: 'status.state', operator: '=', value: 'Running' }] })
      const wanted = running.flatMap((one) => faultOf(one) ?? [])
      const { generation, faults } = await tools.injector.injected()
      const inForce = faults.filter(({ active }) => active).map(({ id }) => id)
      if (!isDeepStrictEqual(inForce.toSorted(), wanted.map(({ id }) => id).toSorted())) await tools.injector.inject({ generation: await nextGeneration(database, 'fault-generation', generation), faults: wanted })
      // An agent that was started anew knows of none.
      return wanted.length > 0 ? after(lookMs) : done
    },
  }
}

function changesFaults(object: GameDay, previous: GameDay | undefined): boolean {
  return object.metadata.deletionTimestamp !== undefined || previous === undefined || !isDeepStrictEqual(faultOf(object), faultOf(previous))
}
