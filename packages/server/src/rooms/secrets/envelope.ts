/** Envelope encryption: AES-256-GCM with a data key for each version, which a master key wraps. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { fail } from '@pavior/contract'
import type { MasterKeys, WrappedKey } from './ports.ts'

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12

export interface SealedValue extends WrappedKey {
  nonce: Buffer
  sealed: Buffer
  tag: Buffer
}

export interface VersionOf {
  /** Uid of the secret. */
  secret: string
  version: number
}

/** Authenticated with both layers, so that a row that is moved to another secret or version opens no more. */
export function contextOf({ secret, version }: VersionOf): string {
  return `${secret}/${version}`
}

export async function sealValue(keys: MasterKeys, of: VersionOf, value: Buffer): Promise<SealedValue> {
  const dataKey = randomBytes(keyBytes)
  const nonce = randomBytes(nonceBytes)
  try {
    const cipher = createCipheriv(algorithm, dataKey, nonce).setAAD(Buffer.from(contextOf(of)))
    const sealed = Buffer.concat([cipher.update(value), cipher.final()])
    return { ...(await keys.wrap(dataKey, contextOf(of))), nonce, sealed, tag: cipher.getAuthTag() }
  } finally {
    dataKey.fill(0)
  }
}

/** Fails with SECRETS_SEALED, or with SECRET_CORRUPT when the row was changed. */
export async function openValue(keys: MasterKeys, of: VersionOf, { nonce, sealed, tag, ...key }: SealedValue): Promise<Buffer> {
  const dataKey = await keys.unwrap(key, contextOf(of))
  try {
    const decipher = createDecipheriv(algorithm, dataKey, nonce, { authTagLength: 16 }).setAAD(Buffer.from(contextOf(of)))
    decipher.setAuthTag(tag)
    return Buffer.concat([decipher.update(sealed), decipher.final()])
  } catch {
    // The cause is left out on purpose: it may hold parts of what was opened.
    throw fail('SECRET_CORRUPT', { message: `Version ${of.version} of a secret does not open with its own key.`, why: 'The stored row was changed outside of Pavior, or was copied from another one.' })
  } finally {
    dataKey.fill(0)
  }
}
