/** `auth`: may I, who may, which roles there are; and a higher role for a while. */
import { fail } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

interface AskFlags {
  environment?: string
  as?: string
}

interface SourceRow {
  role: string
  team?: string
  by: string
  expiresAt?: string
}

interface RoleRow {
  name: string
  description: string
  scope: string
  builtIn: boolean
}

const exitRefused = 3

/** Kinds by their own word; without a name of the form `kind/name`. */
function queryOf(here: Context, verb: string, kind: string, name: string | undefined, { environment, as }: AskFlags): string {
  const given = { verb, kind, name, team: here.team, environment, as }
  return new URLSearchParams(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()
}

export function addAuth(program: Command, context: () => Context): void {
  const auth = program.command('auth').description('Who may do what, and by what.').addHelpText('before', 'Example:\n  pavior auth can-i create deployment --environment production\n')
  auth
    .command('can-i <verb> <kind> [name]')
    .description('Say whether you may, or somebody else may; ends with 3 for no.')
    .option('--environment <name>', 'of what belongs to this environment')
    .option('--as <who>', 'for user:ada or serviceaccount:shop/ci, which takes an administrator or auditor')
    .addHelpText('before', 'Example:\n  pavior auth can-i delete app checkout-api\n  pavior auth can-i get audit --as user:ada\n')
    .action(async (verb: string, kind: string, name: string | undefined, flags: AskFlags) => {
      const here = context()
      const found = await here.api.json<{ allowed: boolean; reason: string }>({ path: `/v1/auth/can-i?${queryOf(here, verb, kind, name, flags)}` })
      here.out.result(found, `${found.allowed ? 'yes' : 'no'}   ${found.reason}`)
      if (!found.allowed) process.exitCode = exitRefused
    })
  auth
    .command('who-can <verb> <kind> [name]')
    .description('List everybody who may, and by what.')
    .option('--environment <name>', 'of what belongs to this environment')
    .addHelpText('before', 'Example:\n  pavior auth who-can create deployment --environment production\n')
    .action(async (verb: string, kind: string, name: string | undefined, flags: AskFlags) => {
      const here = context()
      const { question, items } = await here.api.json<{ question: string; items: { name: string; by: SourceRow[] }[] }>({ path: `/v1/auth/who-can?${queryOf(here, verb, kind, name, flags)}` })
      here.out.result(items, () => (items.length === 0 ? `Nobody may ${question}.` : `May ${question}:\n${table(['WHO', 'ROLE', 'BY', 'UNTIL'], items.flatMap(({ name: who, by }) => by.map(({ role, by: source, expiresAt }) => [who, role, source, expiresAt ?? 'always'])))}`))
    })
  auth
    .command('whoami')
    .description('Show what you hold, and by what.')
    .action(async () => {
      const { api, out, endpoint } = context()
      const me = await api.json<{ name: string; admin: boolean; sources: SourceRow[] }>({ path: '/v1/auth/rights' })
      const rows = me.sources.map(({ role, team, by, expiresAt }) => [role, team ?? 'everywhere', by, expiresAt ?? 'always'])
      out.result({ ...me, url: endpoint.url }, () => `${me.name}${me.admin ? ', administrator of the platform' : ''} on ${endpoint.url}${rows.length > 0 ? `\n${table(['ROLE', 'TEAM', 'BY', 'UNTIL'], rows)}` : ''}`)
    })
  auth
    .command('roles')
    .description('List the roles that can be given.')
    .action(async () => {
      const { api, out } = context()
      const { items } = await api.json<{ items: RoleRow[] }>({ path: '/v1/auth/roles' })
      out.result(items, () => table(['ROLE', 'GIVEN', 'DESCRIPTION'], items.map(({ name, scope, description }) => [name, { platform: 'everywhere', team: 'in a team', both: 'in a team or everywhere' }[scope] ?? scope, description || '-'])))
    })
  auth
    .command('grant <role> <who>')
    .description('Give a role: to user:ada, group:engineers or serviceaccount:ci.')
    .option('--everywhere', 'in every team and on the platform, instead of in one team')
    .option('--expires-in-days <days>', 'default: never')
    .option('--reason <text>', 'why')
    .addHelpText('before', 'Example:\n  pavior auth grant on-call group:sre --team shop --reason "rota of November"\n')
    .action(async (role: string, who: string, flags: { everywhere?: boolean; expiresInDays?: string; reason?: string }) => {
      const { api, out, team } = context()
      const subject = subjectOf(who, team)
      const place = flags.everywhere ? undefined : team
      const expiresAt = flags.expiresInDays === undefined ? undefined : new Date(Date.now() + Number(flags.expiresInDays) * 24 * 3600_000).toISOString()
      const name = `${role}-${subject.kind.toLowerCase()}-${subject.name}`
      const saved = await api.json({ method: 'POST', path: api.path(place === undefined ? 'clusterrolebindings' : 'rolebindings', place), body: { metadata: { name }, spec: { role, subjects: [subject], ...(expiresAt ? { expiresAt } : {}), ...(flags.reason ? { reason: flags.reason } : {}) } } })
      out.result(saved, `${who} has ${role} ${place === undefined ? 'everywhere' : `in team ${place}`}${expiresAt ? ` until ${expiresAt}` : ''}. Take it back: pavior delete ${place === undefined ? 'clusterrolebinding' : 'rolebinding'} ${name}`)
    })
  auth
    .command('id-token')
    .description('Print an identity token of an app, as the app itself gets it; for setting up what shall trust it.')
    .requiredOption('--audience <name>', 'who shall accept it')
    .option('-a, --app <name>', 'app (default: that of the directory)')
    .option('--environment <name>', 'environment', 'production')
    .option('--algorithm <name>', 'ES256 or RS256', 'ES256')
    .addHelpText('before', 'Example:\n  pavior auth id-token --app checkout --environment production --audience vault\n')
    .action(async (flags: { audience: string; app?: string; environment: string; algorithm: string }) => {
      const here = context()
      const { audience, environment, algorithm } = flags
      const answer = await here.api.json<{ value: string }>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(here.team)}/apps/${encodeURIComponent(here.app(flags.app))}/id-token`, body: { audience, environment, algorithm } })
      here.out.result(answer, answer.value)
    })
  auth
    .command('elevate')
    .description('Take a higher role in a team for a while; the team and the administrators are told.')
    .requiredOption('--reason <text>', 'why, in a sentence')
    .option('--role <role>', 'role to take', 'team-owner')
    .option('--minutes <minutes>', 'how long', '30')
    .addHelpText('before', 'Example:\n  pavior auth elevate --role team-owner --team shop --minutes 30 --reason "Checkout is down, INC-42"\n')
    .action(async (flags: { role: string; minutes: string; reason: string }) => {
      const { api, out, team } = context()
      const answer = await api.json<{ name: string; expiresAt: string }>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/elevations`, body: { role: flags.role, minutes: Number(flags.minutes), reason: flags.reason } })
      out.result(answer, `You are ${flags.role} in team ${team} until ${answer.expiresAt}. End it sooner: pavior auth step-down ${answer.name}`)
    })
  auth
    .command('step-down <name>')
    .description('End an elevation before its time.')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const answer = await api.json({ method: 'DELETE', path: `/v1/teams/${encodeURIComponent(team)}/elevations/${encodeURIComponent(name)}` })
      out.result(answer, `The elevation ${name} has ended.`)
    })
}

function subjectOf(text: string, team: string): { kind: string; name: string; team?: string } {
  const [word = '', rest = ''] = text.includes(':') ? text.split(':', 2) : ['user', text]
  const kind = { user: 'User', group: 'Group', serviceaccount: 'ServiceAccount' }[word.toLowerCase()]
  if (kind === undefined || rest === '') throw fail('BAD_REQUEST', { message: `"${text}" names nobody.`, fix: 'Write user:<name>, group:<name> or serviceaccount:[<team>/]<name>.' })
  if (kind !== 'ServiceAccount') return { kind, name: rest }
  const [of, name] = rest.includes('/') ? rest.split('/', 2) : [team, rest]
  return { kind, name: name!, team: of }
}
