/** Versions of templates with their files, and sealed secrets of runs. */
import type { TemplateSpec } from '@pavior/contract'
import { fail } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { digestOf, pack, unpack, type Tree } from './tree.ts'

export interface TemplateVersion {
  team: string
  name: string
  version: string
  manifest: TemplateSpec
  files: Tree
}

/** Keeps a version. The same again is nothing; another content under the same version is TEMPLATE_VERSION_EXISTS. Returns whether it is new. */
export async function keepVersion(tx: Tx, { team, name, version, manifest, files }: TemplateVersion, notes: string | undefined): Promise<boolean> {
  const digest = digestOf(files)
  const { rowCount } = await tx.query(
    'insert into template_versions (team, name, version, manifest, content, digest, notes) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing',
    [team, name, version, JSON.stringify(manifest), pack(files), digest, notes ?? null],
  )
  if (rowCount > 0) return true
  const { rows } = await tx.query<{ digest: string }>('select digest from template_versions where team = $1 and name = $2 and version = $3', [team, name, version])
  if (rows[0]?.digest !== digest) throw fail('TEMPLATE_VERSION_EXISTS', { message: `Version ${version} of the template ${name} is here already, with other files.` })
  return false
}

export async function readVersion(tx: Tx, team: string, name: string, version: string): Promise<TemplateVersion | undefined> {
  const { rows } = await tx.query<{ manifest: TemplateSpec; content: Buffer }>('select manifest, content from template_versions where team = $1 and name = $2 and version = $3', [team, name, version])
  return rows[0] && { team, name, version, manifest: rows[0].manifest, files: unpack(rows[0].content) }
}

export async function listVersions(tx: Tx, team: string, name: string): Promise<{ version: string; registeredAt: string; notes?: string }[]> {
  const { rows } = await tx.query<{ version: string; registered_at: Date; notes: string | null }>('select version, registered_at, notes from template_versions where team = $1 and name = $2', [team, name])
  return rows.map(({ version, registered_at: at, notes }) => ({ version, registeredAt: at.toISOString(), ...(notes === null ? {} : { notes }) }))
}

export async function keepSecrets(tx: Tx, run: string, sealed: Buffer): Promise<void> {
  await tx.query('insert into template_run_secrets (run, sealed) values ($1, $2) on conflict (run) do update set sealed = excluded.sealed', [run, sealed])
}

export async function readSecrets(tx: Tx, run: string): Promise<Buffer | undefined> {
  return (await tx.query<{ sealed: Buffer }>('select sealed from template_run_secrets where run = $1', [run])).rows[0]?.sealed
}

export async function forgetSecrets(database: Database, run: string): Promise<void> {
  await database.write('delete from template_run_secrets where run = $1', [run])
}
