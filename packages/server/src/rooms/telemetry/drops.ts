/** What was not taken is counted by app and reason, and its owner told when it begins. */
import { type Resource } from '@pavior/contract'
import type { Counter } from 'prom-client'
import { systemActor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { logDropReasons, type LogDropReason } from './logs/limits.ts'
import { dropReasons as metricDropReasons, type DropReason as MetricDropReason } from './metrics/plan.ts'
import { addDropped, type DropCount } from './metrics/store.ts'

export type DropReason = MetricDropReason | LogDropReason
export const dropReasons: Record<DropReason, string> = { ...metricDropReasons, ...logDropReasons }

/** What kind of telemetry was dropped for this reason. */
export function signalOf(reason: string): 'metrics' | 'logs' | 'traces' {
  return Object.hasOwn(logDropReasons, reason) ? 'logs' : reason === 'span_rate' || reason === 'broken_span' ? 'traces' : 'metrics'
}

const writeEveryMs = 2000
/** An owner is told again after this long. */
const tellEveryMs = 3600_000
const actor = systemActor('telemetry')

export interface Drops extends Part {
  count(owner: { team: string; app: string }, dropped: ReadonlyMap<DropReason, number>): void
  /** Everything that was counted is in the database. */
  settled(): Promise<void>
}

export interface DropsDeps {
  database: Database
  resources: Pick<Resources, 'get'>
  events: Pick<EventRecorder, 'record'>
  counter: Counter<'reason'>
  clock: Clock
  log: Logger
}

export function createDrops({ database, resources, events, counter, clock, log }: DropsDeps): Drops {
  let counts = new Map<string, DropCount & { reason: DropReason }>()
  const told = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const write = async (): Promise<void> => {
    const batch = [...counts.values()]
    counts = new Map()
    if (batch.length === 0) return
    try {
      await addDropped(database, batch)
      for (const one of batch) await tell(one)
    } catch (error) {
      log.warn({ err: (error as Error).message }, 'what telemetry was dropped could not be noted')
    }
  }
  const tell = async ({ team, app, reason }: DropCount & { reason: DropReason }): Promise<void> => {
    const key = `${team}/${app}/${reason}`
    const nowMs = clock.now().getTime()
    if (team === '' || nowMs - (told.get(key) ?? -Infinity) < tellEveryMs) return
    told.set(key, nowMs)
    const resource = await resources.get<Resource>(actor, { kind: 'App', namespace: team, name: app })
    if (resource) await events.record(resource, 'Warning', 'TelemetryDropped', `Not everything is stored: ${reason}. ${dropReasons[reason]} See: pavior telemetry ${app}`, 'telemetry')
  }
  const settled = (): Promise<void> => (writing = writing.then(write))

  return {
    name: 'dropped telemetry',
    count: ({ team, app }, dropped) => {
      for (const [reason, points] of dropped) {
        if (points === 0) continue
        counter.inc({ reason }, points)
        const key = `${team}/${app}/${reason}`
        const known = counts.get(key)
        if (known) known.points += points
        else counts.set(key, { team, app, reason, points })
      }
    },
    settled,
    start: async () => {
      timer = setInterval(() => void settled(), writeEveryMs)
    },
    stop: async () => {
      clearInterval(timer)
      await settled()
    },
  }
}
