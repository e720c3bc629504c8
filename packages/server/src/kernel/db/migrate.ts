/** Numbered SQL files, forward only, applied once each under a lock, so that several replicas may start together. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../log.ts'
import type { Tx } from './database.ts'
import type { PgDatabase } from './pool.ts'

/** Any constant: the advisory lock that migrations of this product take. */
const migrationLock = 7_220_001

/** `afterwards` runs under the lock too: what several replicas must not do at once although it is no migration. */
export async function migrate(database: PgDatabase, directory: string, log: Logger, afterwards: (tx: Tx) => Promise<void> = async () => {}): Promise<void> {
  const files = (await readdir(directory)).filter((name) => /^\d{4}-.*\.sql$/.test(name)).toSorted()
  const session = await database.session(() => {})
  try {
    await session.query('select pg_advisory_lock($1)', [migrationLock])
    await session.query('create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())')
    const applied = new Set((await session.query<{ name: string }>('select name from migrations')).rows.map((row) => row.name))
    for (const name of files) {
      if (applied.has(name)) continue
      const sql = await readFile(join(directory, name), 'utf8')
      await session.query('begin')
      await session.query(sql)
      await session.query('insert into migrations (name) values ($1)', [name])
      await session.query('commit')
      log.info({ migration: name }, 'database migrated')
    }
    await afterwards(session)
  } finally {
    await session.end()
  }
}
