/** Who am I, and where: `login`, `whoami`, `tokens`, `users`, `kubeconfig`, `status`. */
import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { TokenRow } from '@pavior/contract'
import { Api } from '../api.ts'
import { loginInBrowser, loginWithCode } from '../browser-login.ts'
import { loginFile, type Context, type Endpoint } from '../context.ts'
import { age, seconds, size, table } from '../output.ts'

interface StatusAnswer {
  version: string
  agent: string
  /** `embedded`, or version and address of an external one. */
  database: string
  routerPort?: number
  instances: number
  processes: { role: string; pid: number; listens?: string; uptimeSeconds: number; memoryBytes: number; version: string }[]
}

export function addSession(program: Command, context: () => Context): void {
  program
    .command('login <url>')
    .description('Sign in to a Pavior server.')
    .option('--key <key>', 'key of a login link')
    .option('--token <token>', 'token that you have')
    .option('--device', 'sign in on another machine, with a code')
    .option('--no-open', 'print the address instead of opening a browser')
    .addHelpText('before', 'Example:\n  pavior login https://pavior.example.com\n  pavior login https://pavior.example.com --device\n')
    .action(async (url: string, flags: LoginFlags) => login(context(), url, flags))
  program
    .command('logout')
    .description('Sign out: end the token of the sign-in and forget the server.')
    .action(async () => {
      const { out } = context()
      const login = JSON.parse(await readFile(loginFile(), 'utf8').catch(() => 'null')) as Endpoint | null
      // A server that does not answer, or knows the token no more, keeps nobody signed in here.
      if (login) await new Api(login).json({ method: 'DELETE', path: '/v1/session' }).catch(() => undefined)
      await rm(loginFile(), { force: true })
      out.result({ loggedOut: true }, 'Signed out.')
    })
  program
    .command('whoami')
    .description('Show who you are to the server, and your roles.')
    .action(async () => {
      const { api, out, team, endpoint } = context()
      const me = await api.json<{ name: string; admin: boolean; roles: Record<string, string> }>({ path: '/v1/whoami' })
      out.result({ ...me, team, url: endpoint.url }, () => `${me.name}${me.admin ? ', administrator of the platform' : ''} on ${endpoint.url}, team ${team}\n${Object.entries(me.roles).map(([name, role]) => `  ${name}: ${role}`).join('\n')}`.trimEnd())
    })
  addTokens(program, context)
  program
    .command('users')
    .description('People.')
    .command('login-link <name>')
    .description('Make a link that signs somebody in once, within a day.')
    .addHelpText('before', 'Example:\n  pavior users login-link ada\n')
    .action(async (name: string) => {
      const { api, out } = context()
      const answer = await api.json<{ url: string }>({ method: 'POST', path: `/v1/users/${encodeURIComponent(name)}/login-link`, body: {} })
      out.result(answer, answer.url)
    })
  program
    .command('kubeconfig')
    .description('Print the file that kubectl needs.')
    .addHelpText('before', 'Example:\n  pavior kubeconfig > pavior.kubeconfig && kubectl --kubeconfig pavior.kubeconfig get apps\n')
    .action(async () => {
      const { api, endpoint, out, team } = context()
      const file = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'pavior', cluster: await secureCluster(api, endpoint.url) }],
        users: [{ name: 'pavior', user: { token: endpoint.token } }],
        contexts: [{ name: 'pavior', context: { cluster: 'pavior', user: 'pavior', namespace: team } }],
        'current-context': 'pavior',
      }
      out.result(file, stringify(file).trimEnd())
    })
  program
    .command('status')
    .description('Show every process of the installation.')
    .addHelpText('before', 'Example:\n  pavior status --json\n')
    .action(async () => {
      const { api, out, endpoint } = context()
      const status = await api.json<StatusAnswer>({ path: '/v1/status' })
      out.result({ url: endpoint.url, ...status }, () =>
        [
          `Pavior ${status.version} at ${endpoint.url} · agent ${status.agent} ·${status.database === 'embedded' ? '' : ` ${status.database} ·`} ${status.instances} instances`,
          table(['ROLE', 'PID', 'LISTENS', 'UP', 'MEMORY', 'VERSION'], status.processes.map(({ role, pid, listens, uptimeSeconds, memoryBytes, version }) => [role, String(pid), listens ?? '-', seconds(uptimeSeconds * 1000), size(memoryBytes), version])),
        ].join('\n'),
      )
    })
}

/** kubectl sends no token over plain HTTP; the server answers HTTPS on the same port, with a certificate of its own. */
async function secureCluster(api: Api, url: string): Promise<{ server: string; 'certificate-authority-data'?: string }> {
  if (url.startsWith('https:')) return { server: url }
  const { certificate } = await api.json<{ certificate: string }>({ path: '/v1/certificate' })
  return { server: url.replace('http:', 'https:'), 'certificate-authority-data': Buffer.from(certificate).toString('base64') }
}

