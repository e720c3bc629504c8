/** Values that only this installation reads again, sealed with a key of its own: AES-256-GCM, the key in a file. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { fail } from '@pavior/contract'
import { keptFile } from './kept-file.ts'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export interface Sealer {
  seal(values: Record<string, string>): Promise<Buffer>
  /** Throws KEY_UNAVAILABLE. */
  open(sealed: Buffer): Promise<Record<string, string>>
}

/** `path`: file of the key, made when it is missing. */
export function createSealer(path: string): Sealer {
  let loaded: Promise<Buffer> | undefined
  const key = (): Promise<Buffer> => (loaded ??= keptFile(path, () => randomBytes(32)))
  return {
    seal: async (values) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, await key(), nonce)
      const body = Buffer.concat([cipher.update(JSON.stringify(values)), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body])
    },
    open: async (sealed) => {
      const decipher = createDecipheriv(algorithm, await key(), sealed.subarray(0, nonceBytes))
      decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
      try {
        return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]).toString()) as Record<string, string>
      } catch (error) {
        throw fail('KEY_UNAVAILABLE', { message: `What is kept sealed cannot be opened with ${basename(path)}.`, why: 'It was sealed with another key, or it was changed.' }, { cause: error })
      }
    },
  }
}
