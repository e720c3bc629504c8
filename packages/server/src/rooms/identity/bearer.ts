import { fail } from '@pavior/contract'

/** The token of an Authorization header: `Bearer <token>`, or Basic with the token as password (git). */
export function bearerToken(header: string | undefined): string {
  const [scheme = '', value = ''] = (header ?? '').split(' ', 2)
  if (scheme.toLowerCase() === 'bearer' && value) return value
  if (scheme.toLowerCase() === 'basic' && value) {
    const decoded = Buffer.from(value, 'base64').toString()
    const password = decoded.slice(decoded.indexOf(':') + 1)
    if (password) return password
  }
  throw fail('UNAUTHENTICATED', { message: 'The request carries no token.' })
}