function addTokens(program: Command, context: () => Context): void {
  const tokens = program.command('tokens').description('Tokens for the API, the command line and git.')
  tokens
    .command('list', { isDefault: true })
    .description('List tokens; the tokens themselves are shown only when they are made.')
    .action(async () => {
      const { api, out } = context()
      const { items } = await api.json<{ items: TokenRow[] }>({ path: '/v1/tokens' })
      out.result(items, () => table(['ID', 'PREFIX', 'FOR', 'DESCRIPTION', 'LAST USED', 'EXPIRES'], items.map((row) => [row.id, `${row.prefix}…`, `${row.username ?? (row.serviceAccount === undefined ? `${row.team} (${row.role}${row.app ? `, ${row.app}` : ''})` : `${row.team}/${row.serviceAccount}`)}${row.bounds ? ' (bounded)' : ''}`, row.description || '-', row.lastUsed ? `${age(row.lastUsed)} ago` : 'never', row.expiresAt?.slice(0, 10) ?? 'never'])))
    })
  tokens
    .command('create')
    .description('Make a token; it is shown this once.')
    .option('-d, --description <text>', 'what it is for')
    .option('--for-team <team>', 'a token of a team instead of your own')
    .option('--role <role>', 'role of a team token: admin, developer or viewer')
    .option('--app <name>', 'changes only this app')
    .option('--service-account <name>', 'a token of this account of --for-team, or of your team')
    .option('--verbs <list>', 'only these verbs, separated by commas: get,list,watch,create,update,patch,delete')
    .option('--kinds <list>', 'only these kinds, separated by commas')
    .option('--names <list>', 'changes only these names; web-* means those that begin with web-')
    .option('--environment <list>', 'changes only what belongs to these environments')
    .option('--expires-in-days <days>', 'default: 90')
    .addHelpText('before', 'Example:\n  pavior tokens create --for-team payments --role developer --app checkout-api -d "deploys from CI"\n  pavior tokens create --service-account ci --verbs get,create,patch --kinds Build,Deployment --environment staging\n')
    .action(async (flags: TokenFlags) => {
      const { api, out, team } = context()
      const body = { description: flags.description, team: flags.forTeam ?? (flags.serviceAccount === undefined ? undefined : team), role: flags.role, app: flags.app, serviceAccount: flags.serviceAccount, verbs: listOf(flags.verbs), kinds: listOf(flags.kinds), names: listOf(flags.names), environments: listOf(flags.environment), ...(flags.expiresInDays ? { expiresInDays: Number(flags.expiresInDays) } : {}) }
      const answer = await api.json<TokenRow & { token: string }>({ method: 'POST', path: '/v1/tokens', body })
      out.result(answer, answer.token)
    })
  tokens
    .command('revoke <id>')
    .description('Make a token invalid at once.')
    .action(async (id: string) => {
      const { api, out } = context()
      const answer = await api.json({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}` })
      out.result(answer, `The token ${id} is revoked.`)
    })
}

interface TokenFlags {
  description?: string
  forTeam?: string
  role?: string
  app?: string
  serviceAccount?: string
  verbs?: string
  kinds?: string
  names?: string
  environment?: string
  expiresInDays?: string
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(',').map((word) => word.trim()).filter(Boolean)
}

interface LoginFlags {
  key?: string
  token?: string
  device?: boolean
  open: boolean
}

/** Whatever this system opens addresses with; without one the printed address is enough. */
function openBrowser(address: string): void {
  const [command, ...first] = { darwin: ['open'], win32: ['explorer.exe'] }[process.platform as string] ?? ['xdg-open']
  const child = spawn(command!, [...first, address], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

async function login({ out }: Context, url: string, { key, token, device, open }: LoginFlags): Promise<void> {
  const address = new URL(url)
  const base = address.origin
  const linkKey = key ?? address.searchParams.get('key') ?? undefined
  const withKey = async (): Promise<string> => (await new Api({ url: base, token: '', team: '' }).json<{ token: string }>({ method: 'POST', path: '/v1/login', body: { key: linkKey } })).token
  const inPortal = (): Promise<string> => (device ? loginWithCode(base, out) : loginInBrowser(base, out, open ? openBrowser : () => {}))
  const issued = token ?? (linkKey === undefined ? await inPortal() : await withKey())
  const me = await new Api({ url: base, token: issued, team: '' }).json<{ name: string; roles: Record<string, string> }>({ path: '/v1/whoami' })
  const team = Object.keys(me.roles)[0] ?? 'default'
  const path = loginFile()
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${JSON.stringify({ url: base, token: issued, team }, null, 2)}\n`, { mode: 0o600 })
  await chmod(path, 0o600)
  out.result({ url: base, name: me.name, team }, `Signed in to ${base} as ${me.name}, team ${team}.`)
}
