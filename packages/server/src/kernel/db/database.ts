/** The narrow face of PostgreSQL that the kernel and every `store.ts` see. */

export type Row = Record<string, any>

export interface Result<R extends Row = Row> {
  rows: R[]
  rowCount: number
}

/** Something that runs SQL: a transaction, or the database itself for single statements. */
export interface Tx {
  /** `name` prepares the statement once per connection; the text of one name never changes. */
  query<R extends Row = Row>(text: string, values?: unknown[], name?: string): Promise<Result<R>>
}

/** A transaction of its own. */
export interface BulkTx extends Tx {
  /** `copy … from stdin` with these bytes: the fastest way in for many rows. */
  copy(text: string, bytes: Buffer): Promise<void>
}

/**
 * Connections commit without waiting for the disk (`synchronous_commit=off`); `write` and `transaction` return only when
 * a flush barrier that began after their commit has finished, and many of them share one barrier.
 */
export interface Database extends Tx {
  /** One connection for statements that look rows up by key: they run one after the other, and their plans never scan a table. */
  keyed: Tx
  /** A single writing statement: resolves when it is on disk. */
  write<R extends Row = Row>(text: string, values?: unknown[], name?: string): Promise<Result<R>>
  /** Commits when `work` returns and resolves when that is on disk; rolls back when it throws. */
  transaction<T>(work: (tx: BulkTx) => Promise<T>): Promise<T>
  /** Resolves when everything that was committed before the call is on disk. */
  flush(): Promise<void>
  /**
   * What `work` gives, once everything that was committed before it ended is on disk. Rejects when the database was started
   * anew meanwhile: what `work` saw or wrote may be lost then. `needed` tells whether the result has to be waited for at all.
   */
  durable<T>(work: () => Promise<T>, needed?: (result: T) => boolean): Promise<T>
}
