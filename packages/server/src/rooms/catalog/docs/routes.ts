/** Documentation and APIs of apps, and the search over everything that the catalogue knows. */
import { fail } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import type { Actor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import type { DefinitionReader } from '../ports.ts'
import { listEntities, wordsOf } from '../entities/store.ts'
import { listApis, listPages, readApi, readPage, searchPages } from './store.ts'

const searchLimit = 10

interface AppParams {
  team: string
  app: string
}

export function docsRoutes({ database, resources, definitions }: { database: Database; resources: Resources; definitions: DefinitionReader }): Routes {
  const mustSee = (actor: Actor, { team, app }: AppParams): Promise<unknown> => resources.mustGet(actor, { kind: 'App', namespace: team, name: app })

  return (server: FastifyInstance) => {
    server.get<{ Params: AppParams }>('/v1/teams/:team/apps/:app/docs', async ({ actor, params }) => {
      await mustSee(actor, params)
      return { items: await listPages(database, params.team, params.app) }
    })

    server.get<{ Params: AppParams & { '*': string } }>('/v1/teams/:team/apps/:app/docs/*', async ({ actor, params }) => {
      await mustSee(actor, params)
      const page = await readPage(database, params.team, params.app, params['*'])
      if (!page) throw fail('NOT_FOUND', { message: `${params.app} has no page "${params['*'].slice(0, 200)}".` })
      return page
    })

    server.get<{ Params: AppParams }>('/v1/teams/:team/apps/:app/apis', async ({ actor, params }) => {
      await mustSee(actor, params)
      return { items: await listApis(database, params.team, params.app) }
    })

    server.get<{ Params: AppParams; Querystring: { path?: string; release?: string } }>('/v1/teams/:team/apps/:app/apis/definition', async ({ actor, params, query }) => {
      await mustSee(actor, params)
      return mustRead(database, params, query.path, releaseOf(query.release))
    })

    server.get<{ Params: AppParams; Querystring: { path?: string; release?: string } }>('/v1/teams/:team/apps/:app/apis/view', async ({ actor, params, query, signal }) => {
      await mustSee(actor, params)
      return definitions.view(await mustRead(database, params, query.path, releaseOf(query.release)), signal)
    })

    server.get<{ Params: AppParams; Querystring: { path?: string; from?: string; to?: string } }>('/v1/teams/:team/apps/:app/apis/diff', async ({ actor, params, query, signal }) => {
      await mustSee(actor, params)
      const after = await mustRead(database, params, query.path, releaseOf(query.to))
      const before = await mustRead(database, params, query.path, query.from === undefined ? after.release - 1 : releaseOf(query.from))
      const changes = await definitions.diff(before, after, signal)
      return { from: before.release, to: after.release, breaking: changes.some((change) => change.breaking), changes }
    })

    server.get<{ Querystring: { q?: string } }>('/v1/search', async ({ actor, query }) => {
      const words = wordsOf(query.q)
      if (words === undefined || actor.app !== undefined) return { entities: [], docs: [] }
      const [entities, docs] = await Promise.all([
        listEntities(database, { q: query.q, limit: searchLimit }),
        searchPages(database, words, actor.admin ? undefined : [...actor.roles.keys()], searchLimit),
      ])
      return { entities, docs }
    })
  }
}

async function mustRead(database: Database, { team, app }: AppParams, path: string | undefined, release: number | undefined): Promise<NonNullable<Awaited<ReturnType<typeof readApi>>>> {
  if (path === undefined) throw fail('BAD_REQUEST', { message: 'The path of the definition is missing.', fix: 'Add ?path=openapi.yaml, as the list of APIs has it.' })
  const found = await readApi(database, team, app, path, release)
  if (!found) throw fail('NOT_FOUND', { message: `${app} has no definition "${path.slice(0, 200)}"${release === undefined ? '' : ` with release v${release} or before`}.` })
  return found
}

function releaseOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text.replace(/^v/, ''))
  if (!Number.isInteger(number) || number < 1) throw fail('BAD_REQUEST', { message: `"${text}" is not the number of a release.` })
  return number
}
