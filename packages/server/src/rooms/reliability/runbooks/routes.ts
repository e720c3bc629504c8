/** Answers of people to a run. */
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Routes } from '../../../kernel/api/types.ts'
import { answer, cancel } from './commands.ts'
import { readLibrary } from './library.ts'
import type { RunbookDeps } from './reconcile.ts'

const answerRequest = Compile(
  Type.Object(
    { step: Type.Integer({ minimum: 0 }), approve: Type.Optional(Type.Boolean()), skip: Type.Optional(Type.Boolean()), choose: Type.Optional(Type.String({ maxLength: 200 })), note: Type.Optional(Type.String({ maxLength: 2000 })) },
    { additionalProperties: false },
  ),
)

interface Params {
  team: string
  name: string
}

export function runbookRoutes(deps: RunbookDeps & { library: string }): Routes {
  return (server: FastifyInstance) => {
    server.get('/v1/runbooks/library', async () => ({ items: await readLibrary(deps.library) }))
    server.post<{ Params: Params }>('/v1/teams/:team/runbookruns/:name/answer', async ({ actor, params, body }) => {
      if (!answerRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'An answer takes { "step": number, and one of "approve": true, "skip": true, "choose": option; "note"?: text }.' })
      return answer(deps, actor, params.team, params.name, body)
    })
    server.post<{ Params: Params }>('/v1/teams/:team/runbookruns/:name/cancel', ({ actor, params }) => cancel(deps, actor, params.team, params.name))
  }
}
