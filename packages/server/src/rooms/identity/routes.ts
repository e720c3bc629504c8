/** Tokens, login links, who am I. */
import { fail, Role } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Actor } from '../../kernel/actor.ts'
import { sendLatest, type OnMore } from '../../kernel/api/lines.ts'
import { flag, type Query } from '../../kernel/api/query.ts'
import type { Routes } from '../../kernel/api/types.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/db/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { KindRegistry } from '../../kernel/kind.ts'
import type { Authenticator } from './authenticate.ts'
import { boundsOf } from './bounds.ts'
import type { TakeNote } from './notes.ts'
import { asGiver } from './rights.ts'
import { checkTokenRequest, issueLoginKey, issueToken } from './commands.ts'
import { listTokens, readToken, revokeToken, type TokenRecord } from './store.ts'

const dayMs = 24 * 3600_000
const defaultLifetimeDays = 90

const tokenRequest = Compile(
  Type.Object(
    {
      description: Type.Optional(Type.String({ maxLength: 100 })),
      username: Type.Optional(Type.String({ maxLength: 40 })),
      team: Type.Optional(Type.String({ maxLength: 30 })),
      role: Type.Optional(Role),
      app: Type.Optional(Type.String({ maxLength: 40 })),
      serviceAccount: Type.Optional(Type.String({ maxLength: 40 })),
      verbs: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { minItems: 1, maxItems: 10 })),
      kinds: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { minItems: 1, maxItems: 50 })),
      names: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z][-a-z0-9.]*\\*?$', maxLength: 253 }), { minItems: 1, maxItems: 100 })),
      environments: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { minItems: 1, maxItems: 50 })),
      expiresInDays: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 366 })),
    },
    { additionalProperties: false },
  ),
)

export interface IdentityRoutesDeps {
  database: Database
  resources: Resources
  authenticator: Authenticator
  clock: Clock
  publicUrl: () => string
  /** Calls back whenever a token has changed. */
  onMore: OnMore
  kinds: KindRegistry
  note: TakeNote
}

export function identityRoutes({ database, resources, authenticator, clock, publicUrl, onMore, kinds, note }: IdentityRoutesDeps): Routes {
  return (app: FastifyInstance) => {
    app.get('/v1/whoami', async ({ actor }) => ({ name: actor.name, admin: actor.admin, roles: Object.fromEntries(actor.roles), app: actor.app, ...(actor.grants ? { grants: actor.grants.map(({ role, team }) => ({ role, team })) } : {}), ...(actor.limit ? { bounds: actor.limit } : {}) }))

    app.post('/v1/tokens', async (request, reply) => {
      const body = request.body ?? {}
      if (!tokenRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'The token request is not valid.', why: [...tokenRequest.Errors(body)].map((error) => `${error.instancePath} ${error.message}`).join('; ') })
      const { actor } = request
      const own = actor.kind === 'user' ? actor.name.slice('user:'.length) : undefined
      const { verbs, kinds: words, names, environments, expiresInDays, ...rest } = body
      const wanted = { ...rest, description: body.description ?? '', username: body.team === undefined ? (body.username ?? own) : undefined, bounds: boundsOf({ verbs, kinds: words, names, environments }, (word) => (kinds.find(word) ?? kinds.find(word.toLowerCase()))?.kind) }
      if (wanted.username === undefined && wanted.team === undefined) throw fail('BAD_REQUEST', { message: 'A token needs a user or a team.' })
      checkTokenRequest(actor, wanted)
      await mustExist(resources, wanted)
      if (wanted.serviceAccount !== undefined) checkNoMore(actor, authenticator, wanted.team!, wanted.serviceAccount)
      const issued = await issueToken(database, clock, actor.name, { ...wanted, lifetimeMs: (expiresInDays ?? defaultLifetimeDays) * dayMs })
      note({ actor: actor.name, verb: 'create-token', name: issued.record.id, reason: `for ${ownerOf(issued.record)}`, team: wanted.team, address: request.ip, requestId: request.id })
      reply.code(201)
      return { ...issued.record, token: issued.token }
    })

    app.get('/v1/tokens', async ({ actor, query }, reply) => {
      const read = async (): Promise<{ items: TokenRecord[] }> => ({ items: await tokensOf(database, actor) })
      return flag(query as Query, 'follow') ? sendLatest(reply, read, onMore) : read()
    })

    app.delete<{ Params: { id: string } }>('/v1/tokens/:id', async ({ actor, params, ip, id: requestId }) => {
      const record = await readToken(database, params.id)
      if (!record) throw fail('NOT_FOUND', { message: `There is no token "${params.id}".` })
      checkTokenRequest(actor, record)
      await revokeToken(database, params.id)
      authenticator.forget()
      note({ actor: actor.name, verb: 'revoke-token', name: params.id, reason: `of ${ownerOf(record)}`, team: record.team, address: ip, requestId })
      return { id: params.id, revoked: true }
    })

    app.post<{ Params: { name: string } }>('/v1/users/:name/login-link', async ({ actor, params }) => {
      if (!asGiver(actor).admin) throw fail('FORBIDDEN', { message: `${actor.name} may not make login links.`, fix: 'Ask an administrator of the platform.' })
      await resources.mustGet(actor, { kind: 'User', namespace: '', name: params.name })
      return { url: `${publicUrl()}/welcome?key=${await issueLoginKey(database, clock, params.name)}` }
    })
  }
}

