/** What a team has, counted as one transaction sees it. */
import type { Resource } from '@pavior/contract'
import type { Tx } from '../../../kernel/db/index.ts'

export async function countKind(tx: Tx, team: string, kind: string): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(`select count(*)::int as count from resources where kind = $1 and namespace = $2`, [kind, team], 'quota-count')
  return rows[0]!.count
}

export async function countSince(tx: Tx, team: string, kind: string, since: Date): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `select count(*)::int as count from resources where kind = $1 and namespace = $2 and (object -> 'metadata' ->> 'creationTimestamp')::timestamptz > $3`,
    [kind, team, since],
    'quota-count-since',
  )
  return rows[0]!.count
}

export async function appsOf(tx: Tx, team: string): Promise<Resource[]> {
  const { rows } = await tx.query<{ object: Resource }>(`select object from resources where kind = 'App' and namespace = $1`, [team], 'quota-apps')
  return rows.map(({ object }) => object)
}

/** Deployments that have not ended, oldest first. */
export async function openDeployments(tx: Tx, team: string): Promise<Resource[]> {
  const { rows } = await tx.query<{ object: Resource }>(
    `select object from resources where kind = 'Deployment' and namespace = $1 and object -> 'status' -> 'finishedAt' is null order by rv`,
    [team],
    'quota-deployments',
  )
  return rows.map(({ object }) => object)
}

export async function releasesOf(tx: Tx, team: string, names: string[]): Promise<Resource[]> {
  const { rows } = await tx.query<{ object: Resource }>(`select object from resources where kind = 'Release' and namespace = $1 and name = any($2)`, [team, names], 'quota-releases')
  return rows.map(({ object }) => object)
}
