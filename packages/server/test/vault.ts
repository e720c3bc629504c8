/** A stand-in for HashiCorp Vault on a port of its own: KV version 2 and transit, as far as Pavior asks, and the ways in which it refuses. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Kept {
  versions: { data: Record<string, unknown>; deleted: boolean }[]
}

export interface VaultStandIn {
  url: string
  token: string
  /** What it answers instead: `silent` never answers. */
  mood: 'well' | 'sealed' | 'silent' | 'garbage'
  requests: { method: string; path: string; namespace: string | undefined }[]
  /** Resolves with the number of the version. */
  put(path: string, data: Record<string, unknown>): number
  deleteNewest(path: string): void
  close(): Promise<void>
}

export async function startVault(): Promise<VaultStandIn> {
  const secrets = new Map<string, Kept>()
  const keys: Buffer[] = [randomBytes(32)]
  const token = `hvs.${randomBytes(12).toString('hex')}`
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const vault: VaultStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    mood: 'well',
    requests: [],
    put: (path, data) => {
      const kept = secrets.get(path) ?? { versions: [] }
      secrets.set(path, { versions: [...kept.versions, { data, deleted: false }] })
      return kept.versions.length + 1
    },
    deleteNewest: (path) => {
      secrets.get(path)!.versions.at(-1)!.deleted = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, vault.url)
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, '')
    vault.requests.push({ method: request.method!, path, namespace: request.headers['x-vault-namespace'] as string | undefined })
    const send = (status: number, body: unknown): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (vault.mood === 'silent') return
    if (vault.mood === 'garbage') return void response.end('<html>a proxy</html>')
    if (vault.mood === 'sealed') return send(503, { errors: ['Vault is sealed'] })
    if (request.headers['x-vault-token'] !== token) return send(403, { errors: ['permission denied'] })
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>) : {}
    if (path.startsWith('secret/data/')) return readSecret(path.slice('secret/data/'.length), send)
    if (path.startsWith('transit/')) return transit(path.slice('transit/'.length), body, send)
    send(404, { errors: [] })
  }

  function readSecret(path: string, send: (status: number, body: unknown) => void): void {
    const kept = secrets.get(path)
    if (!kept) return send(404, { errors: [] })
    const { data, deleted } = kept.versions.at(-1)!
    const metadata = { version: kept.versions.length, created_time: '2026-01-01T00:00:00Z', deletion_time: deleted ? '2026-01-02T00:00:00Z' : '', destroyed: false }
    send(deleted ? 404 : 200, { data: { data: deleted ? null : data, metadata } })
  }

  function transit(path: string, body: Record<string, string>, send: (status: number, body: unknown) => void): void {
    const context = Buffer.from(body.associated_data ?? '', 'base64')
    if (path === 'keys/pavior') return send(200, { data: { latest_version: keys.length } })
    if (path === 'keys/pavior/rotate') {
      keys.push(randomBytes(32))
      return send(200, { data: { latest_version: keys.length } })
    }
    if (path === 'encrypt/pavior') {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', keys.at(-1)!, nonce).setAAD(context)
      const sealed = Buffer.concat([cipher.update(Buffer.from(body.plaintext!, 'base64')), cipher.final()])
      return send(200, { data: { ciphertext: `vault:v${keys.length}:${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}` } })
    }
    if (path === 'decrypt/pavior') {
      const [, version, text] = /^vault:v(\d+):(.*)$/.exec(body.ciphertext!)!
      const bytes = Buffer.from(text!, 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', keys[Number(version) - 1]!, bytes.subarray(0, 12)).setAAD(context)
        decipher.setAuthTag(bytes.subarray(12, 28))
        return send(200, { data: { plaintext: Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('base64') } })
      } catch {
        return send(400, { errors: ['invalid ciphertext: unable to decrypt'] })
      }
    }
    send(404, { errors: [] })
  }

  return vault
}
