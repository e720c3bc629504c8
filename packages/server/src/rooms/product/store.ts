/** Milestones of people. A milestone is reached once; what is known of it stays. */
import type { Database, Tx } from '../../kernel/db/index.ts'
import type { Milestone, Milestones } from './plan.ts'

/** How far the audit was read; its rows are numbered in the order of the writes. */
const cursor = 'milestones: audit'

/** What rows of the audit say of people who act. */
const readAudit = `insert into milestones (username, milestone, at)
  select substr(actor, 6), milestone, min(at) from (
    select actor, at, case
      when kind = 'Build' and verb = 'create' then 'built'
      when kind = 'App' and verb in ('update', 'patch') then 'changed'
      when kind = 'User' and verb = 'create' then 'invited-somebody'
      when kind = 'Team' and verb in ('create', 'update', 'patch') then 'shaped-team'
      when kind = 'ScorecardExemption' and verb = 'create' then 'exempted' end as milestone
    from audit where id > $1 and id <= $2 and actor like 'user:%') did
  where milestone is not null group by actor, milestone on conflict do nothing`

/** Takes in what was audited since the last time; two at once take turns. */
export async function takeAudit(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query(`insert into counters (name, value) values ('${cursor}', 0) on conflict do nothing`)
    const { rows } = await tx.query<{ taken: string; last: string | null }>(`select value as taken, (select max(id) from audit) as last from counters where name = '${cursor}' for update`)
    const { taken, last } = rows[0]!
    if (last === null || BigInt(last) <= BigInt(taken)) return
    await tx.query(readAudit, [taken, last])
    await tx.query(`update counters set value = $1 where name = '${cursor}'`, [last])
  })
}

export async function note(database: Database, username: string, milestone: Milestone, at: Date): Promise<void> {
  await database.query('insert into milestones (username, milestone, at) values ($1, $2, $3) on conflict do nothing', [username, milestone, at])
}

/** Who made this build, as the audit has it; undefined for a token, or when the row is gone. */
export async function makerOfBuild(tx: Tx, team: string, build: string): Promise<string | undefined> {
  const { rows } = await tx.query<{ actor: string }>(`select actor from audit where kind = 'Build' and namespace = $1 and name = $2 order by id limit 1`, [team, build])
  return rows[0]?.actor.startsWith('user:') ? rows[0].actor.slice('user:'.length) : undefined
}

export async function milestonesOf(tx: Tx, username: string): Promise<Milestones> {
  const { rows } = await tx.query<{ milestone: Milestone; at: Date }>('select milestone, at from milestones where username = $1', [username])
  return Object.fromEntries(rows.map(({ milestone, at }) => [milestone, at]))
}

export async function everyone(tx: Tx): Promise<Map<string, Milestones>> {
  const { rows } = await tx.query<{ username: string; milestone: Milestone; at: Date }>('select username, milestone, at from milestones')
  const all = new Map<string, Milestones>()
  for (const { username, milestone, at } of rows) all.set(username, { ...all.get(username), [milestone]: at })
  return all
}
