/** What was built from which inputs. */
import type { BuildStatus } from '@pavior/contract'
import type { Tx } from '../../kernel/db/index.ts'

export type Reusable = Pick<BuildStatus, 'builder' | 'summary' | 'artifact' | 'processes' | 'env' | 'mounts' | 'bin' | 'image' | 'declared'>

export async function findBuilt(tx: Tx, team: string, app: string, inputs: string): Promise<Reusable | undefined> {
  const { rows } = await tx.query<{ status: Reusable }>('select status from build_inputs where team = $1 and app = $2 and inputs = $3', [team, app, inputs], 'find-built')
  return rows[0]?.status
}

export async function rememberBuilt(tx: Tx, team: string, app: string, inputs: string, status: Reusable): Promise<void> {
  await tx.query(
    `insert into build_inputs (team, app, inputs, artifact, status) values ($1, $2, $3, $4, $5)
     on conflict (team, app, inputs) do update set artifact = excluded.artifact, status = excluded.status, at = now()`,
    [team, app, inputs, status.artifact, JSON.stringify(status)],
  )
}

/** After artifacts were removed: nothing may be reused that is not there. */
export async function forgetMissing(tx: Tx, artifacts: string[]): Promise<void> {
  await tx.query('delete from build_inputs where not (artifact = any($1::text[])) and at < now() - interval \'1 hour\'', [artifacts])
}

export async function nextBuildNumber(tx: Tx, team: string, app: string): Promise<number> {
  const { rows } = await tx.query<{ value: string }>(
    'insert into counters (name, value) values ($1, 1) on conflict (name) do update set value = counters.value + 1 returning value',
    [`build/${team}/${app}`],
    'next-build-number',
  )
  return Number(rows[0]!.value)
}
