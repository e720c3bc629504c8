/** `/scim/v2`: SCIM 2.0 for a directory with a token of its own. Errors are in the form of RFC 7644. */
import { fail, type GroupSpec, type Resource, type UserSpec } from '@pavior/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { RateLimiter } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { asPaviorError } from '../../../kernel/kube/status.ts'
import type { Authenticator } from '../authenticate.ts'
import { bearerToken } from '../bearer.ts'
import { issueToken } from '../commands.ts'
import type { TakeNote } from '../notes.ts'
import { asGiver } from '../rights.ts'
import { mustBeUnbounded } from '../sign-in.ts'
import { createPeople, type People, type ScimDeps } from './people.ts'
import { errorSchema, groupSchema, listSchema, operationsOf, pageOf, parseFilter, patchPerson, patchTeam, personOf, ScimError, teamOf, userSchema } from './plan.ts'

/** The owner that tokens of directories have; no service account can have it, because it is in no team. */
export const scimAccount = 'scim'
const mediaType = 'application/scim+json'
const mostBytes = 2 * 1024 * 1024
const dayMs = 24 * 3600_000
const defaultLifetimeDays = 366
const failuresPerSecond = 1
const failureBurst = 20
const userFilters = ['userName', 'externalId', 'displayName', 'id'] as const
const groupFilters = ['displayName', 'externalId', 'id'] as const

const tokenRequest = Compile(Type.Object({ description: Type.Optional(Type.String({ maxLength: 100 })), expiresInDays: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 366 })) }, { additionalProperties: false }))

export interface ScimRoutesDeps extends ScimDeps {
  database: Database
  authenticator: Authenticator
  clock: Clock
  note: TakeNote
}

interface Search {
  filter?: string
  startIndex?: string
  count?: string
  excludedAttributes?: string
}
type Found = { Params: { id: string }; Querystring: Search }

export function scimRoutes(deps: ScimRoutesDeps): Routes {
  const { authenticator, database, clock, publicUrl, note } = deps
  const failures = new RateLimiter(failuresPerSecond, failureBurst, clock)
  const people = createPeople(deps)

  const identify = async (request: FastifyRequest): Promise<void> => {
    try {
      const { team, serviceAccount } = await authenticator.record(bearerToken(request.headers.authorization))
      if (team === '' && serviceAccount === scimAccount) return
    } catch {
      // Answered below, whatever was wrong with it.
    }
    throw failures.take(request.ip) === undefined ? new ScimError(401, undefined, 'The token is not one of a directory, or has expired or was revoked.') : new ScimError(429, undefined, 'Too many requests with tokens that are not valid came from this address.')
  }

  return (app: FastifyInstance) => {
    app.post('/v1/scim/tokens', async ({ actor, body, ip, id: requestId }, reply) => {
      mustBeUnbounded(actor)
      if (!asGiver(actor).admin) throw fail('FORBIDDEN', { message: `${actor.name} may not make tokens for directories.`, fix: 'Ask an administrator of the platform.' })
      const given = body ?? {}
      if (!tokenRequest.Check(given)) throw fail('BAD_REQUEST', { message: 'A token for a directory takes { "description"?, "expiresInDays"? }.' })
      const { token, record } = await issueToken(database, clock, actor.name, { description: given.description ?? 'SCIM', team: '', serviceAccount: scimAccount, lifetimeMs: (given.expiresInDays ?? defaultLifetimeDays) * dayMs })
      note({ actor: actor.name, verb: 'create-token', name: record.id, reason: 'for a directory over SCIM', address: ip, requestId })
      reply.code(201)
      return { ...record, token, url: `${publicUrl()}/scim/v2` }
    })

    app.register((scope, _options, done) => {
      scope.addContentTypeParser(mediaType, { parseAs: 'string' }, (_request, body, parsed) => {
        try {
          parsed(null, JSON.parse(body as string))
        } catch {
          parsed(new ScimError(400, 'invalidSyntax', 'The body is not JSON.'))
        }
      })
      scope.addHook('preValidation', identify)
      scope.setErrorHandler((error, request, reply) => answerError(error, request, reply))
      addUsers(scope, people)
      addGroups(scope, people)
      addDescriptions(scope, publicUrl)
      done()
    })
  }
}

const config = { public: true, maxBodyBytes: mostBytes }

function answer(reply: FastifyReply, document: object | undefined, code = 200): FastifyReply {
  void reply.code(code).header('cache-control', 'no-store').type(mediaType)
  return reply.send(document === undefined ? undefined : JSON.stringify(document))
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, scimType, message } = error instanceof ScimError ? error : ofPlatform(error, request.id)
  return answer(reply, { schemas: [errorSchema], status: String(status), ...(scimType === undefined ? {} : { scimType }), detail: message }, status)
}

/** Our own refusals, for example of a field that does not fit its schema. */
function ofPlatform(error: unknown, requestId: string): ScimError {
  const { statusCode } = error as { statusCode?: number }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new ScimError(statusCode, 'invalidSyntax', 'The request could not be understood.')
  const { code, message } = asPaviorError(error, requestId)
  if (code === 'INVALID' || code === 'BAD_REQUEST') return new ScimError(400, 'invalidValue', message)
  return code === 'CONFLICT' || code === 'ALREADY_EXISTS' ? new ScimError(409, 'uniqueness', message) : new ScimError(500, undefined, 'The platform failed.')
}

/** Of all that match, the page that is asked for. */
function listed<R>(all: R[], query: Search, show: (each: R) => object): object {
  const { startIndex, count } = pageOf(query)
  const items = all.slice(startIndex - 1, startIndex - 1 + count)
  return { schemas: [listSchema], totalResults: all.length, startIndex, itemsPerPage: items.length, Resources: items.map(show) }
}

