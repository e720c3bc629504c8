/** The team that runs the platform, and the objectives that it begins with. People change and delete them as any other; none comes back. */
import { platformTeam, type Resource, type TeamSpec } from '@pavior/contract'
import type { Database } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { actor } from '../slo/evaluator.ts'
import { noteDrafted, wasDrafted } from '../slo/store.ts'
import { capabilities, sloOf } from './capabilities.ts'

export interface SeedDeps {
  database: Database
  resources: Resources
}

/** Does its work once; what failed is done by the next call. */
export function createPlatformSeed(deps: SeedDeps): () => Promise<void> {
  let seeded = false
  return async () => {
    if (seeded) return
    // A team that was just made is known to all a moment later.
    await seedOnce(deps).then(() => (seeded = true), ignore('NOT_FOUND'))
  }
}

export async function seedOnce({ database, resources }: SeedDeps): Promise<void> {
  const { uid } = (await platformTeamOf(resources)).metadata
  for (const capability of capabilities) {
    if (await wasDrafted(database, uid, capability.name)) continue
    await database.transaction(async (tx) => {
      const metadata = { name: capability.name, labels: { 'pavior.dev/capability': capability.name } }
      await resources.mutate(actor, { kind: 'Slo', namespace: platformTeam, name: capability.name }, (current) => (current as never) ?? { metadata, spec: sloOf(capability) }, { upsert: true, tx })
      await noteDrafted(tx, uid, capability.name)
    })
  }
}

async function platformTeamOf(resources: Resources): Promise<Resource<TeamSpec>> {
  const key = { kind: 'Team', namespace: '', name: platformTeam }
  const found = await resources.get<Resource<TeamSpec>>(actor, key)
  if (found) return found
  await resources.create<Resource<TeamSpec>>(actor, 'Team', '', { metadata: { name: platformTeam }, spec: { displayName: 'Platform', members: [] } }).catch(ignore('ALREADY_EXISTS'))
  return resources.mustGet<Resource<TeamSpec>>(actor, key)
}
