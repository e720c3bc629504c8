/** Results of scorecards and their history. */
import type { CardResult, CardTrend } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { ScorecardResult } from './plan.ts'

/** Told with `team/app` whenever results of an app have changed. */
export const scorecardsChannel = 'pavior_scorecards'

export type ResultRow = Omit<CardResult, 'changedAt'> & { changedAt: Date }

const columns = 'team, app, scorecard, level, next, score, rules, changed_at as "changedAt"'

/** Replaces what was known of the app; scorecards that measure it no more go. */
export async function replaceResults(database: Database, team: string, app: string, results: Map<string, ScorecardResult>): Promise<void> {
  await database.transaction(async (tx) => {
    let { rowCount: changed } = await tx.query('delete from scorecard_results where team = $1 and app = $2 and not scorecard = any($3)', [team, app, [...results.keys()]])
    for (const [scorecard, { level, next, score, rules }] of results) {
      const { rowCount } = await tx.query(
        `insert into scorecard_results as r (team, app, scorecard, level, next, score, rules) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (team, app, scorecard) do update set level = excluded.level, next = excluded.next, score = excluded.score, rules = excluded.rules, changed_at = now()
         where (r.level, r.next, r.score, r.rules) is distinct from (excluded.level, excluded.next, excluded.score, excluded.rules)`,
        [team, app, scorecard, level ?? null, next ?? null, score, JSON.stringify(rules)],
      )
      changed += rowCount
      await tx.query(
        `insert into scorecard_history (day, team, app, scorecard, level, score) values (current_date, $1, $2, $3, $4, $5)
         on conflict (scorecard, team, app, day) do update set level = excluded.level, score = excluded.score`,
        [team, app, scorecard, level ?? null, score],
      )
    }
    if (changed > 0) await tx.query('select pg_notify($1, $2)', [scorecardsChannel, `${team}/${app}`])
  })
}

export async function resultsOfApp(tx: Tx, team: string, app: string): Promise<ResultRow[]> {
  return (await tx.query<ResultRow>(`select ${columns} from scorecard_results where team = $1 and app = $2 order by scorecard`, [team, app], 'results-of-app')).rows
}

/** The weakest first. */
export async function resultsOfCard(tx: Tx, scorecard: string, teams: string[] | undefined, limit: number): Promise<ResultRow[]> {
  const { rows } = await tx.query<ResultRow>(
    `select ${columns} from scorecard_results where scorecard = $1 and ($2::text[] is null or team = any($2)) order by score, team, app limit $3`,
    [scorecard, teams ?? null, limit],
    'results-of-card',
  )
  return rows
}

/** Mean score and apps by level of each of the last days. */
export async function trendOf(tx: Tx, scorecard: string, teams: string[] | undefined, days: number): Promise<CardTrend[]> {
  const { rows } = await tx.query(
    `select day::text as day, sum(count)::int as apps, round(sum(sum) / sum(count))::int as score, jsonb_object_agg(coalesce(level, ''), count) as levels
     from (select day, level, count(*)::int as count, sum(score) as sum from scorecard_history
       where scorecard = $1 and ($2::text[] is null or team = any($2)) and day > current_date - $3::int group by day, level) by_level
     group by day order by day`,
    [scorecard, teams ?? null, days],
    'scorecard-trend',
  )
  return rows as CardTrend[]
}

export async function forgetApp(database: Database, team: string, app: string): Promise<void> {
  await database.transaction(async (tx) => {
    for (const table of ['scorecard_results', 'scorecard_history', 'catalog_docs', 'catalog_apis']) await tx.query(`delete from ${table} where team = $1 and app = $2`, [team, app])
  })
}
