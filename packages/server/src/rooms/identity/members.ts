/** Members of a team, changed by its administrators. The Team itself is a cluster resource, which only administrators of the platform write. */
import { fail, Role, type Resource, type TeamSpec, type UserSpec } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { issueLoginKey } from './commands.ts'
import { asGiver } from './rights.ts'

type Team = Resource<TeamSpec>

const memberRequest = Compile(Type.Object({ role: Role }, { additionalProperties: false }))
const invitation = Compile(
  Type.Object(
    { name: Type.String({ maxLength: 40 }), displayName: Type.Optional(Type.String({ maxLength: 100 })), email: Type.Optional(Type.String({ maxLength: 254 })), role: Role },
    { additionalProperties: false },
  ),
)

export interface MemberRoutesDeps {
  database: Database
  resources: Resources
  clock: Clock
  publicUrl: () => string
}

/** What is written in the name of a team's administrator is named so in the audit. */
export function inNameOf(actor: Actor): Actor {
  const { name: _name, admin: _admin, roles: _roles, grants: _grants, limit: _limit, app: _app, ...origin } = actor
  return { ...systemActor('identity'), ...origin, name: actor.name }
}

export function memberRoutes({ database, resources, clock, publicUrl }: MemberRoutesDeps): Routes {
  const setRole = (by: Actor, team: string, user: string, role: Role | undefined): Promise<Team> =>
    resources.mutate<Team>(inNameOf(by), { kind: 'Team', namespace: '', name: team }, (current) => {
      if (!current) throw fail('NOT_FOUND', { message: `There is no team "${team}".` })
      const known = current.spec.members ?? []
      const member = known.some((each) => each.user === user)
      if (role === undefined && !member) throw fail('NOT_FOUND', { message: `"${user}" is not a member of team ${team}.` })
      const members = role === undefined ? known.filter((each) => each.user !== user) : member ? known.map((each) => (each.user === user ? { user, role } : each)) : [...known, { user, role }]
      return { ...current, spec: { ...current.spec, members } }
    })

  return (app: FastifyInstance) => {
    app.put<{ Params: { team: string; user: string } }>('/v1/teams/:team/members/:user', async ({ actor, params, body }) => {
      checkMayManage(actor, params.team)
      if (!memberRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A member has { "role": admin, developer or viewer }.' })
      await resources.mustGet(systemActor('identity'), { kind: 'User', namespace: '', name: params.user })
      return setRole(actor, params.team, params.user, body.role)
    })

    app.delete<{ Params: { team: string; user: string } }>('/v1/teams/:team/members/:user', async ({ actor, params }) => {
      checkMayManage(actor, params.team)
      return setRole(actor, params.team, params.user, undefined)
    })

    app.post<{ Params: { team: string } }>('/v1/teams/:team/invitations', async ({ actor, params, body }, reply) => {
      checkMayManage(actor, params.team)
      if (!invitation.Check(body)) throw fail('BAD_REQUEST', { message: 'An invitation takes { "name", "role", "displayName"?, "email"? }.' })
      const { name, role, displayName, email } = body
      // A link signs in as whom it is for: for somebody who is here already it would open their account to the inviter.
      const known = await resources.get(systemActor('identity'), { kind: 'User', namespace: '', name })
      const spec: UserSpec = { ...(displayName ? { displayName } : {}), ...(email ? { email } : {}) }
      if (!known) await resources.create(inNameOf(actor), 'User', '', { metadata: { name }, spec })
      await setRole(actor, params.team, name, role)
      reply.code(201)
      return { user: name, team: params.team, role, existed: known !== undefined, ...(known ? {} : { url: `${publicUrl()}/welcome?key=${await issueLoginKey(database, clock, name)}` }) }
    })
  }
}

function checkMayManage(asking: Actor, team: string): void {
  const actor = asGiver(asking)
  if (actor.admin || (actor.kind === 'user' && actor.roles.get(team) === 'admin')) return
  throw fail('FORBIDDEN', { message: `${actor.name} may not change who belongs to team ${team}.`, fix: `Ask an administrator of team ${team}.` })
}
