/** Records of artifacts and imported advisories. */
import type { AdvisoryState, ArtifactComponent, SecretFinding } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import type { Advisory } from './osv.ts'
import type { Envelope } from './statement.ts'

export interface ArtifactRecord {
  team: string
  app: string
  digest: string
  build: string
  at: Date
  components: ArtifactComponent[]
  secrets: SecretFinding[]
  envelope: Envelope
}

const columns = 'team, app, digest, build, at, components, secrets, envelope'

export async function readRecord(tx: Tx, team: string, app: string, digest: string): Promise<ArtifactRecord | undefined> {
  return (await tx.query<ArtifactRecord>(`select ${columns} from artifact_records where team = $1 and app = $2 and digest = $3`, [team, app, digest], 'read-artifact-record')).rows[0]
}

/** Of the signed statement alone: components may be many. */
export async function readEnvelope(tx: Tx, team: string, app: string, digest: string): Promise<Envelope | undefined> {
  return (await tx.query<{ envelope: Envelope }>('select envelope from artifact_records where team = $1 and app = $2 and digest = $3', [team, app, digest], 'read-artifact-envelope')).rows[0]?.envelope
}

export async function readSbom(tx: Tx, team: string, app: string, digest: string): Promise<string | undefined> {
  return (await tx.query<{ sbom: string }>('select sbom from artifact_records where team = $1 and app = $2 and digest = $3', [team, app, digest])).rows[0]?.sbom
}

/** The first build that made it stays: it is the one whose statement was signed. */
export async function keepRecord(database: Database, { team, app, digest, build, components, secrets, envelope }: Omit<ArtifactRecord, 'at'>, sbom: string): Promise<void> {
  await database.write(
    `insert into artifact_records (team, app, digest, build, components, secrets, sbom, envelope) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [team, app, digest, build, JSON.stringify(components), JSON.stringify(secrets), sbom, JSON.stringify(envelope)],
  )
}

export interface RecordSummary {
  digest: string
  build: string
  at: Date
  components: number
  secrets: number
}

/** The newest first. */
export async function listRecords(tx: Tx, team: string, app: string, limit: number): Promise<RecordSummary[]> {
  return (
    await tx.query<RecordSummary>(
      `select digest, build, at, jsonb_array_length(components) as components, jsonb_array_length(secrets) as secrets from artifact_records where team = $1 and app = $2 order by at desc limit $3`,
      [team, app, limit],
    )
  ).rows
}

/** Of an app that is gone. */
export async function forgetRecords(database: Database, team: string, app: string): Promise<void> {
  await database.write('delete from artifact_records where team = $1 and app = $2', [team, app])
}

export async function advisoriesOf(tx: Tx, components: readonly ArtifactComponent[]): Promise<Advisory[]> {
  const packages = [...new Map(components.map(({ ecosystem, name }) => [`${ecosystem} ${name}`, { ecosystem, name }])).values()]
  if (packages.length === 0) return []
  const { rows } = await tx.query<{ data: Advisory }>(
    'select a.data from advisories a join unnest($1::text[], $2::text[]) as p (ecosystem, package) on a.ecosystem = p.ecosystem and a.package = p.package order by a.id',
    [packages.map(({ ecosystem }) => ecosystem), packages.map(({ name }) => name)],
    'advisories-of',
  )
  return rows.map(({ data }) => data)
}

export async function advisoryStates(tx: Tx): Promise<AdvisoryState[]> {
  const { rows } = await tx.query('select ecosystem, advisories, imported_at, newest_at from advisory_imports order by ecosystem', [], 'advisory-states')
  return rows.map(({ ecosystem, advisories, imported_at: imported, newest_at: newest }) => ({ ecosystem, advisories, importedAt: imported.toISOString(), newestAt: newest.toISOString() }))
}

export async function nextImport(tx: Tx): Promise<string> {
  return (await tx.query<{ number: string }>(`select nextval('advisory_import_numbers')::text as number`)).rows[0]!.number
}

export async function addAdvisories(tx: Tx, number: string, entries: readonly { ecosystem: string; package: string; id: string; data: Advisory }[]): Promise<void> {
  await tx.query(
    `insert into advisories (ecosystem, package, id, import, data) select e.ecosystem, e.package, e.id, $1, e.data from jsonb_to_recordset($2::jsonb) as e (ecosystem text, package text, id text, data jsonb)
     on conflict (ecosystem, package, id, import) do update set data = excluded.data`,
    [number, JSON.stringify(entries)],
  )
}

/** What an import did not bring again of these ecosystems was taken back by whoever published it. */
export async function endImport(tx: Tx, number: string, ecosystems: ReadonlyMap<string, { advisories: number; newest: string }>): Promise<void> {
  // Of two at once the second to end sees, and replaces, what the first brought.
  await tx.query('lock table advisory_imports in share row exclusive mode')
  for (const [ecosystem, { advisories, newest }] of ecosystems) {
    await tx.query(`delete from advisories where split_part(ecosystem, ':', 1) = $1 and import <> $2`, [ecosystem, number])
    await tx.query(
      `insert into advisory_imports (ecosystem, advisories, imported_at, newest_at) values ($1, $2, now(), $3)
       on conflict (ecosystem) do update set advisories = excluded.advisories, imported_at = excluded.imported_at, newest_at = excluded.newest_at`,
      [ecosystem, advisories, newest],
    )
  }
}
