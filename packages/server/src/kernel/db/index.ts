export type { Database, Tx, Row } from './database.ts'
