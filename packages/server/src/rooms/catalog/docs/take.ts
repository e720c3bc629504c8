/** Takes documentation and definitions of APIs out of the source of what serves. */
import { isPaviorError } from '@pavior/contract'
import type { Database } from '../../../kernel/db/index.ts'
import type { ApiFormat, DefinitionReader, Repositories, SourceFiles } from '../ports.ts'
import { apiPaths, docPaths, promisedFormat, titleOf } from './plan.ts'
import { datePages, keepApi, replacePages, undatedPages } from './store.ts'

const largestPage = 512 * 1024
const largestDefinition = 4 * 1024 * 1024

export interface Serving {
  team: string
  app: string
  release: number
  /** Digest of the source. */
  source: string
  /** Directory of the source that holds the app, when it is not the whole. */
  directory?: string
  /** Git commit that it was made of. */
  commit?: string
}

export interface TakeDeps {
  database: Database
  sources: SourceFiles
  definitions: DefinitionReader
}

export async function takeDocs({ database, sources, definitions }: TakeDeps, { team, app, release, source, directory }: Serving): Promise<void> {
  const prefix = directory === undefined ? '' : `${directory}/`
  const paths = (await sources.list(source, directory ?? '')).map(({ path }) => path.slice(prefix.length))
  const read = (path: string, largest: number): Promise<string | undefined> => sources.read(source, prefix + path, largest)
  const pages = []
  for (const path of docPaths(paths)) {
    const markdown = clean(await read(path, largestPage))
    if (markdown !== undefined) pages.push({ path, title: titleOf(path, markdown), markdown })
  }
  await replacePages(database, team, app, release, pages)
  for (const path of apiPaths(paths)) {
    const definition = clean(await read(path, largestDefinition))
    const api = definition === undefined ? undefined : await look(definitions, path, definition)
    if (api) await keepApi(database, team, app, { path, release, format: api.format, title: api.title, definition: definition! })
  }
}

/** When and by whom the pages were last changed, from the history of the repository. Does nothing while that is not here yet. */
export async function dateDocs({ database, repositories }: { database: Database; repositories: Pick<Repositories, 'lastTouched'> }, { team, app, commit, directory }: Serving): Promise<void> {
  if (commit === undefined) return
  const paths = await undatedPages(database, team, app, commit)
  if (paths.length === 0) return
  const prefix = directory === undefined ? '' : `${directory}/`
  const touched = await repositories.lastTouched(team, app, commit, paths.map((path) => prefix + path))
  if (touched === undefined) return
  await datePages(database, team, app, commit, paths.map((path) => ({ path, commit: undefined, author: undefined, at: undefined, ...touched.get(prefix + path) })))
}

/** One that takes more than it may is kept too: its page says why it is not shown. */
async function look(definitions: DefinitionReader, path: string, definition: string): Promise<{ format: ApiFormat; title: string } | undefined> {
  try {
    return await definitions.look(path, definition)
  } catch (error) {
    const format = promisedFormat(path)
    if (!isPaviorError(error) || error.code !== 'API_DEFINITION_INVALID' || format === undefined) throw error
    return { format, title: path }
  }
}

/** PostgreSQL keeps every character but this one. */
function clean(text: string | undefined): string | undefined {
  return text?.replaceAll('\u0000', '')
}
