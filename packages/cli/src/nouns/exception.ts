/** `exception`: deviations from policies: ask, decide, list. */
import { fail, type PolicyExceptionSpec, type PolicyExceptionStatus, type Resource } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'

type PolicyException = Resource<PolicyExceptionSpec, PolicyExceptionStatus>
const dayMs = 24 * 3600_000

interface RequestFlags {
  app?: string
  rule?: string
  reason: string
  days: string
  owner?: string
}

export function addException(program: Command, context: () => Context): void {
  const exception = program.command('exception').description('Deviations from policies: each has an owner, a reason and an end.').addHelpText('before', 'Example:\n  pavior exception list\n')
  exception
    .command('request <policy>')
    .description('Ask for an exception from a policy.')
    .option('--app <name>', 'only for this app (default: everything of the team)')
    .option('--rule <name>', 'only from this rule of it (default: all)')
    .requiredOption('--reason <text>', 'why the policy does not fit, in a sentence or two')
    .option('--days <days>', 'how long it is needed', '30')
    .option('--owner <user>', 'who answers for it (default: you)')
    .addHelpText('before', 'Example:\n  pavior exception request no-latest --app checkout-api --reason "Waits for the fix of the vendor." --days 14\n')
    .action(async (policy: string, flags: RequestFlags) => request(context(), policy, flags))
  for (const [verb, word] of [['grant', 'Granted'], ['deny', 'Denied']] as const) {
    exception
      .command(`${verb} <name>`)
      .description(verb === 'grant' ? 'Grant an exception that somebody else asked for.' : 'Deny an exception that somebody asked for.')
      .option('--note <text>', 'what to say about it')
      .addHelpText('before', `Example:\n  pavior exception ${verb} no-latest-x7k2p\n`)
      .action(async (name: string, { note }: { note?: string }) => {
        const { api, out, team } = context()
        const decided = await api.json<PolicyException>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/exceptions/${encodeURIComponent(name)}/${verb}`, body: note === undefined ? {} : { note } })
        out.result(decided, `${word}: ${name}, from ${decided.spec.policy} until ${shownTime(decided.spec.expiresAt)}.`)
      })
  }
  exception
    .command('list')
    .description('List exceptions, those that end first before the others.')
    .option('-A, --all-teams', 'of every team that you may read')
    .action(async ({ allTeams }: { allTeams?: boolean }) => {
      const { api, out, team } = context()
      const items = (await api.list<PolicyException>('policyexceptions', allTeams ? undefined : team)).toSorted((one, other) => (one.spec.expiresAt < other.spec.expiresAt ? -1 : 1))
      const rows = items.map(({ metadata, spec, status }) => [metadata.name, ...(allTeams ? [metadata.namespace!] : []), spec.rule === undefined ? spec.policy : `${spec.policy}/${spec.rule}`, spec.app ?? 'all of the team', status?.phase ?? 'Requested', spec.owner, shownTime(spec.expiresAt), spec.reason])
      out.result({ items }, () => (rows.length === 0 ? 'There are no exceptions.' : table(['NAME', ...(allTeams ? ['TEAM'] : []), 'POLICY', 'APP', 'PHASE', 'OWNER', 'ENDS', 'REASON'], rows)))
    })
}

async function request({ api, out, team }: Context, policy: string, { app, rule, reason, days: given, owner }: RequestFlags): Promise<void> {
  const days = Number(given)
  if (!Number.isFinite(days) || days <= 0) throw fail('BAD_REQUEST', { message: `--days must be a number above 0, not "${given}".` })
  const made = await api.json<PolicyException>({
    method: 'POST',
    path: api.path('policyexceptions', team),
    body: {
      metadata: { generateName: `${policy}-` },
      spec: { policy, ...(rule === undefined ? {} : { rule }), ...(app === undefined ? {} : { app }), owner: owner ?? (await me({ api })), reason, expiresAt: new Date(Date.now() + days * dayMs).toISOString() },
    },
  })
  out.result(made, `Asked for: ${made.metadata.name}, until ${shownTime(made.spec.expiresAt)}.\nAn administrator of team ${team} or of the platform grants it: pavior exception grant ${made.metadata.name} --team ${team}`)
}

async function me({ api }: Pick<Context, 'api'>): Promise<string> {
  const { name } = await api.json<{ name: string }>({ path: '/v1/whoami' })
  return name.replace(/^user:/, '')
}
