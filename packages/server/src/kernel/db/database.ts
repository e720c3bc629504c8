/** The narrow face of PostgreSQL that the kernel and every `store.ts` see. */

export type Row = Record<string, any>

/** Something that runs SQL: a transaction, or the database itself for single statements. */
export interface Tx {
  /** `name` prepares the statement once per connection; the text of one name never changes. */
  query<R extends Row = Row>(text: string, values?: unknown[], name?: string): Promise<{ rows: R[]; rowCount: number }>
}

export interface Database extends Tx {
  /** Commits when `work` returns and its writes have reached the disk; rolls back when it throws. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}
