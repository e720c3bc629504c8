/** Writes of a secret's versions: one transaction each, in the name of whoever asks. */
import { fail, secretEnvBytes, secretFileBytes, type NewSecretVersion, type SecretAction, type SecretStatus } from '@pavior/contract'
import { systemActor, type Actor } from '../../kernel/actor.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database, Tx } from '../../kernel/db/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { noteAct } from './access.ts'
import { sealValue } from './envelope.ts'
import { inForce, withNewVersion, type Secret } from './plan.ts'
import type { MasterKeys } from './ports.ts'
import { destroyValue, holdKeys, insertValue, storedVersions } from './store.ts'

export interface CommandDeps {
  database: Database
  resources: Resources
  keys: MasterKeys
  clock: Clock
}

const system = systemActor('secrets')

/** The bytes of a value. Fails with INVALID when the app could not have it in the form that the secret has. */
export function bytesOf({ value, encoding = 'text' }: Pick<NewSecretVersion, 'value' | 'encoding'>, { spec, metadata }: Pick<Secret, 'spec' | 'metadata'>): Buffer {
  const bytes = Buffer.from(value, encoding === 'base64' ? 'base64' : 'utf8')
  const file = spec.as === 'file'
  const most = file ? secretFileBytes : secretEnvBytes
  const refuse = (message: string, fix: string): Error => fail('INVALID', { message, fix, facts: { secret: metadata.name } })
  if (bytes.length === 0) throw refuse(`The value of ${spec.key} is empty.`, 'Give a value; to take the secret away: pavior secrets remove.')
  if (bytes.length > most) throw refuse(`The value of ${spec.key} has ${bytes.length} bytes, and ${most} are possible.`, file ? 'Keep what is larger in a store of files.' : 'Give it as a file: pavior secrets set --as file.')
  if (!file && (bytes.includes(0) || !Buffer.from(bytes.toString('utf8')).equals(bytes))) throw refuse(`The value of ${spec.key} is no text, so no variable can hold it.`, 'Give it as a file: pavior secrets set --as file.')
  return bytes
}

/** Stores a value as the next version, and puts it in force unless it is only to be stored. */
export async function addVersion(deps: CommandDeps, by: Actor, team: string, name: string, given: NewSecretVersion): Promise<Secret> {
  const secret = await mayWrite(deps.resources, by, team, name)
  if (secret.spec.external) throw fail('BAD_REQUEST', { message: `The versions of "${name}" come from the store ${secret.spec.external.store}.`, fix: 'Write the new version there.' })
  return storeVersion(deps, by, secret, bytesOf(given, secret), { store: given.store === true })
}

/** `number`: as another store counts. */
export async function storeVersion({ database, resources, keys, clock }: CommandDeps, by: Actor, { metadata, status: seen = {} }: Secret, value: Buffer, { store, number }: { store: boolean; number?: number }): Promise<Secret> {
  const key = keyOf(metadata)
  const now = clock.now().toISOString()
  return database.transaction(async (tx) => {
    await holdKeys(tx)
    // Sealed before the write takes the counter of versions, which every writer waits for: a key service may be slow.
    const expected = { secret: metadata.uid, version: withNewVersion(seen, by.name, now, number).version.version }
    const sealed = await sealValue(keys, expected, value)
    let added = 0
    let dropped: number[] = []
    const next = await change(resources, by, store ? 'a version was stored' : 'a version was set', key, tx, (status) => {
      const stored = withNewVersion(status, by.name, now, number)
      added = stored.version.version
      dropped = stored.dropped
      const kept = { ...status, versions: stored.versions }
      return store ? kept : inForce(kept, added, by.name, now)
    })
    const of = { secret: next.metadata.uid, version: added }
    await insertValue(tx, of, added === expected.version ? sealed : await sealValue(keys, of, value))
    for (const version of dropped) await destroyValue(tx, { secret: next.metadata.uid, version })
    await note(tx, by, next, added, 'set')
    if (!store) await note(tx, by, next, added, 'use')
    return next
  })
}

/** Puts a version that is stored already in force; without a number the newest that is not. */
export async function useVersion({ database, resources, clock }: CommandDeps, by: Actor, team: string, name: string, wanted: number | 'previous' | 'newest'): Promise<Secret> {
  const secret = await mayWrite(resources, by, team, name)
  const now = clock.now().toISOString()
  return database.transaction(async (tx) => {
    let version = 0
    const next = await change(resources, by, 'a stored version was put in force', keyOf(secret.metadata), tx, (status) => {
      version = versionWanted(name, status, wanted)
      return inForce(status, version, by.name, now)
    })
    await mustBeStored(tx, next, version)
    await note(tx, by, next, version, 'use')
    return next
  })
}

