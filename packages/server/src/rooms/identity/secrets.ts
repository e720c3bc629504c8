/** Values that only this platform reads: client secrets of identity providers, keys of its own. Sealed in the database, so that replicas share them. */
import type { Database } from '../../kernel/db/index.ts'
import type { Sealer } from '../../kernel/sealer.ts'

export interface KeptSecrets {
  read(name: string): Promise<string | undefined>
  write(name: string, value: string): Promise<void>
  /** What is there, else what `make` gives; the same for all who ask at once. */
  readOrMake(name: string, make: () => string): Promise<string>
}

export function createKeptSecrets(database: Database, sealer: Sealer): KeptSecrets {
  const read = async (name: string): Promise<string | undefined> => {
    const { rows } = await database.query<{ sealed: Buffer }>('select sealed from identity_secrets where name = $1', [name])
    return rows[0] && (await sealer.open(rows[0].sealed)).value
  }
  return {
    read,
    write: async (name, value) => {
      await database.write('insert into identity_secrets (name, sealed) values ($1, $2) on conflict (name) do update set sealed = excluded.sealed, changed_at = now()', [name, await sealer.seal({ value })])
    },
    readOrMake: async (name, make) => {
      await database.write('insert into identity_secrets (name, sealed) values ($1, $2) on conflict (name) do nothing', [name, await sealer.seal({ value: make() })])
      return (await read(name))!
    },
  }
}
