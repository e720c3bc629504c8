/** `on-call`: says who is on call now, who follows, and when nobody is. */
import { isDeepStrictEqual } from 'node:util'
import type { OnCallScheduleSpec, OnCallScheduleStatus, OnCallShift, Resource, UserSpec } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { ignore } from '../../../kernel/errors.ts'
import { after, done, itself, splitKey, type Reconciler } from '../../../kernel/reconcile/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { lookAheadMs, onCallSchedule } from './kinds.ts'
import { gapsOf, shiftsOf, type Shift } from './plan.ts'

export type OnCallSchedule = Resource<OnCallScheduleSpec, OnCallScheduleStatus>

const actor = systemActor('on-call')
const shownGaps = 10
/** Looked at this often at least, because clocks are set. */
const lookAgainMs = 3600_000

export interface OnCallDeps {
  resources: Resources
  events: EventRecorder
  clock: Clock
}

export function createOnCall({ resources, events, clock }: OnCallDeps): Reconciler {
  return {
    name: 'on-call',
    concurrency: 2,
    interests: [itself(onCallSchedule)],
    reconcile: async (text) => {
      const key = { kind: 'OnCallSchedule', ...splitKey(text) }
      const schedule = await resources.get<OnCallSchedule>(actor, key)
      if (!schedule || schedule.metadata.deletionTimestamp) return done
      const now = clock.now().getTime()
      const shifts = shiftsOf(schedule.spec, now, now + lookAheadMs)
      const status = statusOf(schedule, shifts, await unknownUsers(resources, schedule.spec))
      if (!isDeepStrictEqual(schedule.status, status)) {
        await resources.mutate<OnCallSchedule>(actor, key, (current) => ({ ...current!, status }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
        const before = schedule.status?.now?.user
        if (schedule.status && before !== status.now?.user) await events.record(schedule, status.now ? 'Normal' : 'Warning', 'HandedOver', status.now ? `${status.now.user} is on call${before === undefined ? '' : ` after ${before}`}.` : 'Nobody is on call.', 'reliability')
      }
      return after(Math.min(lookAgainMs, Math.max(1, shifts[0]!.untilMs - clock.now().getTime())))
    },
  }
}

/** Nothing in it changes with every look, so that a quiet schedule costs no writes. The end of what is cut off is looked at anew. */
function statusOf({ metadata, status, spec }: OnCallSchedule, shifts: Shift[], unknown: string[]): OnCallScheduleStatus {
  const [now, ...later] = shifts
  const next = later.find(({ user }) => user !== undefined && user !== now!.user)
  const gaps = gapsOf(shifts).slice(0, shownGaps)
  return {
    ...(now!.user === undefined ? {} : { now: { ...shown(now!), from: begunAt(spec, now!, status?.now) } }),
    ...(next ? { next: shown(next) } : {}),
    ...(gaps.length > 0 ? { gaps: gaps.map(({ fromMs, untilMs }) => ({ from: iso(fromMs), until: iso(untilMs) })) } : {}),
    ...(unknown.length > 0 ? { unknownUsers: unknown } : {}),
    observedGeneration: metadata.generation!,
  }
}

/** When a turn began that goes on: looked for a while back, once. */
function begunAt(spec: OnCallScheduleSpec, now: Shift, known: OnCallShift | undefined): string {
  if (known && known.user === now.user && known.layer === now.layer && Date.parse(known.from) <= now.fromMs && now.fromMs < Date.parse(known.until)) return known.from
  return iso(shiftsOf(spec, now.fromMs - lookAheadMs, now.fromMs + 1).at(-1)!.fromMs)
}

export function shown({ user, layer, fromMs, untilMs }: Shift): OnCallShift {
  return { user: user ?? '', from: iso(fromMs), until: iso(untilMs), ...(layer === undefined ? {} : { layer }) }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

async function unknownUsers(resources: Resources, { layers, overrides = [] }: OnCallScheduleSpec): Promise<string[]> {
  const names = [...new Set([...layers.flatMap(({ users }) => users), ...overrides.map(({ user }) => user)])]
  const found = await Promise.all(names.map((name) => resources.get<Resource<UserSpec>>(actor, { kind: 'User', namespace: '', name })))
  return names.filter((_, index) => !found[index] || found[index].spec.suspended === true)
}
