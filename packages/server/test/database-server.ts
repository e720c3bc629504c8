/** One PostgreSQL for all tests of the server: the embedded one in a directory of its own, or PAVIOR_TEST_DATABASE_URL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { connectDatabase, migrate, startEmbedded } from '../src/kernel/db/index.ts'
import { createLog } from '../src/kernel/log.ts'
import { flushStatement } from '../src/kernel/store/store.ts'

declare module 'vitest' {
  interface ProvidedContext {
    database: { host: string; user: string; password: string }
  }
}

const log = createLog('silent', 'test')
export const template = 'pavior_template'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior-pg-'))
  const embedded = await startEmbedded({ directory: join(directory, 'data'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
  const admin = await connectDatabase({ connection: embedded.connection, poolSize: 1, flushStatement, log })
  await admin.query(`create database ${template}`)
  // A vacuum of the template would make every clone of it wait for seconds.
  await admin.query('alter system set autovacuum = off')
  await admin.query('select pg_reload_conf()')
  await admin.close()
  const database = await connectDatabase({ connection: { ...embedded.connection, database: template }, poolSize: 1, flushStatement, log })
  await migrate(database, new URL('../migrations', import.meta.url).pathname, log)
  await database.close()
  const { host, user, password } = embedded.connection
  project.provide('database', { host: host!, user: user!, password: String(password) })
  return async () => {
    await embedded.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
