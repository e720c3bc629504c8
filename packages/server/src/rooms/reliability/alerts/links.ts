/** Links in messages by which somebody acts without signing in: signed, and good for a while. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { fail } from '@pavior/contract'

export const linkActions = ['ack', 'resolve'] as const
export type LinkAction = (typeof linkActions)[number]

export interface LinkClaim {
  team: string
  name: string
  /** Uid of the Alert: another one of the same name is not meant. */
  alert: string
  action: LinkAction
  /** `user:ada` or `channel:ops`: who got the link. */
  by: string
  /** Seconds since the epoch. */
  until: number
}

const lifetimeSeconds = 48 * 3600
const longestToken = 2000

export function signLink(claim: LinkClaim, key: Buffer): string {
  const body = Buffer.from(JSON.stringify([claim.team, claim.name, claim.alert, claim.action, claim.by, claim.until])).toString('base64url')
  return `${body}.${macOf(body, key).toString('base64url')}`
}

/** Throws LINK_INVALID. */
export function readLink(token: string, key: Buffer, now: Date): LinkClaim {
  const [body = '', mac = ''] = token.length > longestToken ? [] : token.split('.')
  const given = Buffer.from(mac, 'base64url')
  const wanted = macOf(body, key)
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw fail('LINK_INVALID', 'This link is not one that Pavior made.')
  const [team, name, alert, action, by, until] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, string, string, LinkAction, string, number]
  if (until * 1000 <= now.getTime()) throw fail('LINK_INVALID', `This link was good until ${new Date(until * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC.`)
  return { team, name, alert, action, by, until }
}

function macOf(body: string, key: Buffer): Buffer {
  // What the key is for is part of what is signed.
  return createHmac('sha256', key).update(`alert-link\n${body}`).digest()
}

export type MakeLinks = (of: { team: string; name: string; alert: string; recipient: string; kind: string }, now: Date) => { alert: string; acknowledge?: string; resolve?: string }

export function createLinks(publicUrl: () => string, key: Buffer): MakeLinks {
  return ({ team, name, alert, recipient, kind }, now) => {
    const page = `${publicUrl()}/alerts/${encodeURIComponent(team)}/${encodeURIComponent(name)}`
    if (kind === 'Resolved' || kind === 'Test') return { alert: kind === 'Test' ? publicUrl() : page }
    const until = Math.floor(now.getTime() / 1000) + lifetimeSeconds
    const link = (action: LinkAction): string => `${publicUrl()}/v1/alert-links/${signLink({ team, name, alert, action, by: recipient, until }, key)}`
    return { alert: page, ...(kind === 'Acknowledged' ? {} : { acknowledge: link('ack') }), resolve: link('resolve') }
  }
}
