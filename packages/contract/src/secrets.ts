/** Secrets as the API shows them beside the resources: who had to do with one. Never a value. */

/** Largest value in bytes that a variable may hold; Linux takes up to 128 KiB for one. */
export const secretEnvBytes = 32_768
/** Largest value in bytes of a secret that is given as a file. */
export const secretFileBytes = 262_144

export type SecretAction = 'set' | 'use' | 'revoke' | 'read'

export interface SecretAccess {
  /** ISO 8601. */
  at: string
  secret: string
  version: number
  /** set: a value was stored · use: the version was put in force · revoke: its value was destroyed · read: it was given to an app. */
  action: SecretAction
  /** Who did it; for `read` the part of the platform that gave it out. */
  actor: string
  app?: string
  environment?: string
  /** Instance set or task that got it. */
  reader?: string
}

/** `POST /v1/teams/{team}/secrets/{name}/versions`. */
export interface NewSecretVersion {
  value: string
  /** How `value` is written. Default: text. */
  encoding?: 'text' | 'base64'
  /** Only store it: it is put in force later. */
  store?: boolean
}

/** Where a `pavior secrets rekey` stands. */
export interface RekeyProgress {
  /** Master key that wraps now. */
  key: string
  wrapped: number
  remaining: number
}

/** Names that the shell or the platform keep for themselves: a secret of that name would not arrive, or would be seen on a command line. */
const takenKeys = /^(UID|EUID|PPID|GROUPS|BASH.*|SHELLOPTS|DIRSTACK|FUNCNAME|IFS|OPTIND|OPTARG|_|PWD|OLDPWD|LINENO|RANDOM|SECONDS|PATH|PORT|HOME|TMPDIR|APP_DIR|PAVIOR_.*)$/

/** Whether an app can have a secret of this name. */
export function isSecretKey(key: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && key.length <= 128 && !takenKeys.test(key)
}

/** The name that a secret gets when nobody names it: `shop-database-url-staging`. */
export function secretName({ key, app, environments }: { key: string; app?: string; environments?: string[] }): string {
  const words = [app, key.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'), ...(environments ?? [])]
  return words.filter(Boolean).join('-').replaceAll(/-{2,}/g, '-').replaceAll(/^-|-$/g, '').slice(0, 253)
}
