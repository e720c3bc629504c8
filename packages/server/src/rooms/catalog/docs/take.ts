/** Takes documentation and definitions of APIs out of the source of what serves. */
import type { Database } from '../../../kernel/db/index.ts'
import type { SourceFiles } from '../ports.ts'
import { apiPaths, docPaths, readApi, titleOf } from './plan.ts'
import { keepApi, replacePages } from './store.ts'

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
}

export async function takeDocs(database: Database, sources: SourceFiles, { team, app, release, source, directory }: Serving): Promise<void> {
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
    const api = definition === undefined ? undefined : readApi(path, definition)
    if (api) await keepApi(database, team, app, { path, release, format: api.format, title: api.title, definition: definition! })
  }
}

/** PostgreSQL keeps every character but this one. */
function clean(text: string | undefined): string | undefined {
  return text?.replaceAll('\u0000', '')
}
