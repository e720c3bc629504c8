/** Secrets from a KV engine of version 2: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2. */
import { fail, type PaviorError, type SecretStoreSpec } from '@pavior/contract'
import type { ExternalStore } from '../../rooms/secrets/ports.ts'
import { askVault } from './client.ts'

const defaultTimeoutSeconds = 5

export function createVaultStore(): ExternalStore {
  return {
    read: async (store, token, path, signal) => {
      const answer = await askVault({
        url: store.url,
        token,
        ...(store.namespace === undefined ? {} : { namespace: store.namespace }),
        method: 'GET',
        path: `${store.mount ?? 'secret'}/data/${path.split('/').map(encodeURIComponent).join('/')}`,
        timeoutMs: (store.timeoutSeconds ?? defaultTimeoutSeconds) * 1000,
        signal,
      })
      if (answer.type === 'silence') throw unreachable(store, answer.why)
      const { status, body } = answer
      const version: unknown = body.data?.metadata?.version
      if (status === 200 && typeof version === 'number' && Number.isInteger(version) && version > 0) return { version, fields: textFields(body.data?.data) }
      throw refusal(store, path, status, body.data?.metadata !== undefined)
    },
  }
}

/** Numbers and objects become JSON, as the vault command shows them. */
function textFields(data: unknown): Record<string, string> {
  if (typeof data !== 'object' || data === null) return {}
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))
}

function refusal(store: SecretStoreSpec, path: string, status: number, deleted: boolean): PaviorError {
  if (status === 403) return fail('SECRET_STORE_REFUSED', { message: `${store.url} does not let Pavior read ${path}.`, why: 'Its answer was 403: the token has expired, or its policy does not cover the path.', fix: `Set a new token: pavior secrets set, for the secret ${store.token.secret}.` })
  if (status === 404 && deleted) return fail('SECRET_STORE_REFUSED', { message: `The newest version of ${path} in ${store.url} is deleted.`, fix: 'Write a new version there, or undelete it.', state: 'Apps keep the version that they have.' })
  if (status === 404) return fail('SECRET_STORE_REFUSED', { message: `There is nothing at ${path} in ${store.url}.`, fix: 'Check the path, and that the mount is a KV engine of version 2.', state: 'Apps keep the version that they have.' })
  if (status === 503) return unreachable(store, 'Its answer was 503: it is sealed or in maintenance.')
  if (status >= 500 || status === 429 || status === 472 || status === 473) return unreachable(store, `Its answer was ${status}.`)
  return fail('SECRET_STORE_REFUSED', { message: `${store.url} does not answer as a KV engine of version 2 does.`, why: `Its answer was ${status}.`, fix: 'Check the mount of the store.' })
}

function unreachable(store: SecretStoreSpec, why: string): PaviorError {
  return fail('SECRET_STORE_UNREACHABLE', { message: `${store.url} does not answer.`, why, state: 'Apps keep the version that they have.' })
}
