/** The team that runs the platform, and the objectives that it begins with. People change and delete them as any other; none comes back. */
import { platformTeam, type Resource, type TeamSpec } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { readLibrary } from '../runbooks/library.ts'
import { actor } from '../slo/evaluator.ts'
import { noteDrafted, wasDrafted } from '../slo/store.ts'
import { capabilities, sloOf } from './capabilities.ts'

export interface SeedDeps {
  database: Database
  resources: Resources
  /** Directory of the runbooks that Pavior brings. */
  library: string
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

export async function seedOnce({ database, resources, library }: SeedDeps): Promise<void> {
  const { uid } = (await platformTeamOf(resources)).metadata
  const books = await readLibrary(library)
  for (const capability of capabilities) {
    if (await wasDrafted(database, uid, capability.name)) continue
    const book = books.find(({ name }) => name === capability.runbook)
    await database.transaction(async (tx) => {
      if (book) await putUnlessThere(resources, 'Runbook', { metadata: { name: book.name }, spec: book.spec }, tx)
      await putUnlessThere(resources, 'Slo', { metadata: { name: capability.name, labels: { 'pavior.dev/capability': capability.name } }, spec: sloOf(capability) }, tx)
      await noteDrafted(tx, uid, capability.name)
    })
  }
}

async function putUnlessThere(resources: Resources, kind: string, fresh: { metadata: { name: string; labels?: Record<string, string> }; spec: object }, tx: Tx): Promise<void> {
  await resources.mutate(actor, { kind, namespace: platformTeam, name: fresh.metadata.name }, (current) => (current ?? fresh) as never, { upsert: true, tx })
}

async function platformTeamOf(resources: Resources): Promise<Resource<TeamSpec>> {
  const key = { kind: 'Team', namespace: '', name: platformTeam }
  const found = await resources.get<Resource<TeamSpec>>(actor, key)
  if (found) return found
  await resources.create<Resource<TeamSpec>>(actor, 'Team', '', { metadata: { name: platformTeam }, spec: { displayName: 'Platform', members: [] } }).catch(ignore('ALREADY_EXISTS'))
  return resources.mustGet<Resource<TeamSpec>>(actor, key)
}
