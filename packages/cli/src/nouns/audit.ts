/** `audit`: who changed what and when. */
import type { Command } from 'commander'
import type { AuditPage, AuditRow } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { printLines } from '../print-lines.ts'
import { timeOf } from '../times.ts'

interface AuditFlags {
  allTeams?: boolean
  actor?: string
  system?: boolean
  follow?: boolean
  kind?: string
  name?: string
  verb?: string
  since?: string
  until?: string
  limit?: string
  continue?: string
}

export function addAudit(program: Command, context: () => Context): void {
  program
    .command('audit')
    .description('Show who changed what and when, newest first. For administrators of the team or of the platform.')
    .option('-A, --all-teams', 'everything that you may read, not only of one team')
    .option('--actor <name>', 'only by this one, as it is written: user:ada, system:release')
    .option('--system', 'also what parts of the platform did by themselves')
    .option('-f, --follow', 'go on as changes are made; older ones are not shown')
    .option('--kind <kind>', 'only resources of this kind')
    .option('--name <name>', 'only resources of this name')
    .option('--verb <verb>', 'only create, update, patch or delete')
    .option('--since <time>', 'only what is newer: 10m, 2h, 30d, or an ISO time')
    .option('--until <time>', 'only what is older')
    .option('-n, --limit <rows>', 'rows of one page (default: 100, at most 1000)')
    .option('--continue <token>', 'go on with older rows, from where a page ended')
    .addHelpText('before', 'Example:\n  pavior audit --kind app --name checkout-api --since 2h\n')
    .action(async (flags: AuditFlags) => show(context(), flags))
}

async function show(here: Context, { allTeams, since, until, system, follow, ...same }: AuditFlags): Promise<void> {
  const { api, out, team } = here
  const search = new URLSearchParams()
  if (!allTeams) search.set('team', team)
  for (const name of ['actor', 'kind', 'name', 'verb', 'limit', 'continue'] as const) if (same[name] !== undefined) search.set(name, same[name])
  if (since !== undefined) search.set('since', timeOf('--since', since, Date.now()))
  if (until !== undefined) search.set('until', timeOf('--until', until, Date.now()))
  // Whoever names a part of the platform wants to see what it did.
  if (!system && !same.actor?.startsWith('system:')) search.set('people', 'true')
  if (follow) return printLines<AuditRow>(here, `/v1/audit?${search}&follow=true`, (row) => cells(row).join('  '))
  const page = await api.json<AuditPage>({ path: `/v1/audit?${search}` })
  out.result(page, () => {
    if (page.items.length === 0) return `Nothing was changed${allTeams ? '' : ` in team ${team}`}, as far as this asks for and as it is kept.`
    return table(['TIME', 'ACTOR', 'VERB', 'KIND', 'TEAM', 'NAME', 'REQUEST'], page.items.map(cells))
  })
  if (page.continue !== undefined) out.progress(`There is more: repeat with --continue ${page.continue}`)
}

function cells({ time, actor, verb, kind, team, name, requestId }: AuditRow): string[] {
  return [time, actor, verb, kind, team ?? '-', name, requestId ?? '-']
}
