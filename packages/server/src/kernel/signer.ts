/** An Ed25519 key of this installation, in a file. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface Signer {
  /** Fingerprint of the public key, in hex. */
  id: string
  /** PEM. */
  publicKey: string
  sign(bytes: Buffer): Buffer
  verify(bytes: Buffer, signature: Buffer): boolean
}

/** With the key at `path`, made when it is missing. */
export async function keptSigner(path: string): Promise<Signer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  // Whoever comes first makes it; everybody reads what stands there.
  await writeFile(path, made, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const key = createPrivateKey(await readFile(path))
  const publicKey = createPublicKey(key)
  return {
    id: createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (bytes) => sign(null, bytes, key),
    verify: (bytes, signature) => verify(null, bytes, publicKey, signature),
  }
}
