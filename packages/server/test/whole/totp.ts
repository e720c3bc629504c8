/** What an authenticator app shows at this moment. */
import { Secret, TOTP } from 'otpauth'

export function codeNow(secret: string): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate()
}
