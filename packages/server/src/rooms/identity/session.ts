/**
 * The session of a browser: a token in a cookie that scripts cannot read. Because browsers send cookies by themselves, a
 * request that changes something must also carry a value that only a page of ours can know (OWASP: signed double submit).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { fail } from '@pavior/contract'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'

const cookieName = 'pavior_session'
export const csrfHeader = 'x-csrf-token'
const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

type Headed = Pick<FastifyRequest, 'headers' | 'method'>

export function sessionToken({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === cookieName && value) return value
  }
  return undefined
}

/** Derived from the token, so there is nothing to keep; the token cannot be found from it. */
export function csrfValue(token: string): string {
  return createHash('sha256').update(`csrf of ${token}`).digest('base64url')
}

/** Throws CSRF_REFUSED for a change that another site may have made the browser send. */
export function checkOrigin(request: Headed, token: string): void {
  if (readingMethods.has(request.method)) return
  const given = Buffer.from(String(request.headers[csrfHeader] ?? ''))
  const wanted = Buffer.from(csrfValue(token))
  if (sameOrigin(request) && given.length === wanted.length && timingSafeEqual(given, wanted)) return
  throw fail('CSRF_REFUSED', {
    message: 'The change was sent with the cookie of a session but not by a page of this portal.',
    fix: `Reload the page. Programs send a token instead: Authorization: Bearer <token>.`,
  })
}

/** Whether the page that sends this is of the same origin; browsers say so, others do not send the header. */
export function sameOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
}

/** `token` undefined takes the cookie away. */
export function sessionCookie(token: string | undefined, { secure, lifetimeSeconds }: { secure: boolean; lifetimeSeconds: number }): string {
  const parts = [`${cookieName}=${token ?? ''}`, 'Path=/', 'HttpOnly', 'SameSite=Lax', `Max-Age=${token === undefined ? 0 : lifetimeSeconds}`]
  return [...parts, ...(secure ? ['Secure'] : [])].join('; ')
}
