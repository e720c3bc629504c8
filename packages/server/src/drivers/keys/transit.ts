/** The master key in the transit engine of Vault or OpenBao: data keys go there to be wrapped, the master key never leaves it. */
import { fail, type PaviorError } from '@pavior/contract'
import type { MasterKeys } from '../../rooms/secrets/ports.ts'
import { askVault } from '../vault/client.ts'

const timeoutMs = 5000

export interface TransitOptions {
  url: string
  /** Name of the key in the engine. */
  key: string
  /** Where the engine is mounted. */
  mount: string
  token: () => Promise<string>
}

export function createTransitKeys({ url, key, mount, token }: TransitOptions): MasterKeys {
  const ask = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Record<string, any>> => {
    const answer = await askVault({ url, token: await token(), method, path: `${mount}/${path}`, ...(body === undefined ? {} : { body }), timeoutMs })
    if (answer.type === 'silence') throw sealed(url, answer.why)
    if (answer.status === 400 && path.startsWith('decrypt/')) throw fail('SECRET_CORRUPT', { message: `The key of a secret's version does not open with the master key at ${url}.`, why: 'The stored row was changed outside of Pavior, or was copied from another one.' })
    if (answer.status >= 300) throw sealed(url, `Its answer was ${answer.status}${answer.status === 403 ? ': the token has expired, or its policy does not cover the key' : ''}.`)
    return answer.body.data ?? {}
  }
  const name = encodeURIComponent(key)
  const idOf = (version: number | string): string => `transit-${key}-v${version}`
  const current = async (): Promise<string> => idOf(Number((await ask('GET', `keys/${name}`)).latest_version))
  const context = (text: string): string => Buffer.from(text).toString('base64')
  return {
    current,
    wrap: async (dataKey, of) => {
      const { ciphertext } = await ask('POST', `encrypt/${name}`, { plaintext: dataKey.toString('base64'), associated_data: context(of) })
      const version = /^vault:v(\d+):/.exec(String(ciphertext))?.[1]
      if (version === undefined) throw sealed(url, 'Its answer holds no ciphertext.')
      return { keyId: idOf(version), wrapped: Buffer.from(String(ciphertext)) }
    },
    unwrap: async ({ keyId, wrapped }, of) => {
      if (!keyId.startsWith(`transit-${key}-v`)) throw sealed(url, `They were sealed with the master key ${keyId}, which is not kept there.`)
      const { plaintext } = await ask('POST', `decrypt/${name}`, { ciphertext: wrapped.toString(), associated_data: context(of) })
      return Buffer.from(String(plaintext), 'base64')
    },
    renew: async () => {
      await ask('POST', `keys/${name}/rotate`, {})
      return current()
    },
    // Which versions of its key may still decrypt is set there.
    retire: async () => {},
  }
}

function sealed(url: string, why: string): PaviorError {
  return fail('SECRETS_SEALED', { message: `${url} does not give the master key of the secrets.`, why, fix: 'Look at that server, and at PAVIOR_TRANSIT_KEY and PAVIOR_TRANSIT_TOKEN_FILE.', state: 'Apps that run go on with what they have.' })
}
