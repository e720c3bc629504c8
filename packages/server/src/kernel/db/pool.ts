/** PostgreSQL through `pg`: a pool of connections, one for the flush barrier, one that listens. */
import { fail } from '@pavior/contract'
import pg from 'pg'
import type { Logger } from '../log.ts'
import { FlushBarrier } from './barrier.ts'
import type { Database, Result, Row, Tx } from './database.ts'

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
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', '57P01', '57P02', '57P03', '08000', '08003', '08006', '53300'])
const reconnectDelayMs = 200

export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: string }).code
  return (code !== undefined && connectionErrors.has(code)) || /Connection terminated|connection is insecure|timeout exceeded when trying to connect|Client has encountered a connection error/.test(error.message)
}

function translate(error: unknown): Error {
  if (isConnectionError(error)) {
    return fail('DATABASE_UNAVAILABLE', { message: 'The database does not answer.', why: (error as Error).message }, { cause: error })
  }
  if ((error as { code?: string }).code === '53100') {
    return fail('DISK_FULL', { message: 'The disk of the database is full.' }, { cause: error })
  }
  return error as Error
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

export async function connectDatabase({ connection, poolSize, flushStatement, log }: DatabaseOptions): Promise<PgDatabase> {
  const common: pg.ClientConfig = { ...connection, keepAlive: true, connectionTimeoutMillis: 10_000, application_name: 'pavior' }
  const pool = new pg.Pool({ ...common, max: poolSize, options: '-c synchronous_commit=off -c jit=off', idleTimeoutMillis: 60_000 })
  pool.on('error', (error) => log.warn({ err: error.message }, 'idle database connection lost'))

  let flusher: pg.Client | undefined
  const listeners: pg.Client[] = []
  let closed = false

  const flushOnce = async (): Promise<void> => {
    try {
      if (!flusher) {
        const client = new pg.Client({ ...common, options: '-c synchronous_commit=on' })
        client.on('error', () => {
          if (flusher === client) flusher = undefined
        })
        await client.connect()
        flusher = client
      }
      await run(flusher, flushStatement, [], 'flush')
    } catch (error) {
      flusher?.end().catch(() => {})
      flusher = undefined
      throw translate(error)
    }
  }
  const barrier = new FlushBarrier(flushOnce)

  const query: Tx['query'] = async (text, values, name) => {
    try {
      return await run(pool as never, text, values, name)
    } catch (error) {
      throw translate(error)
    }
  }

  const transaction = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
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
      const result = await work({ query: (text, values, name) => run(client, text, values, name) })
      await client.query('commit')
      client.off('error', noteBroken)
      client.release()
      await barrier.wait()
      return result
    } catch (error) {
      client.off('error', noteBroken)
      const rolledBack = broken ? false : await client.query('rollback').then(
        () => true,
        () => false,
      )
      client.release(!rolledBack)
      throw translate(error)
    }
  }

  const listen: PgDatabase['listen'] = async (channel, handle, reconnected) => {
    const connect = async (): Promise<void> => {
      const client = new pg.Client(common)
      let gone = false
      const reconnect = (): void => {
        if (gone || closed) return
        gone = true
        client.end().catch(() => {})
        void reconnectLoop()
      }
      client.on('error', reconnect)
      client.on('end', reconnect)
      client.on('notification', (message) => handle(message.payload ?? ''))
      await client.connect()
      await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      listeners.push(client)
    }
    const reconnectLoop = async (): Promise<void> => {
      while (!closed) {
        try {
          await connect()
          reconnected()
          return
        } catch {
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
    const end = (error?: Error): void => {
      if (over) return
      over = true
      client.end().catch(() => {})
      if (error) lost(error)
    }
    client.on('error', end)
    client.on('end', () => end(new Error('connection ended')))
    await client.connect().catch((error) => {
      throw translate(error)
    })
    return {
      query: (text, values, name) => run(client, text, values, name),
      end: async () => end(),
    }
  }

  return {
    query,
    write: async (text, values, name) => {
      const result = await query(text, values, name)
      await barrier.wait()
      return result as never
    },
    transaction,
    flush: () => barrier.wait(),
    listen,
    session,
    close: async () => {
      closed = true
      await Promise.allSettled([flusher?.end(), ...listeners.map((client) => client.end()), pool.end()])
    },
  }
}
