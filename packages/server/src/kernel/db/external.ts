/** A PostgreSQL that somebody else runs: whether it is there, new enough, and ours to write in. */
import { fail, type PaviorError } from '@pavior/contract'
import pg from 'pg'

const oldestMajor = 15
const connectTimeoutMs = 10_000

export interface ExternalDatabase {
  /** As the server says it: `15.18`. */
  version: string
  /** `host:port/database`, never with a password. */
  address: string
}

/** What a server tells of itself before anything is written to it. */
export interface ServerFacts {
  /** `server_version_num`: 150018 for 15.18. */
  versionNumber: number
  version: string
  encoding: string
  /** A standby that only reads. */
  standby: boolean
  /** May create tables in the schema that comes first in its search path. */
  mayCreate: boolean
}

/** Connects once and asks. Throws DATABASE_UNAVAILABLE, DATABASE_REFUSED or DATABASE_UNSUPPORTED. */
export async function checkExternal(connectionString: string): Promise<ExternalDatabase> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs, application_name: 'pavior' })
  // A connection that breaks between two questions fails the next one.
  client.on('error', () => {})
  const { host, port, database, user } = client
  const address = host.startsWith('/') ? `${host}/${database}` : `${host}:${port}/${database}`
  try {
    await client.connect()
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int as number, split_part(current_setting('server_version'), ' ', 1) as version,
         current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
         coalesce(has_schema_privilege(current_schema(), 'create'), false) as may_create`,
    )
    const row = rows[0]!
    const problem = unfit({ versionNumber: row.number, version: row.version, encoding: row.encoding, standby: row.standby, mayCreate: row.may_create }, { address, user, database })
    if (problem) throw problem
    return { version: row.version, address }
  } catch (error) {
    throw refusal(error, { user, database, address }) ?? unreachable(error, address)
  } finally {
    await client.end().catch(() => {})
  }
}

interface Whereabouts {
  address: string
  user: string | undefined
  database: string | undefined
}

/** Undefined when Pavior can live there. */
export function unfit({ versionNumber, version, encoding, standby, mayCreate }: ServerFacts, { address, user, database }: Whereabouts): PaviorError | undefined {
  if (versionNumber < oldestMajor * 10_000) {
    return fail('DATABASE_UNSUPPORTED', { message: `The database at ${address} is PostgreSQL ${version}; Pavior needs ${oldestMajor} or later.`, fix: `Upgrade it, or name another one in PAVIOR_DATABASE_URL.`, state: 'Nothing was written to it.' })
  }
  if (encoding !== 'UTF8') {
    return fail('DATABASE_UNSUPPORTED', { message: `The database at ${address} has the encoding ${encoding}; Pavior needs UTF8.`, fix: `Create one with: create database ${database} encoding 'UTF8' template template0`, state: 'Nothing was written to it.' })
  }
  if (standby) {
    return fail('DATABASE_REFUSED', { message: `The database at ${address} is a standby that only reads.`, fix: 'Name the primary in PAVIOR_DATABASE_URL.' })
  }
  if (!mayCreate) {
    return fail('DATABASE_REFUSED', { message: `The user "${user}" may not create tables in the database at ${address}.`, fix: `Let it own the database: alter database ${database} owner to ${user}` })
  }
  return undefined
}

/** Undefined unless the server is there and says no. */
export function refusal(error: unknown, { user, database, address }: Partial<Whereabouts> = {}): PaviorError | undefined {
  if (isCoded(error)) return error as PaviorError
  const { code, message } = error as { code?: string; message: string }
  const where = address ? ` at ${address}` : ''
  if (code === '28P01' || code === '28000') {
    return fail('DATABASE_REFUSED', { message: `The database${where} does not let ${user ? `the user "${user}"` : 'Pavior'} in.`, why: message, fix: 'Correct user and password in PAVIOR_DATABASE_URL, and see that its pg_hba.conf admits this machine.' }, { cause: error })
  }
  if (code === '3D000') {
    return fail('DATABASE_REFUSED', { message: `The database${where} does not exist.`, why: message, fix: database ? `Create it: create database ${database} owner ${user}` : undefined }, { cause: error })
  }
  if (/SSL|TLS|certificate|self-signed/i.test(message)) {
    return fail('DATABASE_REFUSED', { message: `No secure connection with the database${where} came about.`, why: message, fix: 'Set sslmode in PAVIOR_DATABASE_URL to what the database offers; name its authority with sslrootcert=<file>.' }, { cause: error })
  }
  return undefined
}

function isCoded(error: unknown): boolean {
  return error instanceof Error && error.name === 'PaviorError'
}

function unreachable(error: unknown, address: string): PaviorError {
  return fail('DATABASE_UNAVAILABLE', { message: `The database at ${address} does not answer.`, why: (error as Error).message, fix: 'See that PostgreSQL runs there and listens on that address, or correct PAVIOR_DATABASE_URL.' }, { cause: error })
}
