/** Break-glass: a higher role in a team for a while, taken by oneself, with a reason, told to the team. And the end of every binding that has one. */
import { fail, type Resource, type RoleBindingSpec, type TeamSpec } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { EventRecorder } from '../../kernel/audit/events.ts'
import type { Clock } from '../../kernel/clock.ts'
import { ignore } from '../../kernel/errors.ts'
import { after, done, itself, splitKey, type Reconciler } from '../../kernel/reconcile/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Authenticator } from './authenticate.ts'
import { clusterRoleBinding, roleBinding } from './kinds-access.ts'
import { inNameOf } from './members.ts'
import { elevationLabel } from './rights.ts'
import { mustBeUnbounded } from './sign-in.ts'

const elevatedRoles = ['team-owner', 'developer', 'on-call']
const minuteMs = 60_000
const controller = 'role-bindings'
const system = systemActor(controller)

const elevationRequest = Compile(
  Type.Object({ role: Type.String({ maxLength: 63 }), minutes: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }), reason: Type.String({ minLength: 1, maxLength: 500 }) }, { additionalProperties: false }),
)

type Binding = Resource<RoleBindingSpec>

export interface ElevationDeps {
  resources: Resources
  authenticator: Authenticator
  events: Pick<EventRecorder, 'record'>
  longestMinutes: number
  clock: Clock
}

export function elevationRoutes({ resources, authenticator, events, longestMinutes, clock }: ElevationDeps): Routes {
  const tellTeam = async (team: string, reason: string, message: string): Promise<void> => {
    const found = await resources.get<Resource<TeamSpec>>(system, { kind: 'Team', namespace: '', name: team })
    if (found) await events.record({ ...found, metadata: { ...found.metadata, namespace: team } }, 'Warning', reason, message, controller)
  }

  return (app: FastifyInstance) => {
    app.post<{ Params: { team: string } }>('/v1/teams/:team/elevations', async ({ actor, params: { team }, body }, reply) => {
      if (!elevationRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'An elevation takes { "role", "minutes", "reason" }.' })
      checkMayElevate(actor, authenticator, team, body, longestMinutes)
      await resources.mustGet(system, { kind: 'Team', namespace: '', name: team })
      const expiresAt = new Date(clock.now().getTime() + body.minutes * minuteMs).toISOString()
      const name = actor.name.slice('user:'.length)
      const spec: RoleBindingSpec = { role: body.role, subjects: [{ kind: 'User', name }], expiresAt, reason: body.reason }
      const made = await resources.create<Binding>({ ...inNameOf(actor), reason: body.reason }, 'RoleBinding', team, { metadata: { generateName: `elevation-${name}-`, labels: { [elevationLabel]: 'true' } }, spec })
      await tellTeam(team, 'Elevated', `${name} took the role ${body.role} until ${expiresAt}: ${body.reason}`)
      reply.code(201)
      return { name: made.metadata.name, team, ...spec }
    })

    app.delete<{ Params: { team: string; name: string } }>('/v1/teams/:team/elevations/:name', async ({ actor, params: { team, name } }) => {
      const key = { kind: 'RoleBinding', namespace: team, name }
      const found = await resources.mustGet<Binding>(system, key)
      if (found.metadata.labels?.[elevationLabel] !== 'true') throw fail('NOT_FOUND', { message: `"${name}" is no elevation.`, fix: `Delete the RoleBinding itself: pavior delete rolebinding ${name}` })
      const own = found.spec.subjects.some((subject) => `user:${subject.name}` === actor.name)
      if (!own && !actor.admin && actor.roles.get(team) !== 'admin') throw fail('FORBIDDEN', { message: `${actor.name} may not end the elevation of somebody else.`, fix: `Ask an administrator of team ${team}.` })
      await resources.delete(inNameOf(actor), key)
      await tellTeam(team, 'SteppedDown', `${found.spec.subjects.map((subject) => subject.name).join(', ')} gave the role ${found.spec.role} back.`)
      return { name, ended: true }
    })
  }
}

function checkMayElevate(actor: Actor, authenticator: Authenticator, team: string, { role, minutes }: { role: string; minutes: number }, longestMinutes: number): void {
  mustBeUnbounded(actor)
  if (actor.kind !== 'user' || !actor.name.startsWith('user:')) throw fail('ELEVATION_REFUSED', { message: `${actor.name} is no person, so it cannot take a role.` })
  if (longestMinutes === 0) throw fail('ELEVATION_REFUSED', { message: 'Nobody takes roles by themselves here.', why: 'PAVIOR_ELEVATION_MINUTES is 0.' })
  if (minutes > longestMinutes) throw fail('ELEVATION_REFUSED', { message: `${minutes} minutes are longer than the limit of ${longestMinutes}.`, fix: `Ask for ${longestMinutes} minutes or less.` })
  if (!elevatedRoles.includes(role)) throw fail('ELEVATION_REFUSED', { message: `Nobody takes the role "${role.slice(0, 63)}" by themselves.`, fix: `Use one of: ${elevatedRoles.join(', ')}.` })
  const { mayElevate } = authenticator.rightsOf({ kind: 'User', name: actor.name.slice('user:'.length) })
  if (actor.admin || mayElevate === 'everywhere' || mayElevate.has(team)) return
  throw fail('ELEVATION_REFUSED', { message: `${actor.name} may not take a role in team ${team}.`, why: 'It takes being developer, on-call or owner there, or a role that may.', fix: `Ask an administrator of team ${team}.` })
}

/** Deletes bindings at their end; nobody has had anything by them since that moment. */
export function bindingsReconciler({ resources, events, clock }: Pick<ElevationDeps, 'resources' | 'events' | 'clock'>): Reconciler {
  return {
    name: controller,
    concurrency: 2,
    interests: [itself(roleBinding), itself(clusterRoleBinding)],
    reconcile: async (key) => {
      const { namespace, name } = splitKey(key)
      const place = { kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding', namespace, name }
      const found = await resources.get<Binding>(system, place)
      if (found?.spec.expiresAt === undefined) return done
      const left = Date.parse(found.spec.expiresAt) - clock.now().getTime()
      if (left > 0) return after(left)
      await resources.delete(system, place, { preconditions: { uid: found.metadata.uid } }).catch(ignore('NOT_FOUND', 'CONFLICT'))
      await events.record(found, 'Normal', 'Ended', `The role ${found.spec.role} of ${found.spec.subjects.map((subject) => subject.name).join(', ')} has ended.`, controller)
      return done
    },
  }
}
