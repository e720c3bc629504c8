/** Versions of secrets, who had to do with them, and the master key. Values go in here and come out nowhere. */
import { fail, isPaviorError, secretFileBytes } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { sendLines } from '../../kernel/api/lines.ts'
import type { Routes } from '../../kernel/api/types.ts'
import { addVersion, revokeVersion, useVersion, type CommandDeps } from './commands.ts'
import { usersOf } from './reconcile.ts'
import type { Rekey } from './rekey.ts'
import { listAccesses } from './store.ts'
import type { Secret } from './plan.ts'

const mostAccesses = 500
/** Base64 takes a third more, and JSON may write every byte as an escape of six. */
const maxBodyBytes = secretFileBytes * 6 + 1024

const newVersion = Compile(
  Type.Object(
    { value: Type.String({ minLength: 1 }), encoding: Type.Optional(Type.Enum(['text', 'base64'])), store: Type.Optional(Type.Boolean()) },
    { additionalProperties: false },
  ),
)
const useRequest = Compile(Type.Object({ version: Type.Union([Type.Integer({ minimum: 1 }), Type.Enum(['previous', 'newest'])]) }, { additionalProperties: false }))

interface SecretParams {
  team: string
  name: string
}

export function secretRoutes(deps: CommandDeps & { rekey: Rekey }): Routes {
  const { database, resources, rekey } = deps
  return (server: FastifyInstance) => {
    server.post<{ Params: SecretParams }>('/v1/teams/:team/secrets/:name/versions', { config: { holdsSecret: true, maxBodyBytes } }, async ({ actor, params, body }, reply) => {
      if (!newVersion.Check(body)) throw fail('BAD_REQUEST', { message: 'A version takes { "value": text, "encoding"?: "text" or "base64", "store"?: true }.' })
      const secret = await addVersion(deps, actor, params.team, params.name, body)
      reply.code(201)
      return secret
    })

    server.post<{ Params: SecretParams }>('/v1/teams/:team/secrets/:name/use', async ({ actor, params, body }) => {
      if (!useRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'Say which version to put in force: { "version": number, "previous" or "newest" }.' })
      return useVersion(deps, actor, params.team, params.name, body.version)
    })

    server.post<{ Params: SecretParams & { version: string } }>('/v1/teams/:team/secrets/:name/versions/:version/revoke', async ({ actor, params }) => {
      const version = Number(params.version)
      if (!Number.isInteger(version) || version < 1) throw fail('BAD_REQUEST', { message: `"${params.version.slice(0, 20)}" is no number of a version.` })
      return revokeVersion(deps, actor, params.team, params.name, version, (uid, used) => usersOf(resources, params.team, uid, used))
    })

    server.get<{ Params: SecretParams }>('/v1/teams/:team/secrets/:name/access', async ({ actor, params }) => {
      const { metadata } = await resources.mustGet<Secret>(actor, { kind: 'Secret', namespace: params.team, name: params.name })
      return { items: await listAccesses(database, metadata.uid, mostAccesses) }
    })

    server.post('/v1/secrets/rekey', async ({ actor }, reply) => {
      if (!actor.admin) throw fail('FORBIDDEN', { message: `${actor.name} may not change the master key.`, why: 'It is for administrators of the platform.', fix: 'Ask one of them.' })
      return sendLines(reply, (write, signal) => rekey.run(write, signal), { lastLine: (error) => ({ error: (isPaviorError(error) ? error : fail('INTERNAL', 'The master key could not be changed.')).toObject() }) })
    })
  }
}
