/** Documentation and APIs of apps, and the search over everything that the catalogue knows. */
import { fail, type AppSpec, type AppStatus, type Resource, type TemplateRunSpec, type TemplateRunStatus } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { systemActor, type Actor } from '../../../kernel/actor.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { readableTeams, type Resources } from '../../../kernel/resources/index.ts'
import { listEntities, readEntity, wordsOf } from '../entities/store.ts'
import type { DefinitionReader, Repositories } from '../ports.ts'
import type { ServingRelease } from '../serving.ts'
import { birthAnnotations } from '../templates/birth.ts'
import { editUrl, editUrlOf } from './edit.ts'
import { listApis, listPages, readApi, readPage, searchPages } from './store.ts'

const searchLimit = 10

type App = Resource<AppSpec, AppStatus>

const system = systemActor('catalog')

export interface DocsRoutesDeps {
  database: Database
  resources: Resources
  definitions: DefinitionReader
  repositories: Pick<Repositories, 'urlOf'>
  /** Release that serves. */
  serving: (app: App) => Promise<ServingRelease | undefined>
}

interface AppParams {
  team: string
  app: string
}

export function docsRoutes(deps: DocsRoutesDeps): Routes {
  const { database, resources, definitions } = deps
  const mustSee = (actor: Actor, { team, app }: AppParams): Promise<App> => resources.mustGet<App>(actor, { kind: 'App', namespace: team, name: app })

  return (server: FastifyInstance) => {
    server.get<{ Params: AppParams }>('/v1/teams/:team/apps/:app/docs', async ({ actor, params }) => {
      await mustSee(actor, params)
      return { items: await listPages(database, params.team, params.app) }
    })

    server.get<{ Params: AppParams & { '*': string } }>('/v1/teams/:team/apps/:app/docs/*', async ({ actor, params }) => {
      const app = await mustSee(actor, params)
      const page = await readPage(database, params.team, params.app, params['*'])
      if (!page) throw fail('NOT_FOUND', { message: `${params.app} has no page "${params['*'].slice(0, 200)}".` })
      return { ...page, edit: await editOf(deps, app, page.path) }
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
        searchPages(database, words, readableTeams(actor), searchLimit),
      ])
      return { entities, docs }
    })
  }
}

/** Where the page is edited: on the host of its repository, else in a clone of the one that is kept here. */
async function editOf({ database, resources, repositories, serving }: DocsRoutesDeps, app: App, path: string): Promise<{ url: string } | { commands: string[] } | undefined> {
  const { name, namespace: team = '', annotations = {} } = app.metadata
  const { release } = (await serving(app)) ?? {}
  const revision = release?.spec.revision
  const branch = revision?.branch ?? 'main'
  const entity = await readEntity(database, `component:${team}/${name}`)
  const said = editUrlOf(entity?.entity.metadata.annotations ?? {}, path, branch)
  if (said !== undefined) return { url: said }
  const clone = repositories.urlOf(team, name)
  const born = annotations[birthAnnotations.run]
  const run = born === undefined ? undefined : await resources.get<Resource<TemplateRunSpec, TemplateRunStatus>>(system, { kind: 'TemplateRun', namespace: team, name: born })
  const origin = run?.status?.repository
  const url = origin === undefined || origin === clone ? undefined : editUrl(origin, path, branch)
  if (url !== undefined) return { url }
  if (revision?.type !== 'git') return undefined
  const directory = app.spec.build?.directory
  return { commands: [`git clone ${clone} && cd ${name}`, `$EDITOR ${quoted(directory ? `${directory}/${path}` : path)}`, 'git commit --all && git push'] }
}

/** One word of a shell, whatever the path holds. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
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
