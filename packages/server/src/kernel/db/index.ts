export type { Database, Result, Row, Tx } from './database.ts'
export { connectDatabase, type PgDatabase } from './pool.ts'
export { embeddedPid, startEmbedded, type EmbeddedDatabase } from './embedded.ts'
export { migrate } from './migrate.ts'
