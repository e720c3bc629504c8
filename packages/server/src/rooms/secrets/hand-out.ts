/** Opens values for what runs, and for nobody else. */
import { fail, isPaviorError, type PaviorError, type SecretRef, type SecretValues } from '@pavior/contract'
import type { WriteNote } from '../../kernel/audit/notes.ts'
import type { Database } from '../../kernel/db/index.ts'
import { inParallel } from '../../kernel/in-parallel.ts'
import type { Logger } from '../../kernel/log.ts'
import { systemActor } from '../../kernel/actor.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { noteReads } from './access.ts'
import { openValue } from './envelope.ts'
import type { Secret } from './plan.ts'
import type { MasterKeys } from './ports.ts'
import { readValues, type AccessRow } from './store.ts'

/** Who is given secrets: an instance set or a task. */
export interface Reader {
  id: string
  /** Under which it is written down. */
  name: string
  team: string
  app: string
  environment: string
  refs: readonly SecretRef[]
}

export interface HandOut {
  /** Values of every reader by its id; `kept` for those whose values cannot all be opened now. */
  forSets(readers: Reader[]): Promise<Map<string, SecretValues | 'kept'>>
  /** Fails with SECRETS_SEALED, SECRET_CORRUPT or SECRET_UNAVAILABLE. */
  forTask(reader: Reader): Promise<SecretValues>
}

/** What the platform itself needs a secret for: a store, a repository. */
export interface OwnUse {
  id: string
  /** Under which it is written down: `store vault`, `repository config`. */
  name: string
  team: string
  secret: string
}

/** The value in force of a secret that the platform itself uses; undefined when there is none. Fails with SECRETS_SEALED, SECRET_CORRUPT or SECRET_UNAVAILABLE. */
export async function openOwn(handOut: HandOut, resources: Resources, { id, name, team, secret }: OwnUse): Promise<string | undefined> {
  const found = await resources.get<Secret>(actor, { kind: 'Secret', namespace: team, name: secret })
  if (found?.status?.version === undefined) return undefined
  const ref: SecretRef = { secret, uid: found.metadata.uid, key: 'value', version: found.status.version, as: 'env' }
  const { env } = await handOut.forTask({ id, name, team, app: '', environment: '', refs: [ref] })
  return env.value
}

export interface HandOutDeps {
  database: Database
  keys: MasterKeys
  audit: WriteNote
  /** Called with secrets that were given to somebody new. */
  onRead: (secrets: { team: string; name: string }[]) => void
  log: Logger
}

const actor = systemActor('secrets')

/** Values that are opened at once; each may be a question to a key service. */
const openAtOnce = 16

const nameOf = ({ uid, version }: Pick<SecretRef, 'uid' | 'version'>): string => `${uid}/${version}`

export function createHandOut({ database, keys, audit, onRead, log }: HandOutDeps): HandOut {
  /** What the wanted sets have: opened once, and dropped with the last set that has it. */
  let opened = new Map<string, Buffer>()
  /** Readers that are known to have been noted, so that a shift of traffic asks nothing of the database. */
  let noted = new Set<string>()

  const open = async (refs: SecretRef[]): Promise<Map<string, Buffer | PaviorError>> => {
    const missing = new Map(refs.filter((ref) => !opened.has(nameOf(ref))).map((ref) => [nameOf(ref), ref]))
    const found = missing.size === 0 ? [] : await readValues(database, [...missing.values()].map(({ uid, version }) => ({ secret: uid, version })))
    const results = new Map<string, Buffer | PaviorError>(opened)
    await inParallel(found, openAtOnce, async (row) => results.set(nameOf({ uid: row.secret, version: row.version }), await openValue(keys, row, row).catch(coded)))
    for (const [name, ref] of missing) {
      if (!results.has(name)) results.set(name, fail('SECRET_UNAVAILABLE', { message: `Version ${ref.version} of the secret "${ref.secret}" does not exist any more.` }))
    }
    return results
  }

  const note = async (readers: Reader[], values: Map<string, Buffer | PaviorError>): Promise<void> => {
    const rows = readers.flatMap((reader): AccessRow[] =>
      reader.refs
        .filter((ref) => Buffer.isBuffer(values.get(nameOf(ref))) && !noted.has(`${reader.name} ${nameOf(ref)}`))
        .map(({ uid, secret, version }) => ({ secret: uid, team: reader.team, name: secret, version, action: 'read', actor: 'system:runtime', app: reader.app, environment: reader.environment, reader: reader.name })),
    )
    if (rows.length === 0) return
    onRead((await noteReads(database, audit, rows)).map(({ team, name }) => ({ team, name })))
    for (const { reader, secret, version } of rows) noted.add(`${reader} ${secret}/${version}`)
  }

  return {
    forSets: async (readers) => {
      const having = readers.filter(({ refs }) => refs.length > 0)
      const values = await open(having.flatMap(({ refs }) => refs))
      await note(having, values)
      const wanted = new Set(having.flatMap(({ refs }) => refs.map(nameOf)))
      opened = new Map([...values].filter((entry): entry is [string, Buffer] => wanted.has(entry[0]) && Buffer.isBuffer(entry[1])))
      noted = new Set([...noted].filter((name) => having.some((reader) => name.startsWith(`${reader.name} `))))
      return new Map(having.map(({ id, app, environment, refs }): [string, SecretValues | 'kept'] => {
        const failed = refs.map((ref) => values.get(nameOf(ref))).find((value) => !Buffer.isBuffer(value))
        if (!failed) return [id, valuesOf(refs, values)]
        log.warn({ app, environment, code: (failed as PaviorError).code, why: (failed as PaviorError).details.why }, 'the secrets of an app cannot be opened; what runs goes on with those that it has')
        return [id, 'kept']
      }))
    },
    forTask: async (reader) => {
      if (reader.refs.length === 0) return { env: {}, files: {} }
      const values = await open([...reader.refs])
      for (const ref of reader.refs) {
        const value = values.get(nameOf(ref))
        if (!Buffer.isBuffer(value)) throw value!
      }
      await note([reader], values)
      return valuesOf(reader.refs, values)
    },
  }
}

function valuesOf(refs: readonly SecretRef[], values: Map<string, Buffer | PaviorError>): SecretValues {
  const result: SecretValues = { env: {}, files: {} }
  for (const ref of refs) {
    const value = values.get(nameOf(ref)) as Buffer
    if (ref.as === 'file') result.files[ref.key] = value.toString('base64')
    else result.env[ref.key] = value.toString('utf8')
  }
  return result
}

function coded(error: unknown): PaviorError {
  if (isPaviorError(error)) return error
  throw error
}
