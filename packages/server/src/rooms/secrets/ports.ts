/** What room secrets needs from outside: keys that never enter the database, and stores that values come from. */
import type { SecretStoreSpec } from '@pavior/contract'

export interface WrappedKey {
  /** Names the master key that opens it. */
  keyId: string
  wrapped: Buffer
}

/** Master keys. Every call fails with SECRETS_SEALED when the key that it needs is missing, is another one, or cannot be asked. */
export interface MasterKeys {
  /** Id of the key that wraps now. */
  current(): Promise<string>
  /** `context` is authenticated: what is wrapped for one version opens for no other. */
  wrap(dataKey: Buffer, context: string): Promise<WrappedKey>
  unwrap(key: WrappedKey, context: string): Promise<Buffer>
  /** Makes a new key the current one, where the platform keeps the keys itself; resolves with the id of the current one. */
  renew(): Promise<string>
  /** Forgets keys other than the current one and these. */
  retire(inUse: ReadonlySet<string>): Promise<void>
}

export interface ExternalVersion {
  version: number
  fields: Record<string, string>
}

/** A store outside. Fails with SECRET_STORE_UNREACHABLE, or with SECRET_STORE_REFUSED when trying again would not help. */
export interface ExternalStore {
  /** The newest version of what is at the path. */
  read(store: SecretStoreSpec, token: string, path: string, signal: AbortSignal): Promise<ExternalVersion>
}
