/** Secrets of a run, such as the token of a forge: sealed with a key of this installation until the run has ended. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fail } from '@pavior/contract'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export interface Sealer {
  seal(secrets: Record<string, string>): Promise<Buffer>
  open(sealed: Buffer): Promise<Record<string, string>>
}

/** `path`: file of the key, made when it is missing. */
export function createSealer(path: string): Sealer {
  let loaded: Promise<Buffer> | undefined
  const key = (): Promise<Buffer> => (loaded ??= keyAt(path))
  return {
    seal: async (secrets) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, await key(), nonce)
      const body = Buffer.concat([cipher.update(JSON.stringify(secrets)), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body])
    },
    open: async (sealed) => {
      const decipher = createDecipheriv(algorithm, await key(), sealed.subarray(0, nonceBytes))
      decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
      try {
        return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]).toString()) as Record<string, string>
      } catch (error) {
        throw fail('INTERNAL', { message: 'The secrets of a template run cannot be opened.', why: 'They were sealed with another key.' }, { cause: error })
      }
    },
  }
}

async function keyAt(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Whoever comes first makes it; everybody reads what stands there.
  await writeFile(path, randomBytes(32), { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return readFile(path)
}