function ownerOf({ username, team, serviceAccount }: Pick<TokenRecord, 'username' | 'team' | 'serviceAccount'>): string {
  if (username !== undefined) return `user:${username}`
  return serviceAccount === undefined ? `team ${team}` : `serviceaccount:${team}/${serviceAccount}`
}

/** A token of an account that holds more than one team gives is made by administrators of the platform. */
function checkNoMore(asking: Actor, authenticator: Authenticator, team: string, name: string): void {
  const by = asGiver(asking)
  const beyond = authenticator.rightsOf({ kind: 'ServiceAccount', team, name }).sources.find((source) => source.team !== team && !(source.team !== undefined && by.roles.get(source.team) === 'admin'))
  if (by.admin || !beyond) return
  throw fail('ESCALATION_REFUSED', { message: `${by.name} may not make tokens of service account ${team}/${name}.`, why: `It holds ${beyond.role} ${beyond.team === undefined ? 'in every team' : `in team ${beyond.team}`} by ${beyond.by}.`, fix: 'Ask an administrator of the platform.' })
}

/** All for administrators of the platform; else one's own and those of the teams that one administrates. */
async function tokensOf(database: Database, actor: Actor): Promise<TokenRecord[]> {
  if (actor.admin) return listTokens(database, {})
  const teams = [...actor.roles].filter(([, role]) => role === 'admin').map(([team]) => team)
  const own = actor.kind === 'user' ? await listTokens(database, { username: actor.name.slice('user:'.length) }) : []
  return [...own, ...(teams.length > 0 ? await listTokens(database, { teams }) : [])]
}

async function mustExist(resources: Resources, { username, team, app, serviceAccount, role }: { username?: string; team?: string; app?: string; serviceAccount?: string; role?: string }): Promise<void> {
  const actor = { name: 'system:identity', kind: 'system' as const, admin: true, roles: new Map() }
  if (username !== undefined) await resources.mustGet(actor, { kind: 'User', namespace: '', name: username })
  if (team !== undefined) await resources.mustGet(actor, { kind: 'Team', namespace: '', name: team })
  if (serviceAccount !== undefined) {
    if (team === undefined || role !== undefined) throw fail('BAD_REQUEST', { message: 'A token of a service account needs its team, and has the rights of the account instead of a role.' })
    await resources.mustGet(actor, { kind: 'ServiceAccount', namespace: team, name: serviceAccount })
  }
  if (app !== undefined && team === undefined) throw fail('BAD_REQUEST', { message: 'A token for one app needs its team too.' })
}
