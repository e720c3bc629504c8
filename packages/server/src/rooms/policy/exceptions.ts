/** Exceptions: who may ask, who may grant, and their end. */
import { fail, type Resource, type UserSpec } from '@pavior/contract'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, itself, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import { mayAct, type Admission, type Resources } from '../../kernel/resources/index.ts'
import type { Engine } from './engine.ts'
import { policyException } from './kinds.ts'
import type { PolicyException } from './plan.ts'

const system = systemActor('policy')
export const requestedBy = 'pavior.dev/requested-by'
const dayMs = 24 * 3600_000
const remindBeforeMs = 7 * dayMs
/** Looked at this often at least, because clocks are set. */
const lookAgainMs = 6 * 3600_000
/** What is asked for lasts this long too when it was typed a moment ago. */
const graceMs = 3600_000

export interface ExceptionDeps {
  resources: Resources
  engine: Engine
  events: EventRecorder
  clock: Clock
  /** Longest that an exception may last, in days. */
  longestDays: number
}

/** Keeps who asks for it where nobody else can write, and refuses what nobody could grant. */
export function exceptionAdmission({ engine, resources, clock, longestDays }: ExceptionDeps): Admission {
  return async ({ actor, verb, kind, object, previous }) => {
    if (kind.kind !== 'PolicyException' || actor.kind === 'system' || verb === 'delete') return
    if (verb === 'update') {
      const same = JSON.stringify(object.status) === JSON.stringify(previous?.status) && object.metadata.annotations?.[requestedBy] === previous?.metadata.annotations?.[requestedBy]
      if (!same) throw fail('FORBIDDEN', { message: `The state of exception "${object.metadata.name}" cannot be written.`, fix: `Use pavior exception grant or deny ${object.metadata.name}.` })
      return
    }
    const { policy, owner, expiresAt } = (object as unknown as PolicyException).spec
    const leftMs = Date.parse(expiresAt) - clock.now().getTime()
    if (leftMs <= 0 || leftMs > longestDays * dayMs + graceMs) throw fail('INVALID', { message: `The exception must end within ${longestDays} days from now.`, causes: [{ field: 'spec.expiresAt', message: `must be within ${longestDays} days from now` }] })
    if (!engine.has(policy)) throw fail('INVALID', { message: `There is no policy "${policy}".`, fix: 'See pavior policy list.', causes: [{ field: 'spec.policy', message: 'names no policy' }] })
    if (!(await resources.get<Resource<UserSpec>>(system, { kind: 'User', namespace: '', name: owner }))) throw fail('INVALID', { message: `There is no user "${owner}" who could answer for the exception.`, causes: [{ field: 'spec.owner', message: 'names no user' }] })
    object.metadata.annotations = { ...object.metadata.annotations, [requestedBy]: actor.name }
  }
}

/** Grants or denies. Of a platform administrator, or of somebody who may approve exceptions of the team and did not ask for it. */
export async function decide({ resources, events, clock }: Pick<ExceptionDeps, 'resources' | 'events' | 'clock'>, by: Actor, team: string, name: string, phase: 'Granted' | 'Denied', note: string | undefined): Promise<PolicyException> {
  const key = { kind: 'PolicyException', namespace: team, name }
  checkMayDecide(by, await resources.mustGet<PolicyException>(by, key), team)
  const inName: Actor = { ...system, name: by.name, ...(by.token === undefined ? {} : { token: by.token }), ...(by.requestId === undefined ? {} : { requestId: by.requestId }) }
  const decided = await resources.mutate<PolicyException>(
    inName,
    key,
    (current) => {
      const { status, spec } = current!
      if ((status?.phase ?? 'Requested') !== 'Requested') throw fail('EXCEPTION_DECIDED', { message: `The exception "${name}" is ${status!.phase!.toLowerCase()} already.` })
      if (Date.parse(spec.expiresAt) <= clock.now().getTime()) throw fail('EXCEPTION_DECIDED', { message: `The exception "${name}" would have ended before.` })
      return { ...current!, status: { ...status, phase, by: by.name, at: clock.now().toISOString(), ...(note ? { note } : {}) } }
    },
    { subresource: 'status' },
  )
  await events.record(decided, 'Normal', phase, `${by.name} ${phase.toLowerCase()} the exception from ${decided.spec.policy} until ${decided.spec.expiresAt.slice(0, 10)}.`, 'policy')
  return decided
}

function checkMayDecide(by: Actor, { metadata }: PolicyException, team: string): void {
  if (by.admin) return
  if (by.kind !== 'user' || !mayAct(by, 'approve', policyException, team, { name: metadata.name })) throw fail('FORBIDDEN', { message: `${by.name} may not decide on exceptions of team ${team}.`, fix: `Ask an administrator of team ${team} or of the platform.` })
  const requester = metadata.annotations?.[requestedBy] ?? ''
  // Behind a token of a machine may stand whoever made it.
  if (requester === by.name || !requester.startsWith('user:')) throw fail('FORBIDDEN', { message: requester === by.name ? `${by.name} asked for this exception and cannot decide on it.` : `${requester} asked for this exception, and nobody knows who stands behind it.`, fix: `Ask another administrator of team ${team} or of the platform.` })
}

/** Ends exceptions in time, and says a week before that they will. */
export function createExceptionReconciler({ resources, events, clock, sweep }: ExceptionDeps & { sweep: (team: string, app: string | undefined) => Promise<void> }): Reconciler {
  return {
    name: 'policy-exceptions',
    concurrency: 1,
    interests: [itself(policyException)],
    reconcile: async (text) => {
      const key = { kind: 'PolicyException', ...splitKey(text) }
      const exception = await resources.get<PolicyException>(system, key)
      if (!exception) {
        await sweep(key.namespace, undefined)
        return done
      }
      const { spec, status = {} } = exception
      const write = (change: Partial<NonNullable<PolicyException['status']>>): Promise<unknown> =>
        resources.mutate<PolicyException>(system, key, (current) => ({ ...current!, status: { ...current!.status, ...change } }), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
      await sweep(key.namespace, spec.app)
      const phase = status.phase ?? 'Requested'
      if (phase === 'Denied' || phase === 'Expired') return done
      const leftMs = Date.parse(spec.expiresAt) - clock.now().getTime()
      if (leftMs <= 0) {
        await write({ phase: 'Expired' })
        await events.record(exception, 'Warning', 'Expired', `The exception from ${spec.policy} has ended; the policy is enforced again.`, 'policy')
        return done
      }
      if (phase === 'Granted' && leftMs <= remindBeforeMs && !status.reminded) {
        await write({ reminded: true })
        await events.record(exception, 'Warning', 'EndsSoon', `The exception from ${spec.policy} ends on ${spec.expiresAt.slice(0, 10)}; ${spec.owner} answers for it.`, 'policy')
      }
      return after(Math.min(lookAgainMs, leftMs, leftMs > remindBeforeMs ? leftMs - remindBeforeMs : leftMs))
    },
  }
}
