/** Decisions and findings. */
import type { PolicyFinding, PolicyVerdict } from '@pavior/contract'
import type { Database, Tx } from '../../kernel/db/index.ts'

export interface DecisionRow {
  policy: string
  rule: string
  mode: string
  outcome: string
  denied: boolean
  point: string
  actor: string
  team: string
  app: string
  kind: string
  name: string
  environment: string
  message: string
}

const decisionColumns = 'policy, rule, mode, outcome, denied, point, actor, team, app, kind, name, environment, message'
const decisionTypes = 'policy text, rule text, mode text, outcome text, denied boolean, point text, actor text, team text, app text, kind text, name text, environment text, message text'

export async function recordDecisions(database: Tx, rows: DecisionRow[]): Promise<void> {
  await database.query(`insert into policy_decisions (${decisionColumns}) select ${decisionColumns} from jsonb_to_recordset($1::jsonb) as r(${decisionTypes})`, [JSON.stringify(rows)], 'record-decisions')
}

export interface DecisionFilter {
  policy?: string
  team?: string
  app?: string
  kind?: string
  name?: string
}

/** The newest first. */
export async function listDecisions(database: Tx, teams: string[] | undefined, { policy, team, app, kind, name }: DecisionFilter, limit: number): Promise<(DecisionRow & { at: Date })[]> {
  const { rows } = await database.query(
    `select at, ${decisionColumns} from policy_decisions where ($1::text[] is null or team = any($1)) and ($2::text is null or policy = $2)
       and ($3::text is null or team = $3) and ($4::text is null or app = $4) and ($5::text is null or kind = $5) and ($6::text is null or name = $6) order by at desc limit $7`,
    [teams ?? null, policy ?? null, team ?? null, app ?? null, kind ?? null, name ?? null, limit],
    'list-decisions',
  )
  return rows as (DecisionRow & { at: Date })[]
}

/** Forgets decisions older than this. */
export async function pruneDecisions(database: Tx, keepMs: number): Promise<void> {
  await database.query('delete from policy_decisions where at < now() - make_interval(secs => $1)', [keepMs / 1000], 'prune-decisions')
}

export interface Finding {
  kind: string
  name: string
  environment: string
  verdict: PolicyVerdict
}

/** Replaces what was found of the app (empty: of the team itself); what stays keeps its beginning. */
export async function replaceFindings(database: Database, team: string, app: string, findings: Finding[]): Promise<void> {
  const rows = findings.map(({ kind, name, environment, verdict }) => ({ kind, name, environment, policy: verdict.policy, rule: verdict.rule, outcome: verdict.outcome, verdict }))
  await database.transaction(async (tx) => {
    await tx.query(
      `delete from policy_findings f where team = $1 and app = $2 and not exists (
         select 1 from jsonb_to_recordset($3::jsonb) as r(kind text, name text, environment text, policy text, rule text)
         where (r.kind, r.name, r.environment, r.policy, r.rule) = (f.kind, f.name, f.environment, f.policy, f.rule))`,
      [team, app, JSON.stringify(rows)],
    )
    await tx.query(
      `insert into policy_findings as f (team, app, kind, name, environment, policy, rule, outcome, verdict)
       select $1, $2, kind, name, environment, policy, rule, outcome, verdict from jsonb_to_recordset($3::jsonb) as r(kind text, name text, environment text, policy text, rule text, outcome text, verdict jsonb)
       on conflict (team, app, kind, name, environment, policy, rule) do update set outcome = excluded.outcome, verdict = excluded.verdict,
         since = case when f.outcome = excluded.outcome then f.since else now() end
       where (f.outcome, f.verdict) is distinct from (excluded.outcome, excluded.verdict)`,
      [team, app, JSON.stringify(rows)],
    )
  })
}

export async function listFindings(database: Tx, teams: string[] | undefined, { team, app, policy }: DecisionFilter, limit: number): Promise<PolicyFinding[]> {
  const { rows } = await database.query(
    `select team, app, kind, name, environment, verdict, since from policy_findings where ($1::text[] is null or team = any($1)) and ($2::text is null or team = $2)
       and ($3::text is null or app = $3) and ($4::text is null or policy = $4)
     order by array_position(array['critical', 'high', 'medium', 'low'], verdict ->> 'severity'), team, app, policy, rule limit $5`,
    [teams ?? null, team ?? null, app ?? null, policy ?? null, limit],
    'list-findings',
  )
  return rows.map(({ verdict, since, ...where }) => ({ ...where, ...verdict, since: since.toISOString() })) as PolicyFinding[]
}

/** Broken and excepted findings by policy. */
export async function countFindings(database: Tx, teams: string[] | undefined): Promise<{ policy: string; outcome: string; count: number }[]> {
  const { rows } = await database.query(
    `select policy, outcome, count(*)::int as count from policy_findings where ($1::text[] is null or team = any($1)) group by policy, outcome`,
    [teams ?? null],
    'count-findings',
  )
  return rows as { policy: string; outcome: string; count: number }[]
}
