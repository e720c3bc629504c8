import type { ErrorObject, HostCapabilities } from '@pavior/contract'

/** What `dist/up.mjs` gives: the part of the server package that runs an installation. */
export interface Installation {
  config: { appDomain: string; databaseUrl: string }
  url: string
  routerPort: number
  host: HostCapabilities
  welcome: string | undefined
  ended: Promise<ErrorObject | undefined>
  stop(): Promise<void>
}
