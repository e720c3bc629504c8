/** `quota`: how much a team may use, and does. */
import { fail, type QuotaSpec, type QuotaUse } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

const names: Record<keyof QuotaSpec, string> = { apps: 'apps', environments: 'environments', instances: 'instances', cpu: 'CPU cores', memoryMib: 'memory (MiB)', buildsPerDay: 'builds a day' }

export function addQuota(program: Command, context: () => Context): void {
  const quota = program.command('quota').description('How much a team may use, and does.').addHelpText('before', 'Example:\n  pavior quota show\n')
  quota
    .command('show [team]')
    .description('Show what a team uses, and what it may use.')
    .action(async (given: string | undefined) => {
      const { api, out, team } = context()
      const found = await api.json<{ team: string; limits: QuotaSpec; used: QuotaUse }>({ path: `/v1/teams/${encodeURIComponent(given ?? team)}/quota` })
      out.result(found, () => `${found.team}\n${table(['', 'USED', 'LIMIT'], (Object.keys(names) as (keyof QuotaSpec)[]).map((name) => [names[name], String(found.used[name]), String(found.limits[name] ?? 'none')]))}`)
    })
  quota
    .command('set <team> <limits...>')
    .description('Set limits of a team; "none" takes one away. For administrators of the platform.')
    .addHelpText('before', `Example:\n  pavior quota set payments instances=20 memoryMib=8192 cpu=none\n\nLimits: ${Object.keys(names).join(', ')}\n`)
    .action(async (team: string, limits: string[]) => {
      const { api, out } = context()
      const spec = Object.fromEntries(limits.map(limitOf))
      const existing = (await api.list('quotas', undefined)).some(({ metadata }) => metadata.name === team)
      const kept = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null))
      const saved = existing ? await api.merge('quotas', undefined, team, { spec }) : await api.json({ method: 'POST', path: api.path('quotas'), body: { metadata: { name: team }, spec: kept } })
      out.result(saved, `The quota of team ${team} is set. See what it uses: pavior quota show ${team}`)
    })
}

function limitOf(text: string): [string, number | null] {
  const [name = '', value = ''] = text.split('=', 2)
  const amount = value === 'none' ? null : Number(value)
  if (!(name in names) || value === '' || Number.isNaN(amount)) throw fail('BAD_REQUEST', { message: `"${text}" is no limit.`, fix: `Write <name>=<number> or <name>=none, with one of: ${Object.keys(names).join(', ')}.` })
  return [name, amount]
}
