/** `audit`: who changed what and when, and whether that is still what was written. */
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import type { AuditHead, AuditPage, AuditRow, AuditVerification } from '@pavior/contract'
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
  const audit = program
    .command('audit')
    .description('Show who changed what and when, newest first. For administrators of the team or of the platform.')
    .option('-A, --all-teams', 'everything that you may read, not only of one team')
    .option('--actor <name>', 'only by this one, as it is written: user:ada, system:release')
    .option('--system', 'also what parts of the platform did by themselves')
    .option('-f, --follow', 'go on as changes are made; older ones are not shown')
    .option('--kind <kind>', 'only resources of this kind')
    .option('--name <name>', 'only resources of this name')
    .option('--verb <verb>', 'only create, update, patch, delete or denied')
    .option('--since <time>', 'only what is newer: 10m, 2h, 30d, or an ISO time')
    .option('--until <time>', 'only what is older')
    .option('-n, --limit <rows>', 'rows of one page (default: 100, at most 1000)')
    .option('--continue <token>', 'go on with older rows, from where a page ended')
    .addHelpText('before', 'Example:\n  pavior audit --kind app --name checkout-api --since 2h\n')
    .action(async (flags: AuditFlags) => show(context(), flags))
  audit
    .command('export')
    .description('Write every row that is kept to standard output, oldest first.')
    .option('--format <format>', 'jsonl or csv', 'jsonl')
    .addHelpText('before', 'Example:\n  pavior audit --all-teams --since 30d export --format csv > audit.csv\n')
    .action(async ({ format }: { format: string }) => exportAll(context(), audit.opts<AuditFlags>(), format))
  audit
    .command('verify')
    .description('Check that no row of the audit was changed, removed or put in since it was written. For administrators of the platform.')
    .option('--head <version:hash>', 'also check a head that you kept elsewhere')
    .addHelpText('before', 'Example:\n  pavior audit verify\n')
    .action(async (flags: { head?: string }) => verify(context(), flags))
  audit
    .command('head')
    .description('Print the newest link of the chain. Keep it elsewhere: it proves later that nothing up to it was changed.')
    .addHelpText('before', 'Example:\n  pavior audit head\n')
    .action(async () => head(context()))
}

function searchOf({ allTeams, since, until, system, ...same }: AuditFlags, team: string): URLSearchParams {
  const search = new URLSearchParams()
  if (!allTeams) search.set('team', team)
  for (const name of ['actor', 'kind', 'name', 'verb'] as const) if (same[name] !== undefined) search.set(name, same[name])
  if (since !== undefined) search.set('since', timeOf('--since', since, Date.now()))
  if (until !== undefined) search.set('until', timeOf('--until', until, Date.now()))
  // Whoever names a part of the platform wants to see what it did.
  if (!system && !same.actor?.startsWith('system:')) search.set('people', 'true')
  return search
}

async function exportAll({ api, team }: Context, flags: AuditFlags, format: string): Promise<void> {
  const search = searchOf(flags, team)
  search.set('format', format)
  const response = await api.open({ path: `/v1/audit/export?${search}` })
  await pipeline(response, process.stdout, { end: false })
}

async function verify({ api, out }: Context, { head: kept }: { head?: string }): Promise<void> {
  const result = await api.json<AuditVerification>({ path: `/v1/audit/verify${kept === undefined ? '' : `?head=${encodeURIComponent(kept)}`}` })
  out.result(result, () => {
    const looked = `Checked: ${result.rows} rows, signed heads ${result.seals}, resources ${result.resources}.`
    if (result.intact) return `The audit is as it was written. ${looked}`
    const more = result.more > 0 ? [`and ${result.more} more`] : []
    return [`The audit is not as it was written. ${looked}`, ...result.problems.map(({ type, text }) => `  ${type.padEnd(9)} ${text}`), ...more].join('\n')
  })
  if (!result.intact) process.exitCode = 1
}

async function head({ api, out }: Context): Promise<void> {
  const { resourceVersion, hash, ...rest } = await api.json<AuditHead>({ path: '/v1/audit/head' })
  out.result({ resourceVersion, hash, ...rest }, () => `${resourceVersion}:${hash}`)
}

async function show(here: Context, flags: AuditFlags): Promise<void> {
  const { api, out, team } = here
  const { allTeams, follow } = flags
  const search = searchOf(flags, team)
  for (const name of ['limit', 'continue'] as const) if (flags[name] !== undefined) search.set(name, flags[name])
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
