/** `sso`: identity providers that people sign in with. */
import { fail, type IdentityProviderSpec, type Resource } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

interface CheckAnswer {
  issuer: string
  keys: number
  pkce: boolean
  logout: boolean
  scopes: string[]
  redirectUri: string
  backchannelLogoutUri: string
  secretSet: boolean
}

const longestSecretBytes = 4096

async function fromStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk as string
    if (text.length > longestSecretBytes) throw fail('BAD_REQUEST', { message: 'The secret is too long.' })
  }
  return text.trim()
}

export function addSso(program: Command, context: () => Context): void {
  const sso = program.command('sso').description('Single sign-on: identity providers that people sign in with.').addHelpText('before', 'Example:\n  pavior sso check corporate\n')
  sso
    .command('list', { isDefault: true })
    .description('List the identity providers.')
    .action(async () => {
      const { api, out } = context()
      const items = await api.list<Resource<IdentityProviderSpec>>('identityproviders', undefined)
      out.result(items, () => (items.length === 0 ? 'There is no identity provider. How to make one: docs/identity.md' : table(['NAME', 'SHOWN AS', 'ISSUER', 'USERS'], items.map(({ metadata, spec }) => [metadata.name, spec.displayName, spec.issuer, spec.disabled ? 'disabled' : (spec.users ?? 'create')]))))
    })
  sso
    .command('secret <provider>')
    .description('Set the client secret of a provider, read from stdin; it is kept sealed and never shown.')
    .addHelpText('before', 'Example:\n  pavior sso secret corporate < client-secret.txt\n')
    .action(async (provider: string) => {
      const { api, out } = context()
      const answer = await api.json({ method: 'PUT', path: `/v1/sso/${encodeURIComponent(provider)}/secret`, body: { secret: await fromStdin() } })
      out.result(answer, `The client secret of ${provider} is set. Check it: pavior sso check ${provider}`)
    })
  sso
    .command('check <provider>')
    .description('Ask the provider what it offers, and show what it has to be told.')
    .action(async (provider: string) => {
      const { api, out } = context()
      const found = await api.json<CheckAnswer>({ path: `/v1/sso/${encodeURIComponent(provider)}/check` })
      out.result(found, () =>
        table(
          ['', ''],
          [
            ['issuer', `${found.issuer} answers`],
            ['signing keys', String(found.keys)],
            ['PKCE', found.pkce ? 'yes' : 'not announced; it is sent nevertheless'],
            ['logout', found.logout ? 'ends the session at the provider too' : 'ends the session here only'],
            ['client secret', found.secretSet ? 'set' : 'none; the client has to be a public one'],
            ['redirect URI', found.redirectUri],
            ['back-channel logout', found.backchannelLogoutUri],
          ],
        ).trimStart(),
      )
    })
  const scim = program.command('scim').description('Provisioning of people and groups by a directory over SCIM 2.0.').addHelpText('before', 'Example:\n  pavior scim token -d "Okta"\n')
  scim
    .command('token')
    .description('Make the token that the directory sends; it is shown this once.')
    .option('-d, --description <text>', 'which directory', 'SCIM')
    .option('--expires-in-days <days>', 'default: 366')
    .action(async ({ description, expiresInDays }: { description: string; expiresInDays?: string }) => {
      const { api, out } = context()
      const answer = await api.json<{ token: string; url: string }>({ method: 'POST', path: '/v1/scim/tokens', body: { description, ...(expiresInDays ? { expiresInDays: Number(expiresInDays) } : {}) } })
      out.result(answer, `${answer.token}\n${answer.url}`)
    })
}
