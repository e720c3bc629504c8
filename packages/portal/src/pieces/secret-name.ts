/** Whether a variable should not be seen by who looks over a shoulder. Pure. */
const secretName = /(?:^|_)(?:SECRET|SECRETS|PASSWORD|PASSWD|PASS|PWD|TOKEN|KEY|APIKEY|CREDENTIALS?|PRIVATE|DSN|COOKIE|SALT|WEBHOOK)(?:_|$)/i
/** An address with a password in it, whatever the variable is called. */
const secretUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i

export function looksSecret(name: string, value: string): boolean {
  return secretName.test(name) || secretUrl.test(value)
}
