/** An Ed25519 key of this installation, in a file. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { keptFile } from './kept-file.ts'

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
  const key = createPrivateKey(await keptFile(path, () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })))
  const publicKey = createPublicKey(key)
  return {
    id: createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (bytes) => sign(null, bytes, key),
    verify: (bytes, signature) => verify(null, bytes, publicKey, signature),
  }
}