function addUsers(app: FastifyInstance, { users }: People): void {
  const show = (user: Resource<UserSpec>): object => users.show(user)
  app.get<Found>('/scim/v2/Users', { config }, async ({ query }, reply) => answer(reply, listed(users.list(query.filter === undefined ? undefined : parseFilter(query.filter, userFilters)), query, show)))
  app.get<Found>('/scim/v2/Users/:id', { config }, async ({ params }, reply) => answer(reply, show(users.get(params.id))))
  app.post('/scim/v2/Users', { config }, async ({ body }, reply) => answer(reply, show(await users.create(personOf(body))), 201))
  app.put<Found>('/scim/v2/Users/:id', { config }, async ({ params, body }, reply) => answer(reply, show(await users.write(users.get(params.id), () => personOf(body)))))
  app.patch<Found>('/scim/v2/Users/:id', { config }, async ({ params, body }, reply) => {
    const operations = operationsOf(body)
    return answer(reply, show(await users.write(users.get(params.id), (person) => patchPerson(person, operations))))
  })
  app.delete<Found>('/scim/v2/Users/:id', { config }, async ({ params }, reply) => {
    await users.remove(users.get(params.id))
    return answer(reply, undefined, 204)
  })
}

function addGroups(app: FastifyInstance, { groups }: People): void {
  const withMembers = ({ excludedAttributes = '' }: Search): boolean => !excludedAttributes.toLowerCase().split(',').includes('members')
  const show = (group: Resource<GroupSpec>): object => groups.show(group, true)
  app.get<Found>('/scim/v2/Groups', { config }, async ({ query }, reply) =>
    answer(reply, listed(groups.list(query.filter === undefined ? undefined : parseFilter(query.filter, groupFilters)), query, (group) => groups.show(group, withMembers(query)))),
  )
  app.get<Found>('/scim/v2/Groups/:id', { config }, async ({ params, query }, reply) => answer(reply, groups.show(groups.get(params.id), withMembers(query))))
  app.post('/scim/v2/Groups', { config }, async ({ body }, reply) => answer(reply, show(await groups.create(teamOf(body))), 201))
  app.put<Found>('/scim/v2/Groups/:id', { config }, async ({ params, body }, reply) => answer(reply, show(await groups.write(groups.get(params.id), () => teamOf(body)))))
  app.patch<Found>('/scim/v2/Groups/:id', { config }, async ({ params, body }, reply) => {
    const operations = operationsOf(body)
    return answer(reply, show(await groups.write(groups.get(params.id), (team) => patchTeam(team, operations))))
  })
  app.delete<Found>('/scim/v2/Groups/:id', { config }, async ({ params }, reply) => {
    await groups.remove(groups.get(params.id))
    return answer(reply, undefined, 204)
  })
}

const attribute = (name: string, type = 'string', more: object = {}): object => ({ name, type, multiValued: false, required: false, caseExact: false, mutability: 'readWrite', returned: 'default', uniqueness: 'none', ...more })

const schemas = [
  {
    id: userSchema,
    name: 'User',
    attributes: [
      attribute('userName', 'string', { required: true, uniqueness: 'server' }),
      attribute('displayName'),
      attribute('active', 'boolean'),
      attribute('emails', 'complex', { multiValued: true, subAttributes: [attribute('value'), attribute('type'), attribute('primary', 'boolean')] }),
      attribute('groups', 'complex', { multiValued: true, mutability: 'readOnly', subAttributes: [attribute('value'), attribute('display')] }),
    ],
  },
  { id: groupSchema, name: 'Group', attributes: [attribute('displayName', 'string', { required: true, uniqueness: 'server' }), attribute('members', 'complex', { multiValued: true, subAttributes: [attribute('value'), attribute('display')] })] },
].map((schema) => ({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'], ...schema, meta: { resourceType: 'Schema', location: `/scim/v2/Schemas/${schema.id}` } }))

function addDescriptions(app: FastifyInstance, publicUrl: () => string): void {
  const whole = (items: object[]): object => ({ schemas: [listSchema], totalResults: items.length, startIndex: 1, itemsPerPage: items.length, Resources: items })
  const resourceTypes = [['User', userSchema], ['Group', groupSchema]].map(([name, schema]) => ({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'], id: name, name, endpoint: `/${name}s`, schema, meta: { resourceType: 'ResourceType', location: `/scim/v2/ResourceTypes/${name}` } }))
  app.get('/scim/v2/ServiceProviderConfig', { config }, async (_request, reply) =>
    answer(reply, {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
      documentationUri: `${publicUrl()}/docs/identity`,
      patch: { supported: true },
      bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
      filter: { supported: true, maxResults: 200 },
      changePassword: { supported: false },
      sort: { supported: false },
      etag: { supported: false },
      authenticationSchemes: [{ type: 'oauthbearertoken', name: 'Bearer token', description: 'Made with: pavior scim token', primary: true }],
      meta: { resourceType: 'ServiceProviderConfig', location: '/scim/v2/ServiceProviderConfig' },
    }),
  )
  for (const [path, items] of [['ResourceTypes', resourceTypes], ['Schemas', schemas]] as [string, { id?: string }[]][]) {
    app.get(`/scim/v2/${path}`, { config }, async (_request, reply) => answer(reply, whole(items)))
    app.get<Found>(`/scim/v2/${path}/:id`, { config }, async ({ params }, reply) => {
      const one = items.find(({ id }) => id === params.id)
      if (!one) throw new ScimError(404, undefined, `There is no ${path.slice(0, -1)} "${params.id.slice(0, 80)}".`)
      return answer(reply, one)
    })
  }
}
