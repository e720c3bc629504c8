/** PostgreSQL through `pg`: a pool of connections, one for the flush barrier, one for writes by key, one that listens. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fail } from '@pavior/contract'
import pg from 'pg'
import type { Logger } from '../log.ts'
import { Coalescer } from './coalescer.ts'
import type { BulkTx, Database, Result, Row, Tx } from './database.ts'
import { refusal } from './external.ts'
import { LoneConnection } from './lone.ts'

export interface DatabaseOptions {
  /** `postgres://…`, or host (socket directory), user, password, database. */
  connection: pg.ClientConfig
  /** Connections for reads and writes. */
  poolSize: number
  /** Statement whose synchronous commit is the flush barrier. */
  flushStatement: string
  log: Logger
}

export interface PgDatabase extends Database {
  /** Calls back for every notification on the channel, and with `reconnected` whenever notifications may have been missed. */
  listen(channel: string, handle: (payload: string) => void, reconnected: () => void): Promise<void>
  /** A connection of its own, for session locks. Calls `lost` once when it breaks. */
  session(lost: (error: Error) => void): Promise<{ query: Tx['query']; end: () => Promise<void> }>
  close(): Promise<void>
}

/** Broken connection, server shutting down or not yet up: the statement may be repeated when the database is back. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EAGAIN', 'ENOENT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', '57P01', '57P02', '57P03', '08000', '08003', '08006', '53300'])
const reconnectDelayMs = 200

export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: string }).code
  return (code !== undefined && connectionErrors.has(code)) || /Connection terminated|connection is insecure|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed/.test(error.message)
}

function translate(error: unknown): Error {
  if (isConnectionError(error)) {
    return fail('DATABASE_UNAVAILABLE', { message: 'The database does not answer.', why: (error as Error).message }, { cause: error })
  }
  if ((error as { code?: string }).code === '53100') {
    return fail('DISK_FULL', { message: 'The disk of the database is full.' }, { cause: error })
  }
  if ((error as { code?: string }).code === '22P05') {
    return fail('BAD_REQUEST', { message: 'A text holds the character U+0000, which cannot be stored.' }, { cause: error })
  }
  // A password that was changed while we run.
  return refusal(error) ?? (error as Error)
}

async function run<R extends Row>(
  client: { query: (config: pg.QueryConfig) => Promise<pg.QueryResult> },
  text: string,
  values?: unknown[],
  name?: string,
): Promise<Result<R>> {
  const result = await client.query({ text, values, name } as pg.QueryConfig)
  return { rows: result.rows as R[], rowCount: result.rowCount ?? 0 }
}

async function copyInto(client: pg.PoolClient, text: string, bytes: Buffer): Promise<void> {
  const { from } = await import('pg-copy-streams')
  await pipeline(Readable.from([bytes]), client.query(from(text)))
}

export async function connectDatabase({ connection, poolSize, flushStatement, log }: DatabaseOptions): Promise<PgDatabase> {
  const common: pg.ClientConfig = { ...connection, keepAlive: true, connectionTimeoutMillis: 10_000, application_name: 'pavior' }
  const pool = new pg.Pool({ ...common, max: poolSize, options: '-c synchronous_commit=off -c jit=off', idleTimeoutMillis: 60_000 })
  pool.on('error', (error) => log.warn({ err: error.message }, 'idle database connection lost'))

  const flusher = new LoneConnection({ ...common, options: '-c synchronous_commit=on' })
  // A plan that was made while the tables were small must not go through all of them when they have grown.
  const byKey = new LoneConnection({ ...common, options: '-c synchronous_commit=off -c jit=off -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off' })
  const listeners: pg.Client[] = []
  let closed = false

  const present = async (lone: LoneConnection): Promise<pg.Client> => {
    try {
      return await lone.client()
    } catch (error) {
      throw translate(error)
    }
  }

  const flush = async (): Promise<pg.Client> => {
    const client = await present(flusher)
    try {
      await run(client, flushStatement, [], 'flush')
      return client
    } catch (error) {
      flusher.drop(client)
      throw translate(error)
    }
  }

  /**
   * The shared flush barrier. `synchronous_commit=on` would hold the counter row across a disk flush and so limit all writers
   * to one write a flush. Instead writers commit without waiting, and one connection flushes for all of them: a tiny
   * transactional WAL message is committed synchronously, which puts everything before it on disk too. Whoever arrives while
   * a flush is under way waits for the next one, because the running one may have begun before their commit.
   */
  const barrier = new Coalescer<void, pg.Client>({
    run: async (waiting) => {
      const flushed = await flush()
      return waiting.map(() => flushed)
    },
    inFlight: 1,
    largest: Infinity,
    alone: () => false,
  })

  /**
   * A commit that did not wait for the disk is lost when the database ends all at once. The flush counts only on a connection
   * that was there before the commit and still is: such a connection proves that the database has not been started anew between.
   */
  const durable = async <T>(work: () => Promise<T>, needed: (result: T) => boolean = () => true): Promise<T> => {
    const before = await present(flusher)
    const result = await work()
    if (!needed(result)) return result
    const flushed = await barrier.ask()
    if (flushed !== before) throw fail('DATABASE_UNAVAILABLE', { message: 'The connection with the database broke during a write.', why: 'It is not known whether the write was kept.', fix: 'Read what is there, and repeat the write if it is missing.' })
    return result
  }

  const keyed: Tx['query'] = async (text, values, name) => {
    const client = await present(byKey)
    try {
      return await run(client, text, values, name)
    } catch (error) {
      if (isConnectionError(error)) byKey.drop(client)
      throw translate(error)
    }
  }

  const query: Tx['query'] = async (text, values, name) => {
    try {
      return await run(pool as never, text, values, name)
    } catch (error) {
      throw translate(error)
    }
  }

  const commit = async <T>(work: (tx: BulkTx) => Promise<T>): Promise<T> => {
    let client: pg.PoolClient
    try {
      client = await pool.connect()
    } catch (error) {
      throw translate(error)
    }
    let broken: Error | undefined
    const noteBroken = (error: Error): void => {
      broken = error
    }
    client.on('error', noteBroken)
    try {
      await client.query('begin')
      const result = await work({ query: (text, values, name) => run(client, text, values, name), copy: (text, bytes) => copyInto(client, text, bytes) })
      await client.query('commit')
      client.off('error', noteBroken)
      client.release()
      return result
    } catch (error) {
      const rolledBack = broken ? false : await client.query('rollback').then(
        () => true,
        () => false,
      )
      // Only now: a connection whose server process has died says so a moment after the statement failed, and an error that nobody hears ends the process.
      client.release(!rolledBack)
      if (rolledBack) client.off('error', noteBroken)
      throw translate(error)
    }
  }

  const listen: PgDatabase['listen'] = async (channel, handle, reconnected) => {
    const connect = async (): Promise<void> => {
      const client = new pg.Client(common)
      let listening = false
      // Only a connection that was there is replaced: one that never came about is the business of whoever tried.
      const reconnect = (): void => {
        if (!listening || closed) return
        listening = false
        listeners.splice(listeners.indexOf(client), 1)
        client.end().catch(() => {})
        void reconnectLoop()
      }
      client.on('error', reconnect)
      client.on('end', reconnect)
      client.on('notification', (message) => handle(message.payload ?? ''))
      try {
        await client.connect()
        await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      } catch (error) {
        client.end().catch(() => {})
        throw error
      }
      listening = true
      listeners.push(client)
    }
    const reconnectLoop = async (): Promise<void> => {
      while (!closed) {
        try {
          await connect()
          reconnected()
          return
        } catch {
          // The database is not back yet.
          await new Promise((resolve) => setTimeout(resolve, reconnectDelayMs))
        }
      }
    }
    await connect().catch((error) => {
      throw translate(error)
    })
  }

  const session: PgDatabase['session'] = async (lost) => {
    const client = new pg.Client(common)
    let over = false
    // One that never came about is the business of whoever tried, and not lost.
    let connected = false
    const end = (error?: Error): void => {
      if (over) return
      over = true
      client.end().catch(() => {})
      if (error && connected) lost(error)
    }
    client.on('error', end)
    client.on('end', () => end(new Error('connection ended')))
    await client.connect().catch((error) => {
      end()
      throw translate(error)
    })
    connected = true
    return {
      query: (text, values, name) => run(client, text, values, name),
      end: async () => end(),
    }
  }

  return {
    query,
    write: (text, values, name) => durable(() => query(text, values, name)) as never,
    transaction: (work) => durable(() => commit(work)),
    flush: async () => void (await barrier.ask()),
    durable,
    keyed: { query: keyed },
    listen,
    session,
    close: async () => {
      closed = true
      await Promise.allSettled([flusher.end(), byKey.end(), ...listeners.map((client) => client.end()), pool.end()])
    },
  }
}
