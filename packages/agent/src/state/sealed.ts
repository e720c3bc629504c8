/** The desired state on disk: it holds the apps' secrets, so it is encrypted with a key kept apart from it. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail } from '@pavior/contract'
import { writeAtomically } from './atomic.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
/** Tells the format, so that a later one can be told apart; it is authenticated with the content. */
const header = Buffer.from('pavior-sealed-1\n')

/** Reads the key, or makes one (0600) at the first start. */
export function openKey(file: string): Buffer {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // Written aside and linked, so that two agents starting at once end up with one whole key.
    const next = `${file}.${process.pid}`
    writeFileSync(next, randomBytes(keyBytes).toString('base64') + '\n', { mode: 0o600 })
    try {
      linkSync(next, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(next, { force: true })
    }
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  if (key.length !== keyBytes) {
    throw fail('CONFIG_INVALID', {
      message: `The key file ${file} does not hold a key of ${keyBytes} bytes.`,
      fix: 'Restore it from a backup, or remove it together with agent/desired.sealed.',
    })
  }
  return key
}

/** Writes a value so that it survives a power cut and only the key's holder can read it. */
export function writeSealed(file: string, key: Buffer, value: unknown): void {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header)
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  writeAtomically(file, Buffer.concat([header, nonce, cipher.getAuthTag(), sealed]), { durable: true })
}

/** Reads it back; undefined when there is no file. Fails with INTERNAL when it was changed or the key is another one. */
export function readSealed(file: string, key: Buffer): unknown {
  if (!existsSync(file)) return undefined
  const bytes = readFileSync(file)
  const at = header.length
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(at, at + nonceBytes)).setAAD(bytes.subarray(0, at))
    decipher.setAuthTag(bytes.subarray(at + nonceBytes, at + nonceBytes + tagBytes))
    const text = Buffer.concat([decipher.update(bytes.subarray(at + nonceBytes + tagBytes)), decipher.final()])
    return JSON.parse(text.toString('utf8'))
  } catch (error) {
    throw fail(
      'INTERNAL',
      {
        message: `The saved state ${file} cannot be read with the key of this home.`,
        fix: 'Restore keys/agent.key, or remove the file: the server sends the state again.',
      },
      { cause: error },
    )
  }
}

/** A short name for a value with secrets in it: equal values have equal names, and nothing can be guessed from them. */
export function fingerprint(key: Buffer, value: unknown): string {
  return createHmac('sha256', key).update(JSON.stringify(value)).digest('base64url').slice(0, 22)
}
