/** Pages and definitions of APIs, as of the newest release that serves. */
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { ApiFormat } from '../ports.ts'

export interface Page {
  path: string
  title: string
  markdown: string
}

export interface PageRow {
  path: string
  title: string
  /** That brought the page as it is. */
  release: number
  /** Of the commit; of the release where no commit is known. */
  changedAt: Date
  commit: string | null
  author: string | null
}

const row = 'path, title, release, coalesce(committed_at, changed_at) as "changedAt", commit, author'

/** Replaces the pages of an app; what did not change keeps its age. */
export async function replacePages(database: Database, team: string, app: string, release: number, pages: Page[]): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('delete from catalog_docs where team = $1 and app = $2 and not path = any($3)', [team, app, pages.map(({ path }) => path)])
    if (pages.length === 0) return
    await tx.query(
      `insert into catalog_docs as d (team, app, path, title, markdown, release, words)
       select $1, $2, path, title, markdown, $3, setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', left(markdown, 100000))
       from jsonb_to_recordset($4::jsonb) as p (path text, title text, markdown text)
       on conflict (team, app, path) do update set title = excluded.title, markdown = excluded.markdown, release = excluded.release, words = excluded.words, changed_at = now(), commit = null, committed_at = null, author = null, history = null
       where d.markdown <> excluded.markdown`,
      [team, app, release, JSON.stringify(pages)],
    )
  })
}

export async function listPages(tx: Tx, team: string, app: string): Promise<PageRow[]> {
  return (await tx.query<PageRow>(`select ${row} from catalog_docs where team = $1 and app = $2 order by path`, [team, app], 'list-pages')).rows
}

export async function readPage(tx: Tx, team: string, app: string, path: string): Promise<(PageRow & { markdown: string }) | undefined> {
  return (await tx.query<PageRow & { markdown: string }>(`select ${row}, markdown from catalog_docs where team = $1 and app = $2 and path = $3`, [team, app, path], 'read-page-of-docs')).rows[0]
}

/** Paths of pages that no history up to this commit was looked through for. */
export async function undatedPages(tx: Tx, team: string, app: string, commit: string): Promise<string[]> {
  return (await tx.query<{ path: string }>('select path from catalog_docs where team = $1 and app = $2 and history is distinct from $3', [team, app, commit], 'undated-pages')).rows.map(({ path }) => path)
}

/** A clock that is ahead makes nothing younger than now. */
export async function datePages(database: Database, team: string, app: string, history: string, pages: { path: string; commit: string | undefined; author: string | undefined; at: string | undefined }[]): Promise<void> {
  await database.write(
    `update catalog_docs d set commit = p.commit, author = p.author, committed_at = least(p.at, now()), history = $3
     from jsonb_to_recordset($4::jsonb) as p (path text, commit text, author text, at timestamptz) where d.team = $1 and d.app = $2 and d.path = p.path`,
    [team, app, history, JSON.stringify(pages)],
  )
}

/** Pages that hold all words, with the lines around them. */
export async function searchPages(tx: Tx, words: string, teams: string[] | undefined, limit: number): Promise<{ team: string; app: string; path: string; title: string; excerpt: string }[]> {
  const { rows } = await tx.query(
    `select team, app, path, title, ts_headline('simple', left(markdown, 20000), query, 'MaxWords=24, MinWords=8, StartSel=«, StopSel=»') as excerpt
     from (select d.*, query from catalog_docs d, to_tsquery('simple', $1) query where words @@ query and ($2::text[] is null or team = any($2)) order by ts_rank(words, query) desc limit $3) found`,
    [words, teams ?? null, limit],
    'search-docs',
  )
  return rows as never
}

export interface ApiRow {
  path: string
  release: number
  format: ApiFormat
  title: string
  at: Date
}

/** Keeps a definition when it differs from the newest that is kept. */
export async function keepApi(database: Database, team: string, app: string, api: { path: string; release: number; format: ApiFormat; title: string; definition: string }): Promise<void> {
  await database.write(
    `insert into catalog_apis (team, app, path, release, format, title, definition) select $1, $2, $3, $4, $5, $6, $7
     where $7 is distinct from (select definition from catalog_apis where team = $1 and app = $2 and path = $3 order by release desc limit 1)
     on conflict (team, app, path, release) do update set format = excluded.format, title = excluded.title, definition = excluded.definition`,
    [team, app, api.path, api.release, api.format, api.title, api.definition],
  )
}

/** Every kept definition, the newest of each file first. */
export async function listApis(tx: Tx, team: string, app: string): Promise<ApiRow[]> {
  return (await tx.query<ApiRow>('select path, release, format, title, at from catalog_apis where team = $1 and app = $2 order by path, release desc', [team, app], 'list-apis')).rows
}

/** The definition as it was with this release; the newest when none is given. */
export async function readApi(tx: Tx, team: string, app: string, path: string, release: number | undefined): Promise<(ApiRow & { definition: string }) | undefined> {
  const { rows } = await tx.query<ApiRow & { definition: string }>(
    'select path, release, format, title, at, definition from catalog_apis where team = $1 and app = $2 and path = $3 and release <= $4 order by release desc limit 1',
    [team, app, path, release ?? 2_147_483_647],
    'read-api',
  )
  return rows[0]
}