function versionWanted(name: string, { versions = [], version: current }: SecretStatus, wanted: number | 'previous' | 'newest'): number {
  const possible = versions.filter(({ state, version }) => state !== 'revoked' && version !== current)
  const found =
    wanted === 'newest'
      ? possible.findLast(({ version }) => version > (current ?? 0))
      : wanted === 'previous'
        ? possible.findLast(({ version, state }) => state === 'previous' && version < (current ?? 0))
        : versions.find(({ version }) => version === wanted)
  if (!found) throw fail('NOT_FOUND', { message: typeof wanted === 'number' ? `"${name}" has no version ${wanted}.` : wanted === 'newest' ? `"${name}" has no version that is newer than the one in force.` : `"${name}" has no earlier version to go back to.`, fix: `See pavior secrets versions ${name}.` })
  if (found.state === 'revoked') throw fail('SECRET_REVOKED', { message: `Version ${found.version} of "${name}" is revoked.` })
  return found.version
}

/** Destroys the value of a version for good. Refused while it is in force or something runs with it. */
export async function revokeVersion({ database, resources }: CommandDeps, by: Actor, team: string, name: string, version: number, usedBy: (uid: string, version: number) => Promise<string[]>): Promise<Secret> {
  const secret = await mayWrite(resources, by, team, name)
  const users = await usedBy(secret.metadata.uid, version)
  if (users.length > 0) throw fail('SECRET_IN_USE', { message: `Version ${version} of "${name}" is in use by ${users.slice(0, 5).join(', ')}.` })
  return database.transaction(async (tx) => {
    const next = await change(resources, by, `version ${version} was revoked`, keyOf(secret.metadata), tx, (status) => {
      const { versions = [] } = status
      if (!versions.some((one) => one.version === version)) throw fail('NOT_FOUND', { message: `"${name}" has no version ${version}.`, fix: `See pavior secrets versions ${name}.` })
      if (status.version === version) throw fail('SECRET_IN_USE', { message: `Version ${version} of "${name}" is in force.` })
      return { ...status, versions: versions.map((one) => (one.version === version ? { ...one, state: 'revoked' as const } : one)) }
    })
    await destroyValue(tx, { secret: next.metadata.uid, version })
    await note(tx, by, next, version, 'revoke')
    return next
  })
}

/** Whether `by` may write this secret; the writes themselves are the platform's, in their name. */
async function mayWrite(resources: Resources, by: Actor, team: string, name: string): Promise<Secret> {
  const secret = await resources.mutate<Secret>(by, { kind: 'Secret', namespace: team, name }, (current) => current!, { dryRun: true })
  if (secret.metadata.deletionTimestamp) throw fail('NOT_FOUND', { message: `The secret "${name}" is being removed.` })
  return secret
}

/** `what` stands in the audit where whoever asked gave no reason. */
function change(resources: Resources, by: Actor, what: string, key: ReturnType<typeof keyOf>, tx: Tx, next: (status: SecretStatus) => SecretStatus): Promise<Secret> {
  const inName: Actor = { ...system, ...withoutUndefined({ token: by.token, requestId: by.requestId, address: by.address }), name: by.name, reason: by.reason ?? what }
  return resources.mutate<Secret>(inName, key, (current) => ({ ...current!, status: next(current!.status ?? {}) }), { subresource: 'status', tx })
}

function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

async function mustBeStored(tx: Tx, { metadata }: Secret, version: number): Promise<void> {
  if ((await storedVersions(tx, [{ secret: metadata.uid, version }])).length === 0) throw fail('SECRET_UNAVAILABLE', { message: `The value of version ${version} of "${metadata.name}" is not stored any more.` })
}

function keyOf({ namespace, name }: Secret['metadata']): { kind: string; namespace: string; name: string } {
  return { kind: 'Secret', namespace: namespace!, name }
}

function note(tx: Tx, by: Actor, { metadata, spec }: Secret, version: number, action: SecretAction): Promise<void> {
  return noteAct(tx, { secret: metadata.uid, team: metadata.namespace!, name: metadata.name, version, action, actor: by.name, ...(spec.app === undefined ? {} : { app: spec.app }) })
}
