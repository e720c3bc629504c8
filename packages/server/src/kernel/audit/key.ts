/** What heads of the chain are signed with, and the last head in a file: both outside of the database that they watch. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keptSigner } from '../signer.ts'
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
  const signer = await keptSigner(join(directory, 'audit.key'))
  const headFile = join(directory, 'audit.head')
  return {
    id: signer.id,
    sign: (head) => signer.sign(signedText(head)),
    verify: (head, signature) => signer.verify(signedText(head), signature),
    readHead: async () => parseHead(await readFile(headFile, 'utf8').catch(() => '')),
    writeHead: async (head) => {
      await writeFile(`${headFile}.new`, `${formatHead(head)}\n`, { mode: 0o600 })
      await rename(`${headFile}.new`, headFile)
    },
  }
}

function signedText(head: Head): Buffer {
  return Buffer.from(`pavior audit ${formatHead(head)}`)
}

/** `1234:9f86…`: a version and the hash of its row. */
function formatHead({ rv, hash }: Head): string {
  return `${rv}:${hash.toString('hex')}`
}

export function parseHead(text: string): Head | undefined {
  const match = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text.trim())
  return match ? { rv: match[1]!, hash: Buffer.from(match[2]!, 'hex') } : undefined
}
