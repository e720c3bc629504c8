/** What an instance shows to get its tokens: says whose it is, authenticated with a key of the platform, so that nothing has to be stored. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeptSecrets } from '../secrets.ts'

const secretName = 'workload/credentials'
/** What a credential is for, and what it begins with: one that is for sending telemetry opens nothing else. */
const prefixes = { workload: 'pvw_', telemetry: 'pvt_' } as const
const keyBytes = 32
const longestCredential = 400

export interface Workload {
  team: string
  app: string
  environment: string
}

export interface Credentials {
  /** The same for the same workload as long as the key is. */
  of(workload: Workload): Promise<string>
  /** Undefined when it is not one of ours. */
  verify(credential: string): Promise<Workload | undefined>
}

export function createCredentials(secrets: KeptSecrets, purpose: keyof typeof prefixes): Credentials {
  const prefix = prefixes[purpose]
  let kept: Promise<string> | undefined
  const key = (): Promise<string> => {
    kept ??= secrets.readOrMake(secretName, () => randomBytes(keyBytes).toString('base64')).catch((error: unknown) => {
      kept = undefined
      throw error
    })
    return kept
  }
  const mac = async (payload: string): Promise<Buffer> => createHmac('sha256', Buffer.from(await key(), 'base64')).update(`${purpose} ${payload}`).digest()

  return {
    of: async ({ team, app, environment }) => {
      const payload = Buffer.from(JSON.stringify([team, app, environment])).toString('base64url')
      return `${prefix}${payload}.${(await mac(payload)).toString('base64url')}`
    },
    verify: async (credential) => {
      const [payload = '', given = '', more] = credential.slice(prefix.length).split('.')
      if (!credential.startsWith(prefix) || credential.length > longestCredential || more !== undefined) return undefined
      const [wanted, found] = [await mac(payload), Buffer.from(given, 'base64url')]
      if (found.length !== wanted.length || !timingSafeEqual(found, wanted)) return undefined
      const [team, app, environment] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, string, string]
      return { team, app, environment }
    },
  }
}
