/** The key that heads of the chain are signed with, and the last head in a file: both outside of the database that they watch. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Link } from './chain.ts'

export type Head = Pick<Link, 'rv' | 'hash'>

export interface SealKey {
  /** Fingerprint of the public key, in hex. */
  id: string
  sign(head: Head): Buffer
  verify(head: Head, signature: Buffer): boolean
  /** The last head that this server saw. */
  readHead(): Promise<Head | undefined>
  writeHead(head: Head): Promise<void>
}

export async function keptSealKey(directory: string): Promise<SealKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const key = await keyAt(join(directory, 'audit.key'))
  const publicKey = createPublicKey(key)
  const id = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16)
  const headFile = join(directory, 'audit.head')
  return {
    id,
    sign: (head) => sign(null, signedText(head), key),
    verify: (head, signature) => verify(null, signedText(head), publicKey, signature),
    readHead: async () => parseHead(await readFile(headFile, 'utf8').catch(() => '')),
    writeHead: async (head) => {
      await writeFile(`${headFile}.new`, `${formatHead(head)}\n`, { mode: 0o600 })
      await rename(`${headFile}.new`, headFile)
    },
  }
}

async function keyAt(path: string): Promise<KeyObject> {
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  // Whoever comes first makes it; everybody reads what stands there.
  await writeFile(path, made, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return createPrivateKey(await readFile(path))
}

function signedText(head: Head): Buffer {
  return Buffer.from(`pavior audit ${formatHead(head)}`)
}

/** `1234:9f86…`: a version and the hash of its row. */
export function formatHead({ rv, hash }: Head): string {
  return `${rv}:${hash.toString('hex')}`
}

export function parseHead(text: string): Head | undefined {
  const match = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text.trim())
  return match ? { rv: match[1]!, hash: Buffer.from(match[2]!, 'hex') } : undefined
}
