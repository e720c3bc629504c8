/** The headers by which a server of somebody else knows us, with the secrets of the team that they are made of. */
import type { Reach } from '@pavior/contract'

/** The value of a Secret of the team; undefined when it has none. */
export type OpenSecret = (use: { id: string; name: string; team: string; secret: string }) => Promise<string | undefined>

export interface Reached {
  headers: Record<string, string>
  secrets: string[]
  /** A Secret that is named and has no value. */
  missing?: string
}

/** `of`: the resource that names them, as it is written down. */
export async function reachedBy({ headers = {}, secretHeaders = {}, tokenSecret, user, passwordSecret }: Reach, of: { id: string; name: string; team: string }, openSecret: OpenSecret): Promise<Reached> {
  const found: Reached = { headers: { ...headers }, secrets: [] }
  const open = async (secret: string): Promise<string> => {
    const value = (await openSecret({ ...of, secret }))?.trim()
    if (value === undefined) found.missing = secret
    else found.secrets.push(value)
    return value ?? ''
  }
  for (const [name, secret] of Object.entries(secretHeaders)) found.headers[name] = await open(secret)
  if (tokenSecret !== undefined) found.headers.authorization = `Bearer ${await open(tokenSecret)}`
  if (user !== undefined && passwordSecret !== undefined) {
    const basic = Buffer.from(`${user}:${await open(passwordSecret)}`).toString('base64')
    found.headers.authorization = `Basic ${basic}`
    found.secrets.push(basic)
  }
  return found
}
