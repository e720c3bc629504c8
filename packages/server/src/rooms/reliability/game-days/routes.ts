/** What people do with game days, beyond writing them down. */
import { fail, GameDayVerdict } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Routes } from '../../../kernel/api/types.ts'
import { again, judgeIt, start, stop, type CommandDeps } from './commands.ts'
import { readGameDays } from './library.ts'

const verdictRequest = Compile(Type.Pick(GameDayVerdict, ['result', 'text', 'actions'], { additionalProperties: false }))

interface Params {
  team: string
  name: string
}

export function gameDayRoutes(deps: CommandDeps & { library: string }): Routes {
  return (server: FastifyInstance) => {
    server.get('/v1/gamedays/library', async () => ({ items: await readGameDays(deps.library) }))
    server.post<{ Params: Params }>('/v1/teams/:team/gamedays/:name/start', ({ actor, params }) => start(deps, actor, params.team, params.name))
    server.post<{ Params: Params }>('/v1/teams/:team/gamedays/:name/stop', ({ actor, params }) => stop(deps, actor, params.team, params.name))
    server.post<{ Params: Params }>('/v1/teams/:team/gamedays/:name/again', ({ actor, params }) => again(deps, actor, params.team, params.name))
    server.post<{ Params: Params }>('/v1/teams/:team/gamedays/:name/verdict', async ({ actor, params, body }) => {
      if (!verdictRequest.Check(body)) throw fail('BAD_REQUEST', { message: 'A verdict takes { "result": "held" or "refuted", "text": "…", "actions"?: [{ "title": "…", "owner"?, "due"?, "state"?, "link"? }] }.' })
      return judgeIt(deps, actor, params.team, params.name, body)
    })
  }
}
